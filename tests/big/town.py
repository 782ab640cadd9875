"""Fills a founded instance with members, what they can do, and listings of here and of neighbours; the same for a seed.

Rows are inserted in bulk and in the form in which the commands of the rooms leave them; nothing is announced.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, Table, insert, select

from fedaid.actors.tables import follow, local_actor, remote_actor
from fedaid.board.rules import TAKES_RESPONSES, Kind, ListingState, Mode, Rhythm, Visibility
from fedaid.board.tables import listing, listing_search
from fedaid.foundation.ids import IdSource
from fedaid.foundation.places import approximate
from fedaid.foundation.words import searched, terms
from fedaid.groups.tables import group, membership
from fedaid.matching.rules import term_of_kind
from fedaid.matching.tables import listing_term
from fedaid.members.tables import member
from fedaid.skills.tables import free_window, helper_preference, skill, skill_term, spoken_language
from tests.small_house import some_keys
from tests.support.towns import Town

ROWS_AT_ONCE: Final = 2_000
GROUPS: Final = 40
NEIGHBOURS: Final = 6  # boards elsewhere that ours follows
FROM_ELSEWHERE: Final = 0.25  # of the listings
CENTRE: Final = (51.52, -0.09)
SPREAD_DEGREES: Final = 0.12  # some 13 km each way
THINGS: Final = ["sofa", "bicycle", "garden", "piano", "computer", "phone", "fence", "letter", "dog", "cat", "oven"]
THINGS_MORE: Final = ["lamp", "wardrobe", "hedge", "curtain", "jacket", "radio", "ladder", "drill", "kitchen", "roof"]
DOINGS: Final = ["move", "repair", "paint", "clean", "carry", "read", "teach", "sew", "cook", "plant", "walk", "drive"]
WITH: Final = ["on Saturday", "after school", "in the evening", "before winter", "for a birthday", "for my mother"]
STREETS: Final = ["Rose", "Mill", "Church", "Station", "River", "Garden", "Bridge", "School", "Market", "Hill", "Oak"]
CATEGORIES: Final = ["moving", "repair", "garden", "food", "transport", "childcare", "care", "pets", "learning"]
LANGUAGES: Final = ["en", "es", "ar", "pl", "fr"]


@dataclass(frozen=True)
class Size:
    """How large it is made."""

    members: int = 10_000
    listings: int = 50_000


def fill(town: Town, size: Size, seed: int) -> None:
    """Make the neighbourhood; on an instance that was founded and has nobody in it."""
    with town.instance.database.write() as connection:
        Filling(connection, town, size, random.Random(seed)).run()
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("ANALYZE")
    if not town.instance.database.is_sqlite:
        with town.instance.database.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM ANALYZE")


class Filling:
    """One neighbourhood being made."""

    def __init__(self, connection: Connection, town: Town, size: Size, chance: random.Random) -> None:
        self._connection = connection
        self._town = town
        self._size = size
        self._chance = chance
        self._now: datetime = town.clock.now()
        self._next: Callable[[], int] = IdSource(town.clock).next
        self._names = town.instance.settings.names
        self._members: list[tuple[int, str]] = []  # row ids, and ids on the wire

    def run(self) -> None:
        """Members first, as everything else is theirs."""
        boards = self._groups()
        self._people()
        self._put(membership, self._memberships())
        self._abilities()
        self._listings(boards, self._neighbours(boards[0][1]))

    def _put(self, table: Table, rows: Iterator[Mapping[str, Any]] | Sequence[Mapping[str, Any]]) -> None:
        left = iter(rows)
        while some := list(islice(left, ROWS_AT_ONCE)):
            self._connection.execute(insert(table), some)

    def _actor(self, kind: str, handle: str, name: str) -> dict[str, Any]:
        keys, folder = some_keys(), {"person": "users", "group": "groups"}[kind]
        return {
            "id": self._next(),
            "uri": f"{self._names.origin}/{folder}/{handle}",
            "handle": handle,
            "kind": kind,
            "name": name,
            "summary": "",
            "rsa_pem": keys.rsa_pem,
            "ed25519_pem": keys.ed25519_pem,
            "manually_approves": False,
            "created_at": self._now,
        }

    def _groups(self) -> list[tuple[int, str]]:
        """The board of all, and some groups; row ids and ids on the wire."""
        joined = select(group.c.id, local_actor.c.uri).join(local_actor, local_actor.c.id == group.c.actor_id)
        found = [(row.id, row.uri) for row in self._connection.execute(joined.order_by(group.c.id))]
        actors = [self._actor("group", f"group{number}", f"Group {number}") for number in range(GROUPS)]
        rows = [
            {"id": self._next(), "actor_id": one["id"], "topic": "", "place": "", "created_at": self._now}
            for one in actors
        ]
        self._put(local_actor, actors)
        self._put(group, rows)
        return [*found, *((row["id"], one["uri"]) for row, one in zip(rows, actors, strict=True))]

    def _people(self) -> None:
        people = [self._actor("person", f"person{number}", f"Person {number}") for number in range(self._size.members)]
        rows = [
            {
                "id": self._next(),
                "actor_id": one["id"],
                "email": "",
                "password_hash": "x",
                "role": "member",
                "time_zone": "Europe/London",
                "created_at": self._now,
            }
            for one in people
        ]
        self._put(local_actor, people)
        self._put(member, rows)
        self._members = [(row["id"], one["uri"]) for row, one in zip(rows, people, strict=True)]

    def _memberships(self) -> Iterator[dict[str, Any]]:
        ids = self._connection.execute(select(group.c.id).order_by(group.c.id)).scalars().all()
        for member_id, _ in self._members:
            for group_id in {ids[0], *self._chance.sample(ids[1:], 2)}:
                row = {"id": self._next(), "group_id": group_id, "member_id": member_id}
                yield {**row, "role": "member", "joined_at": self._now}

    def _sentence(self) -> str:
        chance = self._chance
        return f"{chance.choice(DOINGS)} a {chance.choice(THINGS + THINGS_MORE)} {chance.choice(WITH)}"

    def _position(self) -> tuple[float, float]:
        lat, lon = (one + self._chance.gauss(0, SPREAD_DEGREES / 2) for one in CENTRE)
        return approximate(lat, lon)

    def _abilities(self) -> None:
        skills: list[dict[str, Any]] = []
        windows, helpers, spoken = [], [], []
        for member_id, _ in self._members:
            for _ in range(self._chance.randint(0, 4)):
                title, at = self._sentence(), {"created_at": self._now, "updated_at": self._now}
                row = {"id": self._next(), "member_id": member_id, "title": title, "details": "", "group_id": None}
                skills.append({**row, "category": self._chance.choice(CATEGORIES), "visibility": "network", **at})
            for weekday in self._chance.sample(range(7), self._chance.randint(1, 4)):
                start = self._chance.choice([480, 600, 840, 1020])
                windows.append(
                    {"member_id": member_id, "weekday": weekday, "start_minute": start, "end_minute": start + 180}
                )
            lat, lon = self._position()
            helpers.append(
                {
                    "member_id": member_id,
                    "contact": "message",
                    "place": "",
                    "lat": lat,
                    "lon": lon,
                    "travel_km": self._chance.choice([None, 2, 5, 10]),
                    "monthly_minutes_max": None,
                    "may_be_asked": True,
                    "updated_at": self._now,
                }
            )
            for language in {"en", self._chance.choice(LANGUAGES)}:
                spoken.append({"member_id": member_id, "language": language})
        self._put(skill, skills)
        words = ({"term": term, "skill_id": one["id"]} for one in skills for term in sorted(terms(one["title"] + "\n")))
        self._put(skill_term, words)
        for table, rows in ((free_window, windows), (helper_preference, helpers), (spoken_language, spoken)):
            self._put(table, rows)

    def _neighbours(self, board: str) -> list[str]:
        found = [f"https://town{number}.example/groups/board" for number in range(NEIGHBOURS)]
        for uri in found:
            host = uri.split("/")[2]
            row = {"id": self._next(), "uri": uri, "host": host, "type": "Group", "handle": "board", "name": host}
            more = {"page": uri, "inbox": f"{uri}/inbox", "document": "{}", "indexable": True, "discoverable": True}
            self._connection.execute(insert(remote_actor).values({**row, **more, "fetched_at": self._now}))
            asked = {"id": self._next(), "follower": board, "followee": uri, "state": "accepted"}
            activity = f"{self._names.origin}/activities/{asked['id']}"
            self._connection.execute(insert(follow).values({**asked, "activity_id": activity, "created_at": self._now}))
        return found

    def _listings(self, boards: Sequence[tuple[int, str]], neighbours: Sequence[str]) -> None:
        rows = [self._listing(number, boards, neighbours) for number in range(self._size.listings)]
        self._put(listing, rows)
        texts = (
            {"listing_id": one["id"], "words": searched(one["title"], one["description"], one["place"])} for one in rows
        )
        self._put(listing_search, texts)
        alive = [one for one in rows if one["state"] in TAKES_RESPONSES]
        words = (
            {"term": term, "kind": one["kind"], "listing_id": one["id"]}
            for one in alive
            for term in sorted({*terms(f"{one['title']}\n{one['description']}"), term_of_kind(one["category"])})
        )
        self._put(listing_term, words)

    def _listing(self, number: int, boards: Sequence[tuple[int, str]], neighbours: Sequence[str]) -> dict[str, Any]:
        chance, listing_id = self._chance, self._next()
        local = chance.random() > FROM_ELSEWHERE
        _, author = chance.choice(self._members)
        board = (
            (boards[0][1] if chance.random() < 0.7 else chance.choice(boards)[1])
            if local
            else chance.choice(neighbours)
        )
        origin = "/".join(board.split("/")[:3])
        uri = f"{origin}/listings/{listing_id}"
        lat, lon = self._position() if chance.random() < 0.8 else (None, None)
        starts = self._now + timedelta(days=chance.randint(1, 20), hours=chance.randint(0, 10))
        at = self._now - timedelta(minutes=self._size.listings - number)
        states = [ListingState.OPEN] * 12 + [ListingState.PARTLY_FILLED, ListingState.FILLED, ListingState.DONE]
        return {
            "id": listing_id,
            "uri": uri,
            "board_actor": board,
            "author_actor": board,
            "author_member_id": self._members_id(author) if local else None,
            "member_actor": author if local else None,
            "host": origin.partition("://")[2],
            "page": uri,
            "local": local,
            "hidden": False,
            "kind": chance.choice([Kind.REQUEST, Kind.REQUEST, Kind.OFFER]),
            "title": f"Help to {self._sentence()}",
            "description": f"We would like to {self._sentence()}, and perhaps {self._sentence()}.",
            "content_html": "",
            "warning": "",
            "category": chance.choice(CATEGORIES),
            "starts_at": starts if chance.random() < 0.6 else None,
            "ends_at": None,
            "time_zone": "Europe/London",
            "place": f"near {chance.choice(STREETS)} Street" if lat is not None else "",
            "lat": lat,
            "lon": lon,
            "radius_m": 500 if lat is not None else None,
            "minutes": chance.choice([30, 60, 90, 120]),
            "people": chance.choice([1, 1, 1, 2, 3]),
            "mode": Mode.HOURS,
            "primary_uri": f"{uri}#primary",
            "reciprocal_uri": f"{uri}#reciprocal",
            "state": chance.choice(states),
            "expires_at": self._now + timedelta(days=chance.randint(1, 60)),
            "published_at": at,
            "updated_at": at,
            "urgent": chance.random() < 0.05,
            "rhythm": Rhythm.ONCE,
            "visibility": chance.choice([Visibility.EVERYBODY] * 8 + [Visibility.MEMBERS])
            if local
            else Visibility.EVERYBODY,
        }

    def _members_id(self, actor: str) -> int:
        return self._members[int(actor.rpartition("person")[2])][0]
