"""Northside with Ana and Bea, and its neighbour Riverside whose board it follows; letters as they come in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, insert, select

import outbox.tables
from activitypub.documents import parse_activity
from activitypub.signatures.authentic import Proof, restored
from fedaid.actors import commands as actors
from fedaid.actors.rules import FollowState
from fedaid.actors.tables import follow
from fedaid.board import commands, queries, wire
from fedaid.board.queries import Listing, Response
from fedaid.board.rules import Kind, Mode, Posting
from fedaid.foundation.database import Database
from fedaid.foundation.viewer import Role, Viewer
from fedaid.foundation.work import Announcer, UnitsOfWork, Work
from fedaid.groups import commands as groups
from fedaid.members import commands as members
from inbox.ports import Handler, Letter
from tests.small_house import NORTH, RIVER, RULES, START, SmallHouse, all_announcers, build, remote_actor, some_keys

BOARD = f"{NORTH}/groups/board"
RIVER_BOARD = f"{RIVER}/groups/board"
BEN = f"{RIVER}/users/ben"
CAROL = "https://masto.example/users/carol"
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"


def announcers() -> Mapping[type, Sequence[Announcer]]:
    """Everything below the board, and the board."""
    joined = {fact: tuple(told) for fact, told in all_announcers().items()}
    for fact, told in wire.ANNOUNCERS.items():
        joined[fact] = (*joined.get(fact, ()), *told)
    return joined


def a_posting(**changes: Any) -> Posting:
    """Two people and a sofa, on Saturday."""
    values: dict[str, Any] = {
        "kind": Kind.REQUEST,
        "title": "Help moving furniture",
        "description": "Two people needed for a sofa.",
        "category": "moving",
        "starts_at": START + timedelta(days=4),
        "ends_at": START + timedelta(days=4, hours=2),
        "place": "near Rose Street",
        "lat": 51.5203,
        "lon": -0.0899,
        "minutes": 120,
        "mode": Mode.HOURS,
        "expires_at": START + timedelta(days=14),
        "time_zone": "Europe/London",
    }
    return Posting(**{**values, **changes})


@dataclass
class World:
    """What the tests of the board work with."""

    house: SmallHouse
    units: UnitsOfWork
    ana: Viewer
    bea: Viewer
    handlers: Mapping[str, Sequence[Handler[Work]]]

    @property
    def now(self) -> Any:
        return self.house.clock.now()

    def posting(self, **changes: Any) -> Posting:
        return a_posting(**changes)

    def post(self, **changes: Any) -> Listing:
        """A listing of Ana's."""
        with self.units.begin() as work:
            listing_id = commands.post_listing(work, self.ana, BOARD, self.posting(**changes))
        return self.listing(listing_id)

    def listing(self, listing_id: int) -> Listing:
        with self.house.database.read() as connection:
            found = queries.any_listing(connection, listing_id)
        assert found is not None
        return found

    def listing_at(self, uri: str) -> Listing | None:
        with self.house.database.read() as connection:
            return queries.listing_by_uri(connection, uri)

    def response_at(self, uri: str) -> Response | None:
        with self.house.database.read() as connection:
            return queries.response_by_uri(connection, uri)

    def response(self, response_id: int) -> Response:
        with self.house.database.read() as connection:
            found = queries.any_response(connection, response_id)
        assert found is not None
        return found

    def respond(self, helper: Viewer, listing: Listing, message: str = "I can come with a van at 10.") -> Response:
        with self.units.begin() as work:
            return_id = commands.respond(work, helper, listing.id, message)
        return self.response(return_id)

    def accept(self, response: Response) -> int:
        """Ana says yes."""
        with self.units.begin() as work:
            return commands.accept_response(work, self.ana, response.id)

    def sent(self) -> list[dict[str, Any]]:
        """Every activity in the outbox, oldest first."""
        with self.house.database.read() as connection:
            return [orjson.loads(row) for row in self._bodies(connection)]

    def _bodies(self, connection: Connection) -> Sequence[str]:
        table = outbox.tables.activity
        return connection.execute(select(table.c.body).order_by(table.c.id)).scalars().all()

    def posted(self) -> list[Any]:
        """The outbox's rows, oldest first."""
        table = outbox.tables.activity
        with self.house.database.read() as connection:
            return list(connection.execute(select(table).order_by(table.c.id)))

    def receive(self, document: Mapping[str, Any], fetched: Mapping[str, Mapping[str, Any]] | None = None) -> bool:
        """A letter as the inbox's worker hands it on. Raises what the handlers raise."""
        activity = parse_activity(document, RULES)
        sender = restored(activity.actor, f"{activity.actor}#main-key", Proof.DRAFT_CAVAGE, self.now)
        letter = Letter(sender, activity, "/inbox")
        with self.units.begin() as work, work.attempt():
            return any(one.apply(work, letter, fetched or {}) for one in self.handlers.get(activity.type, ()))

    def wants(self, document: Mapping[str, Any]) -> list[str]:
        """What must be fetched before the letter can be applied."""
        activity = parse_activity(document, RULES)
        return [url for one in self.handlers.get(activity.type, ()) for url in one.wants(activity)]


