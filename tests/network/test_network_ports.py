"""Both doors and every fetch ask the same question; the timebanks' letters are the one thing that passes a block."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from activitypub.client import Client, FetchLimits
from activitypub.documents import parse_activity
from activitypub.errors import FetchFailed
from activitypub.signatures.authentic import Proof, restored
from fedaid.actors import commands as actors
from fedaid.actors.rules import Kind as ActorKind
from fedaid.foundation.federation import Federation
from fedaid.foundation.refused import Refused
from fedaid.foundation.work import UnitsOfWork
from fedaid.network import commands
from fedaid.network.commands.restrictions import announcers
from fedaid.network.ports import Doorkeeper, LedgerPassage
from fedaid.network.rules.restrictions import Severity, Terms, chosen_target
from inbox.ports import Letter
from tests.network.test_network import FACTS
from tests.small_house import NORTH, RIVER, RULES, START, SmallHouse, remote_actor, remote_document, some_keys

EVIL = "https://evil.example"
EVE, BEN, CAROL = f"{EVIL}/users/eve", f"{RIVER}/users/ben", "https://masto.example/users/carol"
LEDGER, RIVER_LEDGER = f"{NORTH}/ledger", f"{RIVER}/ledger"
LISTING = f"{NORTH}/listings/1"
LEDGER_INBOX = "/ledger/inbox"
BLOCK, LIMIT = Terms(Severity.BLOCK), Terms(Severity.LIMIT)


def doors(house: SmallHouse, federation: Federation = Federation.OPEN) -> Doorkeeper:
    """With Riverside's timebank agreed with."""
    agreed = {"riverside.example": RIVER_LEDGER}
    passage = LedgerPassage(LEDGER_INBOX, frozenset({"Offer", "Accept"}), lambda connection, host: agreed.get(host))
    return Doorkeeper(house.database, house.names, federation, passage)


def lay(house: SmallHouse, name: str, terms: Terms = BLOCK) -> None:
    with house.units.begin() as work:
        commands.restrict(work, chosen_target(name), terms)


def activity(actor: str, kind: str, about: object, **more: Any) -> dict[str, Any]:
    origin = "/".join(actor.split("/")[:3])
    return {"id": f"{origin}/activities/1", "type": kind, "actor": actor, "object": about, **more}


def letter(document: Mapping[str, Any], inbox: str = "/inbox") -> Letter:
    parsed = parse_activity(document, RULES)
    return Letter(restored(parsed.actor, f"{parsed.actor}#main-key", Proof.DRAFT_CAVAGE, START), parsed, inbox)


def code(house: SmallHouse, document: Mapping[str, Any], inbox: str = "/inbox", **mode: Federation) -> str | None:
    found = doors(house, **mode).unwelcome_letters([letter(document, inbox)])[0]
    return found.code if found is not None else None


# what comes in


def test_a_blocked_host_is_told_so_and_a_blocked_actor_is_not(house: SmallHouse) -> None:
    lay(house, "evil.example")
    lay(house, CAROL)
    for who in (EVIL, EVE, f"{EVE}/key", "https://sub.evil.example/users/eve"):
        told = doors(house).unwelcome(who, "/inbox")
        assert told is not None
        assert (told.code, told.silent) == ("blocked", False)
    alone = doors(house).unwelcome(CAROL, "/inbox")
    assert alone is not None
    assert alone.silent
    assert doors(house).unwelcome("https://masto.example", "/inbox") is None


def test_somebody_limited_is_heard(house: SmallHouse) -> None:
    lay(house, "evil.example", LIMIT)
    assert doors(house).unwelcome(EVE, "/inbox") is None
    assert code(house, activity(EVE, "Like", LISTING)) is None


def test_a_network_of_neighbours_hears_only_them(house: SmallHouse) -> None:
    closed = doors(house, Federation.NEIGHBOURS)
    told = closed.unwelcome(CAROL, "/inbox")
    assert told is not None
    assert (told.code, told.silent) == ("not_a_neighbour", False)
    with house.units.begin() as work:
        commands.propose(work, FACTS)
    assert closed.unwelcome(BEN, "/inbox") is None


