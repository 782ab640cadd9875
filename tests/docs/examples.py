"""The examples of the reference, as they really crossed a wire: a story that makes every object and activity once."""

import asyncio
import json
import re
import tempfile
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import select

import inbox.tables
from activitypub.identifiers import UrlRules
from activitypub.keys import SigningKey
from activitypub.vocabulary import ACTOR_CONTEXT, LISTING_CONTEXT, TIMEBANK_CONTEXT
from fedaid.actors import commands as actors
from fedaid.actors import queries as actor_queries
from fedaid.actors.rules import Kind as ActorKind
from fedaid.admin import leaving
from fedaid.board import commands as board
from fedaid.board import queries as listings
from fedaid.board.limits import BoardLimits
from fedaid.board.rules import Kind, Mode, Posting, Visibility
from fedaid.foundation.federation import Federation
from fedaid.foundation.work import Work
from fedaid.mentions import commands as mentions
from fedaid.mentions import queries as desk
from fedaid.network import commands as network
from fedaid.network import queries as network_queries
from fedaid.timebank import commands as timebank
from fedaid.timebank import queries, rows, sync
from fedaid.timebank.commands import statements
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.rules.shown import collection_of, write_page
from tests.docs.neighbourhoods import NORTH, RIVER, SOCIAL, Neighbourhood, Region, region, rsa_key
from tests.small_house import START

BOARD, RIVER_BOARD, COMMONS = f"{NORTH}/groups/board", f"{RIVER}/groups/board", f"{SOCIAL}/groups/commons"
CAROL, ANA, BEN = f"{SOCIAL}/users/carol", f"{NORTH}/users/ana", f"{RIVER}/users/ben"
NORA = f"{NORTH}/users/nora"
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
LIMITS = TimebankLimits()
JRD = {"Accept": "application/jrd+json"}
# In the pages these lists stand once and are named in the examples.
CONTEXTS = {"ACTOR_CONTEXT": ACTOR_CONTEXT, "LISTING_CONTEXT": LISTING_CONTEXT, "TIMEBANK_CONTEXT": TIMEBANK_CONTEXT}
LINE_CHARACTERS_MAX = 110
_LONG_BASE64 = re.compile(r"([A-Za-z0-9+/]{24})[A-Za-z0-9+/]{100,}=*")


Comes = Callable[[str, Mapping[str, Any]], Awaitable[None]]


@dataclass
class Examples:
    """What was seen: documents by the name under which a page shows them, and everything that was said."""

    shown: dict[str, Any] = field(default_factory=dict)
    sent: list[Mapping[str, Any]] = field(default_factory=list)

    def pick(self, town: Neighbourhood, **names: str) -> None:
        """Takes what a neighbourhood said since the last time; ``name="Type"`` shows the first of that type."""
        said = town.said()
        self.sent += said
        for name, kind in names.items():
            self.shown[name.replace("_", "-")] = next(one for one in said if one["type"] == kind)


@cache
def examples() -> Examples:
    """All examples; made once in a process."""
    return asyncio.run(_story())


async def _story() -> Examples:
    seen = Examples()
    with tempfile.TemporaryDirectory() as folder:
        async with region(Path(folder)) as towns:
            await _discovery(towns, seen)
            await _peering(towns, seen)
            await _listing(towns, seen)
            await _hours(towns, seen)
            await _statement(towns, seen)
            _copy(towns, seen)
            await _new_key(towns, seen)
            await _fediverse(towns, seen)
            await _moving(towns, seen)
            await _to_neighbours(towns, seen)
            await _endings(towns, seen)
    return seen