def build_world(database: Database) -> World:
    """Northside as the story finds it."""
    house = build(database)
    units = house.units = UnitsOfWork(database, house.clock, house.names, announcers())
    with units.begin() as work:
        groups.add_default_board(work, "Northside", some_keys())
        commands.seed_categories(work)
        ana = _member(work, "ana", "Ana Nightingale")
        bea = _member(work, "bea", "Bea Bright")
        for actor in (remote_actor(RIVER_BOARD, "Group", name="Riverside"), remote_actor(BEN)):
            actors.remember(work, actor)
        mastodon = {"endpoints": {"sharedInbox": "https://masto.example/inbox"}}
        actors.remember(work, remote_actor(CAROL, **mastodon))
        follow_board(work, RIVER_BOARD)
    follows = queries.FollowedBoards(database)
    return World(house, units, ana, bea, wire.handlers(RULES, follows))


def _member(work: Work, handle: str, name: str) -> Viewer:
    email, zone = f"{handle}@mail.example", "Europe/London"
    added = members.add_member(work, handle, "x", name=name, email=email, time_zone=zone, keys=some_keys())
    return Viewer(added.id, added.handle, added.name, added.actor, Role.MEMBER, zone)


def follow_board(work: Work, board: str) -> None:
    """Our board follows another, and it was accepted."""
    row = {"follower": BOARD, "followee": board, "state": FollowState.ACCEPTED, "activity_id": f"{NORTH}/activities/1"}
    work.connection.execute(insert(follow).values({**row, "id": work.new_id(), "created_at": work.now}))


def foreign_note(number: int = 7, **changes: Any) -> dict[str, Any]:
    """A listing as Riverside's board writes it."""
    uri = f"{RIVER}/listings/{number}"
    note: dict[str, Any] = {
        "id": uri,
        "type": "Note",
        "attributedTo": RIVER_BOARD,
        "audience": RIVER_BOARD,
        "to": [PUBLIC],
        "cc": [f"{RIVER_BOARD}/followers"],
        "published": "2026-08-31T08:00:00Z",
        "url": uri,
        "name": "Someone to read with my son",
        "purpose": "request",
        "content": "<p><strong>Request: Someone to read with my son</strong><br>When: Sat</p><p>Spanish.</p>",
        "hasEnd": "2026-09-20T22:59:59Z",
        "location": {"type": "Place", "name": "Riverside library"},
        "publishes": {
            "id": f"{uri}#primary",
            "type": "Intent",
            "action": "deliverService",
            "receiver": RIVER_BOARD,
            "hasBeginning": "2026-09-05T09:00:00Z",
            "hasEnd": "2026-09-05T11:00:00Z",
            "resourceConformsTo": f"{RIVER}/categories/learning",
            "resourceQuantity": {"hasUnit": "hour", "hasNumericalValue": "1.5"},
        },
        "reciprocal": {
            "id": f"{uri}#reciprocal",
            "type": "Intent",
            "action": "transfer",
            "provider": RIVER_BOARD,
            "resourceConformsTo": f"{RIVER}/ledger",
            "resourceQuantity": {"hasUnit": "hour", "hasNumericalValue": "1.5"},
        },
        "tag": [{"type": "Hashtag", "name": "#learning", "href": f"{RIVER}/tags/learning"}],
    }
    return {**note, **changes}


def activity(kind: str, actor: str, body: Any, number: int = 1, **changes: Any) -> dict[str, Any]:
    """An activity of somebody elsewhere."""
    origin = "/".join(actor.split("/")[:3])
    return {
        "id": f"{origin}/activities/{number}",
        "type": kind,
        "actor": actor,
        "to": [PUBLIC],
        "object": body,
        **changes,
    }
