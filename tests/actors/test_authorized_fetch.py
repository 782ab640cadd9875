"""Reading by signed requests: what is private goes to those it is for, and nobody learns more (S16, S25, S26, S47)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from sqlalchemy import Connection
from starlette.testclient import TestClient

from activitypub.documents import is_activity_content_type, parse_actor
from activitypub.identifiers import Origin
from activitypub.keys import SigningKey
from fedaid.actors import commands, pages, queries
from fedaid.actors.ports import SignedReaders, StoredCorrespondents
from fedaid.actors.rules import Kind
from fedaid.foundation.clock import milliseconds
from inbox.authenticate import Authenticator
from inbox.keyring import Keyring
from inbox.limits import InboxLimits
from inbox.newcomers import Newcomers
from inbox.origins import Origins
from inbox.ports import Letter, Unwelcome
from inbox.readers import Readers
from outbox.limits import OutboxLimits
from outbox.queue import Outgoing, post
from tests.actors.test_actors_pages import ABOVE, AP
from tests.inbox.post import draft_get, rfc9421_get
from tests.inbox.world import Web, actor_document, signing_key
from tests.small_house import NORTH, RIVER, RULES, START, SmallHouse, browser, some_keys

HOST = "northside.example"
ANA, BOARD, SERVER = f"{NORTH}/users/ana", f"{NORTH}/groups/board", f"{NORTH}/actor"
BEN, CARL, EVE = f"{RIVER}/users/ben", f"{RIVER}/users/carl", "https://evil.example/users/eve"
LIMITS = InboxLimits()
TO_BEN, TO_FOLLOWERS, NOWHERE = "/activities/41", "/activities/42", "/activities/43"


@dataclass(frozen=True)
class Shut:
    """Doors that open to all but these hosts."""

    hosts: set[str]

    def unwelcome(self, who: str, inbox: str) -> Unwelcome | None:
        return Unwelcome("blocked", "Not here.") if RULES.parse(who).origin.netloc in self.hosts else None

    def unwelcome_letters(self, letters: Sequence[Letter]) -> Sequence[Unwelcome | None]:
        return [self.unwelcome(letter.sender.actor.text, letter.inbox) for letter in letters]

    def refused(self, connection: Connection, sender: str, recipients: Sequence[str]) -> frozenset[str]:
        return frozenset()


@dataclass
class Town:
    """Our server and the web around it, in which Ben, Carl and Eve can be asked for their keys."""

    house: SmallHouse
    web: Web = field(default_factory=Web)
    blocked: set[str] = field(default_factory=set)

    def server(self, *, secure_mode: bool = False) -> TestClient:
        correspondents = StoredCorrespondents(self.house.units, RULES, Shut(self.blocked), OutboxLimits())
        clock = self.house.clock
        newcomers = Newcomers(LIMITS, clock)
        parts = (correspondents, Keyring(correspondents, self.web, self.signer, RULES, LIMITS, clock, newcomers))
        origins = Origins(self.web, self.signer, LIMITS, clock, newcomers)
        origin = Origin("https", HOST, 443)
        authenticator = Authenticator(origin, RULES, LIMITS, *parts, origins, self.house.clock)
        readers = SignedReaders(Readers(authenticator, LIMITS))
        routes = [*pages.routes(ABOVE), pages.by_handle({})]
        return browser(self.house, routes, identify=readers, secure_mode=secure_mode)

    def signer(self) -> SigningKey:
        return signing_key(SERVER)


@pytest.fixture
def town(house: SmallHouse) -> Town:
    """Ana and the board; the board said something to Ben and something to its followers, of whom Carl is one."""
    made = Town(house)
    for actor in (BEN, CARL, EVE):
        made.web.documents[actor] = actor_document(actor)
    with house.units.begin() as work:
        for kind, handle in ((Kind.SERVER, ""), (Kind.LEDGER, ""), (Kind.GROUP, "board"), (Kind.PERSON, "ana")):
            commands.create_actor(work, kind, handle, name="Ana Nightingale", keys=some_keys())
        commands.remember(work, parse_actor(actor_document(CARL), RULES, work.now))  # as his Follow was signed
        commands.receive_follow(work, CARL, BOARD, f"{CARL}/follows/1")
        for number, outgoing in ((41, {"to": (BEN,)}), (42, {"followers_of": BOARD}), (44, {"public": True})):
            activity = {"id": house.names.activity(number), "type": "Create", "actor": BOARD, "object": {}}
            post(work.connection, Outgoing(activity, BOARD, **outgoing), milliseconds(work.now))  # type: ignore[arg-type]
    return made


def get(client: TestClient, path: str, signed: dict[str, str] | None = None) -> httpx2.Response:
    return client.get(path, headers={**AP, **(signed or {})})


def by(actor: str, path: str, **more: Any) -> dict[str, str]:
    return draft_get(path, signing_key(actor), host=HOST, **{"at": START, **more})


def likeness(answer: httpx2.Response) -> tuple[int, bytes, dict[str, str]]:
    return answer.status_code, answer.content, dict(answer.headers)


# S47


@pytest.mark.attack("S47")
def test_s47_absent_and_hidden_answer_alike_to_everybody(town: Town) -> None:
    server = town.server()
    hidden = [get(server, TO_BEN), get(server, TO_BEN, by(EVE, TO_BEN)), get(server, TO_BEN, by(CARL, TO_BEN))]
    absent = [get(server, NOWHERE), get(server, NOWHERE, by(EVE, NOWHERE)), get(server, NOWHERE, by(BEN, NOWHERE))]
    alike = {str(likeness(answer)) for answer in hidden + absent}
    assert len(alike) == 1
    assert hidden[0].status_code == 404
    assert hidden[0].headers["cache-control"] == "private, no-store"
    assert {"Signature", "Authorization", "Accept"} <= {name.strip() for name in hidden[0].headers["vary"].split(",")}


@pytest.mark.attack("S47")
def test_s47_what_it_takes_to_answer_does_not_tell_absent_from_hidden(town: Town) -> None:
    for path in (TO_BEN, NOWHERE):
        town.web.asked.clear()
        get(town.server(), path, by(EVE if path == TO_BEN else BEN, path))
        assert len(town.web.asked) == 1
    for path in (TO_BEN, NOWHERE):
        unknown = by(f"{RIVER}/users/nobody", path)
        assert get(town.server(), path, unknown).status_code == 401


@pytest.mark.parametrize("sign", [draft_get, rfc9421_get])
def test_what_is_private_is_read_by_those_it_was_sent_to(town: Town, sign: Any) -> None:
    answer = get(town.server(), TO_BEN, sign(TO_BEN, signing_key(BEN), host=HOST, at=START))
    assert (answer.status_code, answer.json()["id"]) == (200, f"{NORTH}{TO_BEN}")
    assert is_activity_content_type(answer.headers["content-type"])
    assert answer.headers["cache-control"] == "private, no-store"
    assert "Signature" in answer.headers["vary"]


def test_what_followers_were_sent_is_read_by_those_who_were_accepted(town: Town) -> None:
    assert get(town.server(), TO_FOLLOWERS, by(CARL, TO_FOLLOWERS)).status_code == 200
    assert get(town.server(), TO_FOLLOWERS, by(BEN, TO_FOLLOWERS)).status_code == 404
    with town.house.units.begin() as work:
        known = queries.follow_between(work.connection, CARL, BOARD)
        assert known is not None
        commands.receive_undo(work, known, CARL)
    assert get(town.server(), TO_FOLLOWERS, by(CARL, TO_FOLLOWERS)).status_code == 404


# signatures that prove nothing


@pytest.mark.parametrize("path", [TO_BEN, NOWHERE])
@pytest.mark.parametrize(
    "wrong",
    [
        lambda path: by(BEN, path, covered="/activities/40"),
        lambda path: draft_get(path, signing_key(BEN), host="elsewhere.example", at=START) | {"host": HOST},
        lambda path: by(BEN, path, at=START.replace(hour=6)),
        lambda path: by(BEN, path) | {"signature": by(EVE, path)["signature"].replace(EVE, BEN)},
        lambda path: {"signature": "nonsense"},
        lambda path: by(f"{NORTH}/users/ana", path),
    ],
)
def test_a_wrong_signature_is_refused_and_told_how_to_sign(town: Town, path: str, wrong: Any) -> None:
    answer = get(town.server(), path, wrong(path))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Signature ")
    assert answer.headers["accept-signature"].startswith('sig1=("@method" "@target-uri")')
    assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.attack("S26")
def test_s26_a_signature_for_a_letter_reads_nothing(town: Town) -> None:
    for_post = by(BEN, TO_BEN, method="post")
    assert get(town.server(), TO_BEN, for_post).status_code == 401
    assert get(town.server(), TO_BEN, {**for_post, "x-http-method-override": "POST"}).status_code == 401


@pytest.mark.attack("S26")
def test_s26_head_reads_only_what_is_public(town: Town) -> None:
    assert town.server().head(TO_BEN, headers={**AP, **by(BEN, TO_BEN)}).status_code == 404
    assert town.server().head("/activities/44", headers=AP).status_code == 200
    assert town.web.asked == []


@pytest.mark.attack("S25")
def test_s25_a_signature_may_leave_out_the_query(town: Town) -> None:
    path = f"{TO_BEN}?page=1"
    assert get(town.server(), path, by(BEN, path)).status_code == 200
    assert get(town.server(), path, by(BEN, path, covered=TO_BEN)).status_code == 200
    assert get(town.server(), path, by(BEN, path, covered=f"{TO_BEN}?page=2")).status_code == 401


@pytest.mark.attack("S48")
def test_s48_a_blocked_server_reads_nothing_that_is_private(town: Town) -> None:
    town.blocked.add("riverside.example")
    assert get(town.server(), TO_BEN, by(BEN, TO_BEN)).status_code == 403
    assert town.web.asked == []


# S16


@pytest.mark.attack("S16")
def test_s16_a_signature_on_a_request_for_public_things_makes_us_fetch_nothing(town: Town) -> None:
    for path in ("/users/ana", "/groups/board/outbox", "/activities/44", "/actor"):
        assert get(town.server(), path, by(EVE, path)).status_code == 200
    assert town.web.asked == []


@pytest.mark.attack("S16")
def test_s16_requests_by_ever_new_keys_make_us_ask_their_server_only_so_often(town: Town) -> None:
    server = town.server()
    for number in range(30):
        assert get(server, TO_BEN, by(f"https://victim.example/users/{number}", TO_BEN)).status_code == 401
    assert len(town.web.asked) == LIMITS.vain_fetches_per_host_max


# secure mode

PUBLIC_PATHS = ("/groups/board/outbox", "/groups/board/followers", "/users/ana/featured", "/activities/44")


@pytest.mark.parametrize("path", [*PUBLIC_PATHS, TO_BEN, NOWHERE])
def test_in_secure_mode_nothing_is_read_unsigned_and_absent_answers_like_present(town: Town, path: str) -> None:
    server = town.server(secure_mode=True)
    answer = get(server, path)
    assert answer.status_code == 401
    assert answer.json() == get(server, "/activities/99").json()


@pytest.mark.parametrize("path", PUBLIC_PATHS)
def test_in_secure_mode_whoever_signs_reads_what_is_public(town: Town, path: str) -> None:
    answer = get(town.server(secure_mode=True), path, by(EVE, path))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, no-store"


def test_in_secure_mode_discovery_and_the_server_actor_stay_open(town: Town) -> None:
    server = town.server(secure_mode=True)
    for path in (
        "/actor",
        "/.well-known/nodeinfo",
        "/nodeinfo/2.0",
        "/.well-known/host-meta",
        "/.well-known/webfinger?resource=acct:ana@northside.example",
    ):
        assert get(server, path, {"signature": "nonsense"}).status_code == 200
    assert town.web.asked == []


def test_in_secure_mode_an_actors_keys_are_read_unsigned_and_nothing_else_of_it(town: Town) -> None:
    server = town.server(secure_mode=True)
    for signed in ({}, {"signature": "nonsense"}):
        keys = get(server, "/users/ana", signed)
        assert keys.status_code == 200
        assert set(keys.json()) == {
            "@context",
            "id",
            "type",
            "preferredUsername",
            "inbox",
            "publicKey",
            "assertionMethod",
        }
        assert "Nightingale" not in keys.text
        assert keys.headers["cache-control"] == "private, no-store"
    whole = get(server, "/users/ana", by(BEN, "/users/ana"))
    assert whole.json()["name"] == "Ana Nightingale"
    assert get(server, "/users/nobody").status_code == 401


def test_in_secure_mode_a_blocked_server_learns_keys_only(town: Town) -> None:
    town.blocked.add("riverside.example")
    server = town.server(secure_mode=True)
    assert "name" not in get(server, "/users/ana", by(BEN, "/users/ana")).json()
    assert get(server, "/groups/board/outbox", by(BEN, "/groups/board/outbox")).status_code == 403


# who of a server follows (FEP-8fcf)

PARTIAL = "/groups/board/followers_synchronization"


def test_a_server_reads_which_of_its_own_people_follow_and_nobody_elses(town: Town) -> None:
    with town.house.units.begin() as work:
        commands.receive_follow(work, EVE, BOARD, f"{EVE}/follows/1")
    told = get(town.server(), PARTIAL, by(BEN, PARTIAL))
    assert (told.json()["orderedItems"], told.json()["totalItems"]) == ([CARL], 1)
    assert (told.json()["id"], told.headers["cache-control"]) == (f"{NORTH}{PARTIAL}", "private, no-store")
    assert get(town.server(), PARTIAL, by(EVE, PARTIAL)).json()["orderedItems"] == [EVE]


@pytest.mark.parametrize("signed", [{}, {"signature": "nonsense"}])
def test_who_of_a_server_follows_is_told_to_no_one_unsigned(town: Town, signed: dict[str, str]) -> None:
    answer = get(town.server(), PARTIAL, signed)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Signature ")
    assert answer.headers["accept-signature"].startswith('sig1=("@method" "@target-uri")')


def test_who_follows_nobody_is_not_found(town: Town) -> None:
    path = "/users/nobody/followers_synchronization"
    assert get(town.server(), path, by(BEN, path)).status_code == 404