# S48
@pytest.mark.parametrize(
    ("document", "refused"),
    [
        (activity(BEN, "Like", LISTING), False),
        (activity(BEN, "Announce", f"{EVIL}/notes/1"), True),
        (activity(BEN, "Announce", f"{RIVER}/notes/1"), False),
        (activity(BEN, "Announce", {"id": f"{RIVER}/a/1", "type": "Create", "object": f"{EVIL}/notes/1"}), True),
        (activity(BEN, "Announce", {"type": "Create", "actor": EVE, "object": {"type": "Note"}}), True),
        (activity(BEN, "Announce", {"type": "Create", "object": {"type": "Note", "attributedTo": [EVE]}}), True),
        (activity(BEN, "Create", {"id": f"{RIVER}/notes/1", "attributedTo": EVE}), True),
        (activity(BEN, "Create", {"id": f"{RIVER}/notes/1", "inReplyTo": f"{EVIL}/notes/1"}), True),
        (activity(BEN, "Create", {"id": f"{RIVER}/notes/1", "inReplyTo": [LISTING, f"{EVIL}/notes/1"]}), True),
        (activity(BEN, "Create", {"id": f"{RIVER}/notes/1", "inReplyTo": LISTING}), False),
        (activity(BEN, "Move", BEN, target=EVE), True),
        (activity(BEN, "Create", {"tag": [{"type": "Mention", "href": EVE}]}), True),
        (activity(BEN, "Create", {"tag": {"type": "Mention", "href": f"{EVIL}/users/ed"}}), True),
        (activity(BEN, "Create", {"tag": [{"type": "Hashtag", "href": f"{EVIL}/tags/moving"}]}), False),
        (activity(BEN, "Create", {"tag": ["x"]}, tag=[{"type": "Mention", "href": EVE}]), True),
        (activity("https://sub.evil.example/users/ed", "Like", LISTING), True),
    ],
)
def test_a_letter_about_somebody_shut_out_is_refused_whoever_brings_it(
    house: SmallHouse, document: Mapping[str, Any], refused: bool
) -> None:
    lay(house, "evil.example")
    assert (code(house, document) == "blocked") is refused


@pytest.mark.attack("S48")
def test_a_single_blocked_actor_does_not_come_back_through_others_of_the_same_server(house: SmallHouse) -> None:
    """S48: the ban of one person, and an update by her of something unknown."""
    lay(house, EVE)
    ed = f"{EVIL}/users/ed"
    assert code(house, activity(EVE, "Update", {"id": f"{EVIL}/notes/9", "attributedTo": EVE})) == "blocked"
    assert code(house, activity(ed, "Announce", {"id": f"{EVIL}/notes/9", "attributedTo": EVE})) == "blocked"
    assert code(house, activity(ed, "Like", LISTING)) is None


def test_a_neighbour_brings_nothing_of_strangers_but_may_name_them(house: SmallHouse) -> None:
    with house.units.begin() as work:
        commands.propose(work, FACTS)
    closed = {"federation": Federation.NEIGHBOURS}
    assert code(house, activity(BEN, "Announce", "https://masto.example/notes/1"), **closed) == "not_a_neighbour"
    mention = {"tag": [{"type": "Mention", "href": CAROL}]}
    assert code(house, activity(BEN, "Create", mention), **closed) is None


# the ledger's passage


OFFER = activity(RIVER_LEDGER, "Offer", {"type": "Agreement"}, to=[LEDGER])


@pytest.mark.parametrize("federation", Federation)
def test_the_ledger_of_an_agreed_network_is_heard_at_our_ledger_although_it_is_shut_out(
    house: SmallHouse, federation: Federation
) -> None:
    lay(house, "riverside.example")
    keeper = doors(house, federation)
    assert keeper.unwelcome(RIVER_LEDGER, LEDGER_INBOX) is None
    assert keeper.unwelcome_letters([letter(OFFER, LEDGER_INBOX)]) == [None]


@pytest.mark.parametrize(
    ("document", "inbox"),
    [
        (OFFER, "/inbox"),
        (OFFER, "/groups/board/inbox"),
        ({**OFFER, "actor": BEN}, LEDGER_INBOX),
        ({**OFFER, "actor": f"{RIVER}/ledger/x"}, LEDGER_INBOX),
        ({**OFFER, "to": [f"{NORTH}/groups/board"]}, LEDGER_INBOX),
        ({**OFFER, "to": [LEDGER, f"{NORTH}/groups/board"]}, LEDGER_INBOX),
        ({**OFFER, "to": []}, LEDGER_INBOX),
        ({**OFFER, "type": "Follow", "object": f"{NORTH}/groups/board"}, LEDGER_INBOX),
        ({**OFFER, "type": "Flag", "object": LISTING}, LEDGER_INBOX),
        (activity(f"{EVIL}/ledger", "Offer", {"type": "Agreement"}, to=[LEDGER]), LEDGER_INBOX),
    ],
)
def test_nothing_else_passes_a_block_by_way_of_the_ledger(
    house: SmallHouse, document: Mapping[str, Any], inbox: str
) -> None:
    lay(house, "riverside.example")
    lay(house, "evil.example")
    assert code(house, document, inbox) == "blocked"


