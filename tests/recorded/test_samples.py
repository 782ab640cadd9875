"""What we emit, against the ready samples of wire.md (tests/vectors/samples): the same, field by field, but for what a
table here names with the reason. A difference that is not in the table fails, and so does a line that is no longer one.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from fedaid.board import commands, queries
from fedaid.board.queries import Listing
from fedaid.board.rules import Kind
from tests.activitypub.vectors import sample
from tests.board.world import follow_board
from tests.recorded.town import BOARD, Server, Town
from tests.small_house import NORTH

pytestmark = pytest.mark.anyio
BEN = "https://masto.example/users/carol"

OWN_ID = "ids are paths of our own and carry no meaning"

# What a listing has beside or unlike the sample, and why.
NOTE: Mapping[str, str] = {
    "content": "facts stand in the first paragraph, with how to answer below, as aid-on-the-wire.md asks",
    "contentMap.en": "is the content itself; the sample only points at it",
    "cc.1": "the board itself, for servers that deliver to whom they see addressed (FEP-1b12)",
    "tag.1.type": "the board mentions itself, or Mastodon's replies would not reach it",
    "tag.1.href": "the board mentions itself, or Mastodon's replies would not reach it",
    "tag.1.name": "the board mentions itself, or Mastodon's replies would not reach it",
    "hasEnd": "until when the listing stands",
    "publishes.receiver": "FEP-0837 tells a request from an offer by its receiver or provider",
    "publishes.hasBeginning": "when the help is wanted, also for Valueflows readers",
    "publishes.hasEnd": "when the help is wanted, also for Valueflows readers",
    "publishes.effortQuantity.hasUnit": "hours of effort, for readers that look there",
    "publishes.effortQuantity.hasNumericalValue": "hours of effort, for readers that look there",
    "publishes.resourceConformsTo": OWN_ID,
    "reciprocal.provider": "FEP-0837 tells a request from an offer by its receiver or provider",
    "reciprocal.resourceConformsTo": "hours of this network's ledger",
    "unitBased": "false is its default (FEP-0837)",
    "replies.type": "answers are for the author of a listing, so a listing does not lead to them",
    "replies.id": "answers are for the author of a listing, so a listing does not lead to them",
    "replies.first.type": "answers are for the author of a listing, so a listing does not lead to them",
    "replies.first.partOf": "answers are for the author of a listing, so a listing does not lead to them",
    "replies.first.items": "answers are for the author of a listing, so a listing does not lead to them",
    "likes.type": "favourites are counted nowhere in public",
    "likes.id": "favourites are counted nowhere in public",
    "likes.totalItems": "favourites are counted nowhere in public",
    "shares.type": "favourites are counted nowhere in public",
    "shares.id": "favourites are counted nowhere in public",
    "shares.totalItems": "favourites are counted nowhere in public",
}
INSIDE = {f"object.{path}": why for path, why in NOTE.items()}
AUDIENCE = {"cc.1": NOTE["cc.1"]}


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """The leaves of a document by their paths; contexts are one leaf."""
    if isinstance(value, Mapping) and value and not path.endswith("@context"):
        return {leaf: found for key in value for leaf, found in flat(value[key], f"{path}.{key}".lstrip(".")).items()}
    if isinstance(value, list) and value and not path.endswith("@context"):
        return {leaf: found for n, one in enumerate(value) for leaf, found in flat(one, f"{path}.{n}").items()}
    return {path: value}


# Contexts differ in every document: ours hold more terms, all inline; tests/activitypub says what they mean.


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> set[str]:
    mine, wanted = flat(ours), flat(theirs)
    return {path for path in mine.keys() | wanted.keys() if mine.get(path, "(none)") != wanted.get(path, "(none)")}


def adapted(name: str, **more: str) -> dict[str, Any]:
    """The sample with our names in place of the ones it was written with."""
    text = json.dumps(sample(name), ensure_ascii=False)
    usual = {
        "https://north.example/boards/moving": BOARD,
        "https://north.example/@moving": f"{NORTH}/@board",
        "moving@north.example": "board@northside.example",
        "https://north.example": NORTH,
        "https://south.example/users/ben": BEN,
        "https://masto.example/6cf3e2f2-1": "https://masto.example/6cf3e2f2-1",
    }
    for before, after in {**more, **{name: usual[name] for name in usual if name not in more}}.items():
        text = text.replace(before, after)
    return dict(json.loads(text))


@pytest.fixture
def carol(town: Town) -> Server:
    town.clock.at = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)
    return town.servers["mastodon_4_5"]


async def listed(town: Town, **changes: Any) -> Listing:
    return await town.list_something(
        title="Help moving furniture on Saturday",
        description="",
        starts_at=datetime(2026, 11, 14, 10, 0, tzinfo=UTC),
        ends_at=datetime(2026, 11, 14, 12, 0, tzinfo=UTC),
        expires_at=datetime(2026, 11, 14, 12, 0, tzinfo=UTC),
        place="Northside",
        lat=None,
        lon=None,
        kind=Kind.REQUEST,
        **changes,
    )


def proposal(listing: Listing) -> dict[str, str]:
    return {
        "https://north.example/proposals/01JD5": listing.uri,
        "https://north.example/p/01JD5": listing.page,
    }


async def test_a_listing(town: Town, carol: Server) -> None:
    listing = await listed(town)
    ours = (await town.get(listing.uri)).json()
    assert differences(ours, adapted("aid-note", **proposal(listing))) == {"@context", *NOTE}


async def test_the_create_of_a_listing(town: Town, carol: Server) -> None:
    listing = await listed(town)
    (ours,) = town.in_outbox()
    found = differences(ours, adapted("create-aid-note", **proposal(listing)))
    assert found == {"@context", "id", *AUDIENCE, *INSIDE}


async def test_the_update_of_a_listing_that_is_filled(town: Town, carol: Server) -> None:
    listing = await listed(town)
    town.clock.at = datetime(2026, 11, 14, 9, 0, tzinfo=UTC)
    with town.instance.units.begin() as work:
        commands.respond(work, town.bea, listing.id, "Me")
    (answer,) = town.answers(listing)
    town.clock.at = datetime(2026, 11, 14, 13, 0, tzinfo=UTC)
    with town.instance.units.begin() as work:
        commands.accept_response(work, town.ana, answer.id)
    ours = town.in_outbox()[-1]
    more = {
        "published": "when it was said",
        "object.publishes.finished": "Valueflows' own word for filled",
    }
    found = differences(ours, adapted("update-closed", **proposal(listing)))
    assert found == {"@context", "id", *AUDIENCE, *INSIDE, *more}


async def test_the_delete_of_a_listing(town: Town, carol: Server) -> None:
    listing = await listed(town)
    with town.instance.units.begin() as work:
        commands.withdraw_listing(work, town.ana, listing.id)
    ours = town.in_outbox()[-1]
    more = {
        "published": "when it was said",
        "cc.0": "those who follow the board hear of it",
        "cc.1": NOTE["cc.1"],
        "object.formerType": "what stood there (AS2, Tombstone)",
        "object.deleted": "when it went (AS2, Tombstone)",
    }
    assert differences(ours, adapted("delete", **proposal(listing))) == {"@context", "id", *more}


async def test_the_announcement_of_a_members_listing(town: Town, carol: Server) -> None:
    town.clock.at = datetime(2026, 11, 10, 9, 1, tzinfo=UTC)
    listing = await listed(town, own_name=True)
    ours = town.in_outbox()[-1]
    theirs = adapted(
        "announce-member-note",
        **{"https://south.example/notes/42": listing.uri, "https://south.example/users/ben": town.ana.actor},
    )
    assert differences(ours, theirs) == {"id"}


async def test_the_accept_of_a_follow(town: Town, carol: Server) -> None:
    body = adapted("mastodon-follow")
    assert await town.post(carol, f"{BOARD}/inbox", body) == 202
    (ours,) = town.sent_to(carol)
    assert differences(ours, adapted("accept-follow")) == {"id"}


async def test_the_board(town: Town, carol: Server) -> None:
    ours = (await town.get(BOARD)).json()
    theirs = adapted("board-actor")
    different = {
        "name": "the neighbourhood's own",
        "summary": "the neighbourhood's own",
        "published": "the day it was founded",
        "icon.type": "boards have no pictures yet",
        "icon.mediaType": "boards have no pictures yet",
        "icon.url": "boards have no pictures yet",
        "attachment.0.type": "a board says its place in its summary",
        "attachment.0.name": "a board says its place in its summary",
        "attachment.0.value": "a board says its place in its summary",
        "publicKey.publicKeyPem": "the key is its own",
        "assertionMethod.0.publicKeyMultibase": "the key is its own",
    }
    if ours["preferredUsername"] != theirs["preferredUsername"]:
        different["preferredUsername"] = "its own handle"
    assert differences(ours, theirs) == {"@context", *different}


async def test_webfinger_and_nodeinfo(town: Town) -> None:
    board = (await town.get("/.well-known/webfinger?resource=acct:board@northside.example")).json()
    different = {
        f"links.2.{name}": "no page of ours takes a visitor back to their own server" for name in ("rel", "template")
    }
    assert differences(board, adapted("webfinger-board.jrd")) == {*different}
    server = (await town.get(f"/.well-known/webfinger?resource={NORTH}/")).json()
    assert differences(server, adapted("webfinger-server-fep-d556.jrd")) == set()
    nodeinfo = (await town.get("/.well-known/nodeinfo")).json()
    assert differences(nodeinfo, adapted("nodeinfo-wellknown")) == set()


async def offered(town: Town, carol: Server, listing: Listing) -> dict[str, Any]:
    """The sample's Offer of an Agreement, by Carol, about our listing."""
    offer = adapted("offer-agreement", **proposal(listing), **{"https://south.example/offers/9": f"{BEN}/offers/9"})
    assert await town.post(carol, f"{BOARD}/inbox", offer) == 202
    return offer