async def _discovery(towns: Region, seen: Examples) -> None:
    north = towns.north
    for name, path in (
        ("person", "/users/ana"),
        ("board", "/groups/board"),
        ("server", "/actor"),
        ("ledger", "/ledger"),
    ):
        seen.shown[name] = await north.document(f"{NORTH}{path}")
    for name, resource in (("webfinger-board", "acct:board@northside.example"), ("webfinger-server", f"{NORTH}/")):
        seen.shown[name] = await north.document(f"{NORTH}/.well-known/webfinger?resource={resource}", JRD)
    seen.shown["nodeinfo-links"] = await north.document(f"{NORTH}/.well-known/nodeinfo", {})
    seen.shown["nodeinfo"] = await north.document(f"{NORTH}/nodeinfo/2.1", {})


async def _peering(towns: Region, seen: Examples) -> None:
    north, river = towns.north, towns.river
    await north.instance.desk.propose("riverside.example", 20)
    await towns.settle()
    seen.pick(north, peering_offer="Offer")
    await river.instance.desk.accept("northside.example", 20)
    await towns.settle()
    seen.pick(river, peering_accept="Accept")
    seen.pick(north, follow="Follow", accept_follow="Accept")
    seen.shown["followers"] = await north.document(f"{BOARD}/followers?page=true")


def _posting(**changes: Any) -> Posting:
    values: dict[str, Any] = {
        "kind": Kind.REQUEST,
        "title": "Help moving a sofa down two floors",
        "description": "Two people needed, the stairs are narrow.",
        "category": "moving",
        "starts_at": START + timedelta(days=4),
        "ends_at": START + timedelta(days=4, hours=2),
        "place": "near Rose Street",
        "lat": 51.5203,
        "lon": -0.0899,
        "minutes": 120,
        "mode": Mode.HOURS,
        "people": 2,
        "expires_at": START + timedelta(days=14),
        "time_zone": "Europe/London",
    }
    return Posting(**{**values, **changes})


def _post(town: Neighbourhood, handle: str, **changes: Any) -> int:
    with town.instance.units.begin() as work:
        return board.post_listing(work, town.people[handle], f"{town.origin}/groups/board", _posting(**changes))


def _respond(town: Neighbourhood, handle: str, listing_uri: str) -> int:
    with town.instance.units.begin() as work:
        found = listings.listing_by_uri(work.connection, listing_uri)
        assert found is not None
        return board.respond(work, town.people[handle], found.id, "I can come at ten, with straps.")


def _response_at(town: Neighbourhood, uri: str) -> int:
    with town.instance.database.read() as connection:
        found = listings.response_by_uri(connection, uri)
    assert found is not None
    return found.id


async def _listing(towns: Region, seen: Examples) -> None:
    north, river = towns.north, towns.river
    number = _post(north, "ana")
    uri = f"{NORTH}/listings/{number}"
    await towns.settle()
    seen.pick(north, create_listing="Create")
    seen.shown["outbox"] = await north.document(f"{BOARD}/outbox")
    seen.shown["featured"] = await north.document(f"{BOARD}/featured")
    for handle in ("ben", "rui"):
        _respond(river, handle, uri)
    await towns.settle()
    seen.pick(river, offer_agreement="Offer")
    ben, rui = (one["id"] for one in seen.sent[-2:])
    with north.instance.units.begin() as work:
        match_id = board.accept_response(work, north.people["ana"], _response_at(north, ben))
        board.decline_response(work, north.people["ana"], _response_at(north, rui), "One more is enough, thank you.")
    await towns.settle()
    seen.pick(north, accept_agreement="Accept", reject_agreement="Reject")
    seen.shown["agreement"] = {"@context": LISTING_CONTEXT, **seen.shown["accept-agreement"]["result"]}
    assert seen.shown["agreement"]["id"] == f"{NORTH}/agreements/{match_id}"
    _respond(river, "rui", uri)
    await towns.settle()
    seen.pick(river)
    with river.instance.units.begin() as work:
        board.withdraw_response(work, river.people["rui"], _response_at(river, seen.sent[-1]["id"]))
    await towns.settle()
    seen.pick(river, undo_agreement="Undo")
    await _loan(towns, seen)
    await _own_name(towns, seen)