def test_before_a_letter_is_proved_only_the_ledgers_own_key_opens_the_passage(house: SmallHouse) -> None:
    lay(house, "riverside.example")
    keeper = doors(house)
    for who, inbox in ((RIVER, LEDGER_INBOX), (BEN, LEDGER_INBOX), (RIVER_LEDGER, "/inbox"), (EVE, LEDGER_INBOX)):
        assert (keeper.unwelcome(who, inbox) is None) is (who == EVE)


# what goes out


def refused(house: SmallHouse, sender: str, *recipients: str, **mode: Federation) -> frozenset[str]:
    with house.database.read() as connection:
        return doors(house, **mode).refused(connection, sender, recipients)


def test_nothing_is_sent_to_who_is_shut_out_but_ledger_to_ledger(house: SmallHouse) -> None:
    ana, inbox = f"{NORTH}/users/ana", f"{RIVER}/inbox"
    with house.units.begin() as work:
        actors.remember(work, remote_actor(RIVER_LEDGER, "Service", inbox=f"{RIVER}/post/ledger"))
    lay(house, "riverside.example")
    lay(house, EVE)
    ledgers = f"{RIVER}/post/ledger"
    assert refused(house, ana, BEN, inbox, RIVER_LEDGER, EVE, CAROL) == {BEN, inbox, RIVER_LEDGER, EVE}
    assert refused(house, LEDGER, BEN, inbox, RIVER_LEDGER, ledgers, EVE) == {BEN, inbox, EVE}
    assert refused(house, ana, CAROL, federation=Federation.NEIGHBOURS) == {CAROL}


def test_nobody_shut_out_is_followed(house: SmallHouse) -> None:
    told = {**announcers(Federation.NEIGHBOURS)}
    units = UnitsOfWork(house.database, house.clock, house.names, told)
    with units.begin() as work:
        actors.create_actor(work, ActorKind.GROUP, "board", keys=some_keys())
    with pytest.raises(Refused) as refusal, units.begin() as work:
        actors.follow(work, f"{NORTH}/groups/board", CAROL)
    assert (refusal.value.code, refusal.value.status) == ("not_a_neighbour", 403)


# what is fetched


class Web(httpx2.AsyncBaseTransport):
    """Every server in one: documents and redirects by address, and what was asked for."""

    def __init__(self, pages: Mapping[str, object]) -> None:
        self.pages = pages
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(str(request.url))
        page = self.pages.get(str(request.url))
        if isinstance(page, str):
            return httpx2.Response(302, headers={"location": page})
        if page is None:
            return httpx2.Response(404)
        body = httpx2.ByteStream(json.dumps(page).encode())
        return httpx2.Response(200, headers={"content-type": "application/activity+json"}, stream=body)


def fetch(house: SmallHouse, web: Web, url: str) -> Mapping[str, Any]:
    client = Client(RULES, FetchLimits(), transport=web, vet=doors(house).vet)

    async def ask() -> Mapping[str, Any]:
        return (await client.fetch(url)).document

    return asyncio.run(ask())


# S48, S03
@pytest.mark.parametrize(
    ("url", "asked"),
    [
        (EVE, []),
        ("https://sub.evil.example/users/eve", []),
        (CAROL, []),
        (f"{RIVER}/away", [f"{RIVER}/away"]),
        (f"{RIVER}/other", [f"{RIVER}/other"]),
    ],
)
def test_nothing_is_fetched_from_who_is_blocked_not_even_by_a_redirect(
    house: SmallHouse, url: str, asked: list[str]
) -> None:
    lay(house, "evil.example")
    lay(house, CAROL)
    web = Web({f"{RIVER}/away": EVE, f"{RIVER}/other": remote_document(EVE), EVE: remote_document(EVE)})
    with pytest.raises(FetchFailed) as failure:
        fetch(house, web, url)
    assert (failure.value.code, failure.value.permanent) == ("blocked", True)
    assert web.asked == asked


def test_the_key_of_an_agreed_ledger_can_still_be_fetched_and_nothing_else_there(house: SmallHouse) -> None:
    lay(house, "riverside.example")
    web = Web({RIVER_LEDGER: remote_document(RIVER_LEDGER, "Service"), BEN: remote_document(BEN)})
    assert fetch(house, web, f"{RIVER_LEDGER}#main-key")["id"] == RIVER_LEDGER
    with pytest.raises(FetchFailed):
        fetch(house, web, BEN)