async def test_the_accept_of_an_offer_of_help(town: Town, carol: Server) -> None:
    listing = await listed(town)
    await offered(town, carol, listing)
    (answer,) = town.answers(listing)
    assert (answer.form, answer.minutes) == ("offer", 120)
    with town.instance.units.begin() as work:
        match_id = commands.accept_response(work, town.ana, answer.id)
    ours = next(one for one in town.in_outbox() if one["type"] == "Accept")
    agreement = f"{NORTH}/agreements/{match_id}"
    theirs = adapted(
        "accept-agreement",
        **{
            **proposal(listing),
            "https://south.example/offers/9": f"{BEN}/offers/9",
            "https://north.example/agreements/01JD9/accept": ours["id"],
            "https://north.example/agreements/01JD9": agreement,
        },
    )
    named = "the two people are named here for the first time, for their two networks alone"
    different = {
        f"result.{part}.{name}": named
        for part in ("stipulates", "stipulatesReciprocal")
        for name in ("action", "provider", "receiver")
    }
    assert differences(ours, theirs) == {"@context", *different}


async def test_the_rejection_of_an_offer_of_help(town: Town, carol: Server) -> None:
    listing = await listed(town)
    await offered(town, carol, listing)
    (answer,) = town.answers(listing)
    with town.instance.units.begin() as work:
        commands.decline_response(work, town.ana, answer.id, "Already found help")
    ours = town.in_outbox()[-1]
    theirs = adapted("reject-agreement", **{"https://south.example/offers/9": f"{BEN}/offers/9"})
    assert differences(ours, theirs) == {"@context", "id"}