async def _loan(towns: Region, seen: Examples) -> None:
    """Nora offers a ladder, changes her mind about the words, and then about the ladder."""
    north, nora = towns.north, towns.north.people["nora"]
    plain = {"kind": Kind.OFFER, "mode": Mode.LOAN, "minutes": None, "people": 1, "category": "tools", "place": ""}
    plain |= {"starts_at": None, "ends_at": None, "lat": None, "lon": None, "description": ""}
    number = _post(north, "nora", title="A ladder", **plain)
    await towns.settle()
    seen.pick(north)
    with north.instance.units.begin() as work:
        board.edit_listing(work, nora, number, _posting(title="A long ladder", **plain))
    await towns.settle()
    seen.pick(north, update_listing="Update")
    with north.instance.units.begin() as work:
        board.withdraw_listing(work, nora, number)
    await towns.settle()
    seen.pick(north, delete_listing="Delete")
    seen.shown["tombstone"] = await north.document(f"{NORTH}/listings/{number}")


def _key(number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"transfer {number} of the examples"))


async def _claim(towns: Region, seen: Examples, number: int, **names: str) -> str:
    """Ben claims two hours that he gave to Ana."""
    river, listing = towns.river, seen.shown["create-listing"]["object"]["id"]
    with river.instance.units.begin() as work:
        transfer = timebank.claim(
            work, LIMITS, _key(number), payee=BEN, payer=ANA, minutes=120, proposal=listing, note="The sofa is down."
        )
    await towns.settle()
    seen.pick(river, **names)
    return transfer


async def _hours(towns: Region, seen: Examples) -> None:
    north, river = towns.north, towns.river
    confirmed = await _claim(towns, seen, 1, transfer_offer="Offer")
    with north.instance.units.begin() as work:
        timebank.confirm(work, LIMITS, confirmed, ANA)
    await towns.settle()
    seen.pick(north, transfer_accept="Accept")
    seen.pick(river, transfer_receipt="Create")
    withdrawn = await _claim(towns, seen, 2)
    with river.instance.units.begin() as work:
        timebank.withdraw(work, LIMITS, withdrawn, BEN)
    await towns.settle()
    seen.pick(river, transfer_undo="Undo")
    seen.pick(north, transfer_reject="Reject")
    for number, payee in ((3, BEN), (4, f"{RIVER}/users/nobody")):
        with north.instance.units.begin() as work:
            timebank.pay(work, LIMITS, _key(number), payer=ANA, payee=payee, minutes=30)
        await towns.settle()
        seen.pick(north, **({"transfer_invite": "Invite"} if number == 3 else {}))
        seen.pick(river, **({"transfer_reject_invite": "Reject"} if number == 4 else {}))


def _peer(work: Work, ledger: str) -> rows.Peer:
    found = rows.peer_by_actor(work.connection, ledger)
    assert found
    return found


async def _statement(towns: Region, seen: Examples) -> None:
    """Northside, the first in the alphabet, says how the two stand, and Riverside agrees."""
    with towns.north.instance.units.begin() as work:
        statements.make_due(work, LIMITS, _peer(work, f"{RIVER}/ledger").id, now=True)
    await towns.settle()
    seen.pick(towns.north, statement_offer="Offer")
    seen.pick(towns.river, statement_accept="Accept")
    now = towns.clock.now()
    with towns.river.instance.database.read() as connection:
        whole = queries.dated(connection, BEN, "riverside.example", None, now)
        seen.shown["account-statement"] = queries.signed_statement(connection, f"{RIVER}/ledger", BEN, whole, now)


def _copy(towns: Region, seen: Examples) -> None:
    """What Northside shows Riverside of the messages they have in common."""
    with towns.north.instance.units.begin() as work:
        ledger, host = f"{NORTH}/ledger", "riverside.example"
        page = sync.page_for(
            work.connection, replace(LIMITS, sync_page_messages_max=1), _peer(work, f"{RIVER}/ledger"), 0
        )
    cut = write_page(collection_of(ledger, host), 0, page)
    seen.shown["facts"] = {**cut, "orderedItems": [item["id"] + ", whole" for item in cut["orderedItems"]]}