async def test_our_own_offer_of_help(town: Town, carol: Server) -> None:
    """Bea answers the sample's listing, as a neighbouring board shows it."""
    note = adapted("aid-note")
    text = json.dumps(note).replace(NORTH, "https://masto.example").replace(f"{BEN}", BEN)
    theirs = json.loads(text.replace("https://masto.example/groups/board", BEN))
    with town.instance.units.begin() as work:
        follow_board(work, BEN)
    create = {
        "@context": note["@context"],
        "id": f"{BEN}/create/1",
        "type": "Create",
        "actor": BEN,
        "to": theirs["to"],
        "object": theirs,
    }
    town.clock.at = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
    assert await town.post(carol, f"{BOARD}/inbox", create) == 202
    with town.instance.units.begin() as work:
        found = queries.listing_by_uri(work.connection, theirs["id"])
        assert found is not None
        commands.respond(work, town.bea, found.id, "")
    ours = town.in_outbox()[-1]
    wanted = sample("offer-agreement")
    text = orjson.dumps(wanted).decode().replace("https://north.example/proposals/01JD5", theirs["id"])
    text = text.replace("https://north.example/boards/moving", BEN)
    wanted = json.loads(text.replace("https://south.example/users/ben", town.bea.actor))
    assert differences(ours, wanted) == {"@context", "id", "published"}