async def _new_key(towns: Region, seen: Examples) -> None:
    with towns.river.instance.units.begin() as work:
        timebank.renew_key(work, LIMITS)
    await towns.settle()
    seen.pick(towns.river, new_key="Update")


async def _own_name(towns: Region, seen: Examples) -> None:
    """Ana posts under her own name; the board announces it in both forms."""
    north = towns.north
    number = _post(north, "ana", title="Somebody to practise Portuguese with", people=1, mode=Mode.GIFT, own_name=True)
    await towns.settle()
    created, whole, short = north.said()
    assert short["object"] == f"{NORTH}/listings/{number}"
    names = ("create-listing-in-own-name", "announce-activity", "announce-listing")
    seen.shown.update(zip(names, (created, whole, short), strict=True))
    seen.sent += [created, whole, short]


async def _fediverse(towns: Region, seen: Examples) -> None:
    """Somebody on another kind of server follows, answers and leaves; a board there is followed and announces."""
    north, social = towns.north, towns.social

    async def comes(name: str, activity: Mapping[str, Any]) -> None:
        seen.shown[name] = {"@context": "https://www.w3.org/ns/activitystreams", **activity}
        answer = await social.write(north, activity)
        assert answer.status_code == 202, answer.text
        await towns.settle()
        _assert_taken(north, str(activity["id"]))

    follow = {"id": f"{CAROL}#follows/1", "type": "Follow", "actor": CAROL, "object": BOARD}
    await comes("in-follow", follow)
    seen.pick(north)
    with north.instance.units.begin() as work:
        actors.describe_actor(work, BOARD, "Northside", "What neighbours in Northside need and what they can give.")
    await towns.settle()
    seen.pick(north, update_actor="Update")
    listing = seen.shown["create-listing"]["object"]["id"]
    note = {
        "id": f"{SOCIAL}/notes/1",
        "type": "Note",
        "attributedTo": CAROL,
        "inReplyTo": listing,
        "to": [BOARD],
        "content": f'<p><a href="{BOARD}" class="u-url mention">@board</a> I have a van.</p>',
        "tag": [{"type": "Mention", "href": BOARD, "name": "@board@northside.example"}],
    }
    reply = {"id": f"{SOCIAL}/notes/1/activity", "type": "Create", "actor": CAROL, "to": [BOARD], "object": note}
    await comes("in-reply", reply)
    response = _response_at(north, note["id"])
    await _talk(towns, seen, comes, response)
    with north.instance.units.begin() as work:
        board.decline_response(work, north.people["ana"], response)
    await towns.settle()
    seen.pick(north, reply_to_message="Create")
    await _reactions(towns, seen, comes)
    await _mentions(towns, seen, comes)
    await _blocks(towns, seen, comes)
    await _reports(towns, seen, comes)
    await comes("in-undo-follow", {"id": f"{CAROL}#undo/1", "type": "Undo", "actor": CAROL, "object": follow})
    await _followed_board(towns, seen, comes)
    await _asked_first(towns, seen)
    await _conversation(towns, seen, comes)
    await comes("in-update-actor", {"id": f"{CAROL}#updates/1", "type": "Update", "actor": CAROL, "object": CAROL})
    await comes("in-delete-actor", {"id": f"{CAROL}#delete", "type": "Delete", "actor": CAROL, "object": CAROL})


def _assert_taken(town: Neighbourhood, activity_id: str) -> None:
    """An example of what comes in is one only when somebody here took it."""
    letter = inbox.tables.inbox_letter
    with town.instance.database.read() as connection:
        row = connection.execute(select(letter).where(letter.c.activity_id == activity_id)).one()
    assert row.state == inbox.tables.State.DONE, (activity_id, row.state, row.code, row.sentence)


def _created(number: int, **said: Any) -> dict[str, Any]:
    """The Create of something that Carol writes."""
    note = {"id": f"{SOCIAL}/notes/{number}", "type": "Note", "attributedTo": CAROL, **said}
    activity = {"id": f"{SOCIAL}/notes/{number}/activity", "type": "Create", "actor": CAROL}
    return {**activity, "to": note["to"], "cc": note.get("cc", []), "object": note}


def _mention() -> dict[str, str]:
    return {"type": "Mention", "href": BOARD, "name": "@board@northside.example"}


async def _talk(towns: Region, seen: Examples, comes: Comes, response: int) -> None:
    """Ana writes to Carol about her answer, and Carol writes back."""
    north = towns.north
    with north.instance.units.begin() as work:
        board.make_remark(work, north.people["ana"], response, "Is your van high enough for a wardrobe?")
    await towns.settle()
    seen.pick(north, remark="Create")
    asked = seen.shown["remark"]["object"]["id"]
    said = {"to": [BOARD], "content": "<p>@board Yes, two metres and ten.</p>", "tag": [_mention()]}
    await comes("in-remark", _created(3, inReplyTo=asked, **said))


async def _conversation(towns: Region, seen: Examples, comes: Comes) -> None:
    """Carol answers in public, which others may read at her server."""
    north, listing = towns.north, seen.shown["create-listing"]["object"]["id"]
    said = {"to": [PUBLIC], "cc": [BOARD], "content": "<p>@board My sister has straps.</p>", "tag": [_mention()]}
    await comes("in-public-reply", _created(9, inReplyTo=listing, **said))
    seen.shown["replies"] = await north.document(f"{listing}/replies")
    seen.shown["conversation"] = await north.document(f"{listing}/context")
    seen.shown["conversation-page"] = await north.document(f"{listing}/context?page=true")


async def _reactions(towns: Region, seen: Examples, comes: Comes) -> None:
    """Carol presses what her server has below a listing, and takes one back."""
    north, listing = towns.north, seen.shown["create-listing"]["object"]["id"]
    like = {"id": f"{CAROL}#likes/1", "type": "Like", "actor": CAROL, "object": listing}
    await comes("in-like", like)
    await comes("in-undo-like", {"id": f"{CAROL}#likes/1/undo", "type": "Undo", "actor": CAROL, "object": like})
    emoji = {"id": f"{CAROL}#reactions/1", "type": "EmojiReact", "actor": CAROL, "object": listing, "content": "🙌"}
    await comes("in-emoji-react", emoji)
    await comes("in-dislike", {"id": f"{CAROL}#dislikes/1", "type": "Dislike", "actor": CAROL, "object": listing})
    boost = {"id": f"{CAROL}#announces/1", "type": "Announce", "actor": CAROL, "to": [PUBLIC], "cc": [BOARD]}
    await comes("in-boost", {**boost, "object": listing})
    with north.instance.database.read() as connection:
        about = listings.listing_by_uri(connection, listing)
        assert about is not None
        assert listings.reactions(connection, north.people["ana"], about) == listings.Reactions(likes=1, boosts=1)


async def _mentions(towns: Region, seen: Examples, comes: Comes) -> None:
    """Carol writes to the board, asks it to post a request, is told of an answer, and asks once more."""
    north, nora = towns.north, towns.north.people["nora"]
    tag = [_mention()]
    await comes("in-message", _created(4, to=[BOARD], content="<p>@board Do you lend tools to Hillside?</p>", tag=tag))
    with north.instance.units.begin() as work:
        (message,) = desk.desk(work.connection, nora, "northside.example").messages
        mentions.answer_message(work, nora, message.what.id, "Gladly, if you bring them back.")
    await towns.settle()
    seen.pick(north, message_answer="Create")
    choices = [{"type": "Note", "name": day} for day in ("Saturday", "Sunday")]
    poll = _created(5, to=[PUBLIC], cc=[BOARD], content="<p>@board Which day for the street party?</p>", tag=tag)
    poll["object"] |= {"type": "Question", "oneOf": choices}
    await comes("in-question", poll)
    await _suggestion(towns, seen, comes)


async def _suggestion(towns: Region, seen: Examples, comes: Comes) -> None:
    north, nora = towns.north, towns.north.people["nora"]
    hashtag = {"type": "Hashtag", "name": "#need", "href": f"{SOCIAL}/tags/need"}
    picture = {"type": "Document", "mediaType": "image/jpeg", "url": f"{SOCIAL}/media/gutter.jpg"}
    said = {
        "to": [PUBLIC],
        "cc": [BOARD],
        "content": "<p>@board Somebody with a long ladder, my gutter leaks. #need</p>",
        "attachment": [{**picture, "name": "Water runs down a wall"}],
        "tag": [_mention(), hashtag],
    }
    await comes("in-suggestion", _created(6, **said))
    with north.instance.units.begin() as work:
        (found,) = desk.desk(work.connection, nora, "northside.example").suggestions
        title, details = mentions.proposed_words(found.what)
        listing = mentions.approve(work, nora, found.what.id, title, details, "repair", BoardLimits())
    await towns.settle()
    seen.pick(north)
    seen.shown["suggestion-approved"] = next(one for one in seen.sent if one["to"] == [CAROL] and title in str(one))
    with north.instance.units.begin() as work:
        board.respond(work, north.people["ana"], listing, "I have one of seven metres.")
    await towns.settle()
    seen.pick(north, suggestion_answered="Create")
    await comes("in-suggestion-again", _created(7, **said))
    seen.pick(north, reject_suggestion="Reject")
    assert seen.shown["reject-suggestion"]["target"] == f"{NORTH}/listings/{listing}"


async def _blocks(towns: Region, seen: Examples, comes: Comes) -> None:
    """Carol blocks Ana and takes it back; then Ana does the same."""
    north = towns.north
    block = {"id": f"{CAROL}#blocks/1", "type": "Block", "actor": CAROL, "object": ANA}
    await comes("in-block", block)
    with north.instance.database.read() as connection:
        assert actor_queries.block_between(connection, CAROL, ANA) is not None
    await comes("in-undo-block", {"id": f"{CAROL}#blocks/1/undo", "type": "Undo", "actor": CAROL, "object": block})
    with north.instance.units.begin() as work:
        assert actor_queries.block_between(work.connection, CAROL, ANA) is None
        actors.block(work, ANA, CAROL)
    await towns.settle()
    seen.pick(north, block="Block")
    with north.instance.units.begin() as work:
        actors.unblock(work, ANA, CAROL)
    await towns.settle()
    seen.pick(north, undo_block="Undo")


async def _reports(towns: Region, seen: Examples, comes: Comes) -> None:
    """Carol's server reports a listing; Ana reports what Carol wrote, and Nora passes it on."""
    north, nora = towns.north, towns.north.people["nora"]
    listing = seen.shown["create-listing"]["object"]["id"]
    flag = {
        "id": f"{SOCIAL}/flags/1",
        "type": "Flag",
        "actor": f"{SOCIAL}/actor",
        "content": "This is an advertisement.",
    }
    await comes("in-flag", {**flag, "object": [BOARD, listing]})
    with north.instance.units.begin() as work:
        (report,) = network_queries.reports(work.connection, are_open=True)
        assert (report.source, report.subject) == ("social.example", listing)
        number = network.make_report(work, north.people["ana"], f"{SOCIAL}/notes/1", CAROL, "She asked for money.")
        network.forward(work, number, "Asks for money before she comes.", nora.actor, Federation.OPEN)
    await towns.settle()
    seen.pick(north, flag="Flag")


async def _followed_board(towns: Region, seen: Examples, comes: Comes) -> None:
    """A board elsewhere whose members post under their own names."""
    north, social = towns.north, towns.social
    with north.instance.units.begin() as work:
        asked = actors.follow(work, BOARD, COMMONS)
    await towns.settle()
    seen.pick(north)
    accepted = {"id": f"{COMMONS}/accepts/1", "type": "Accept", "actor": COMMONS, "object": asked.activity_id}
    await comes("in-accept-follow", accepted)
    note = {
        "@context": LISTING_CONTEXT,
        "id": f"{SOCIAL}/notes/2",
        "type": "Note",
        "attributedTo": CAROL,
        "to": [PUBLIC],
        "purpose": "offer",
        "name": "Bread, baked on Fridays",
        "content": "<p>Bread, baked on Fridays. One loaf for each who asks.</p>",
        "publishes": {"type": "Intent", "action": "transfer", "provider": CAROL},
    }
    social.documents["/notes/2"] = note
    announced = {"id": f"{COMMONS}/announces/1", "type": "Announce", "actor": COMMONS, "to": [PUBLIC]}
    await comes("in-announce", {**announced, "object": note["id"]})
    with north.instance.database.read() as connection:
        assert listings.listing_by_uri(connection, str(note["id"])) is not None
    update = {"id": f"{SOCIAL}/notes/2/updates/1", "type": "Update", "actor": CAROL, "to": [PUBLIC]}
    edited = {**note, "name": "Bread, baked on Fridays and Sundays"}
    social.documents["/notes/2"] = edited
    whole = {**update, "object": {key: value for key, value in edited.items() if key != "@context"}}
    await comes("in-announce-activity", {**announced, "id": f"{COMMONS}/announces/2", "object": whole})
    with north.instance.database.read() as connection:
        found = listings.listing_by_uri(connection, str(note["id"]))
    assert found is not None
    assert found.title == edited["name"]


async def _asked_first(towns: Region, seen: Examples) -> None:
    """A board that approves its followers by hand declines one."""
    north, social = towns.north, towns.social
    with north.instance.units.begin() as work:
        circle = actors.create_actor(work, ActorKind.GROUP, "circle", name="Garden circle", manually_approves=True)
    answer = await social.write(
        north, {"id": f"{CAROL}#follows/2", "type": "Follow", "actor": CAROL, "object": circle.uri}
    )
    assert answer.status_code == 202
    await towns.settle()
    with north.instance.units.begin() as work:
        actors.answer_follow(work, circle.uri, CAROL, accept=False)
    await towns.settle()
    seen.pick(north, reject_follow="Reject")


async def _moving(towns: Region, seen: Examples) -> None:
    """A board elsewhere moves, a member of ours does, and another leaves for good."""
    north, social = towns.north, towns.social
    moved = {**social.documents["/groups/commons"], "id": f"{COMMONS}-2", "inbox": f"{COMMONS}-2/inbox"}
    moved |= {"preferredUsername": "commons-2", "publicKey": [], "alsoKnownAs": [COMMONS]}
    social.documents["/groups/commons-2"] = moved
    move = {"id": f"{COMMONS}/moves/1", "type": "Move", "actor": COMMONS, "object": COMMONS, "target": f"{COMMONS}-2"}
    seen.shown["in-move"] = {"@context": "https://www.w3.org/ns/activitystreams", **move}
    assert (await social.write(north, move)).status_code == 202
    await towns.settle()
    seen.pick(north)
    with north.instance.database.read() as connection:
        assert actor_queries.follow_between(connection, BOARD, f"{COMMONS}-2") is not None
    social.documents["/users/nora"] = {**moved, "id": f"{SOCIAL}/users/nora", "type": "Person", "alsoKnownAs": [NORA]}
    await north.instance.moving.move(ActorKind.PERSON, "nora", f"{SOCIAL}/users/nora")
    await towns.settle()
    seen.pick(north, move="Move")
    with north.instance.units.begin() as work:
        leaving.remove_member(work, "nora", TimebankLimits())
    await towns.settle()
    seen.pick(north, delete_actor="Delete")
    seen.shown["tombstone-actor"] = await north.document(NORA)


async def _to_neighbours(towns: Region, seen: Examples) -> None:
    """What linked networks alone are told, and are told to forget."""
    north = towns.north
    seen.pick(north)
    about = {"title": "A lift to the clinic", "description": "Mondays, for some weeks.", "mode": Mode.GIFT, "people": 1}
    number = _post(north, "ana", visibility=Visibility.NEIGHBOURS, **about)
    await towns.settle()
    seen.pick(north, create_for_neighbours="Create")
    with north.instance.units.begin() as work:
        fewer = _posting(visibility=Visibility.MEMBERS, **about)
        board.edit_listing(work, north.people["ana"], number, fewer)
    await towns.settle()
    seen.pick(north, delete_for_neighbours="Delete")


async def _endings(towns: Region, seen: Examples) -> None:
    north, river = towns.north, towns.river
    await river.instance.desk.end("northside.example")
    await towns.settle()
    said = river.said()
    seen.sent += said
    seen.shown["peering-undo"] = next(one for one in said if one["type"] == "Undo" and "/peerings/" in one["id"])
    seen.shown["undo-follow"] = next(one for one in said if one["type"] == "Undo" and "/activities/" in one["id"])
    seen.pick(north)
    await river.instance.desk.propose("northside.example", 5)
    await towns.settle()
    seen.pick(river)
    await north.instance.desk.end("riverside.example")
    await towns.settle()
    seen.pick(north, peering_reject="Reject")


def shown(name: str) -> str:
    """An example as a page shows it."""
    return f"```json\n{pretty(_named(examples().shown[name]))}\n```\n"


def context(name: str) -> str:
    """One of the contexts, in full."""
    return f"```json\n{pretty(CONTEXTS[name])}\n```\n"


def signed(sign: Callable[..., Mapping[str, str]]) -> str:
    """The head of a letter as one of the two dialects signs it."""
    key = SigningKey(f"{BOARD}#main-key", BOARD, rsa_key())
    headers = sign("POST", UrlRules().parse(f"{RIVER}/inbox"), b'{"type": "Create"}', key, START)
    shorter = {name: _LONG_BASE64.sub(r"\1…", value) for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in shorter.items()]
    return "```http\nPOST /inbox HTTP/1.1\n" + "\n".join(lines) + "\n```\n"


def _named(value: Any) -> Any:
    """The same with our own contexts by their names, and RSA keys shortened."""
    if isinstance(value, Mapping):
        return {key: _SHORTER.get(key, _named)(inner) for key, inner in value.items()}
    return [_named(inner) for inner in value] if isinstance(value, list) else value


def _name_of(found: Any) -> Any:
    return next((name for name, known in CONTEXTS.items() if known == found), found)


def _cut(pem: str) -> str:
    first, second, *_, last = pem.splitlines()
    return f"{first}\n{second}…\n{last}\n"


_SHORTER: Mapping[str, Callable[[Any], Any]] = {"@context": _name_of, "publicKeyPem": _cut}


def pretty(value: Any, indent: int = 0) -> str:
    """JSON with what fits on one line on one line."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + indent <= LINE_CHARACTERS_MAX or not isinstance(value, Mapping | list):
        return line
    pad = " " * (indent + 2)
    if isinstance(value, Mapping):
        parts: Sequence[str] = [f"{json.dumps(key)}: {pretty(inner, indent + 2)}" for key, inner in value.items()]
    else:
        parts = [pretty(inner, indent + 2) for inner in value]
    opening, closing = "{}" if isinstance(value, Mapping) else "[]"
    return f"{opening}\n" + ",\n".join(pad + part for part in parts) + f"\n{' ' * indent}{closing}"
