"""What the mail rooms are given: keys, mailboxes and inboxes of actors, refusals first."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Connection

from activitypub.errors import FetchFailed, MalformedDocument, OriginMismatch
from activitypub.keys import SigningKey
from activitypub.synchronization import digest_of, parse_header
from fedaid.actors import commands, queries
from fedaid.actors.ports import OurRecipients, StoredAddressBook, StoredCorrespondents, StoredSigners
from fedaid.actors.rules import FollowState, Kind
from fedaid.actors.tables import follow, local_actor
from fedaid.foundation.refused import Refused
from inbox.ports import Letter, Unwelcome
from outbox.limits import OutboxLimits
from tests.small_house import NORTH, RIVER, RULES, START, SmallHouse, remote_actor, remote_document, some_keys

BEN, ANA = f"{RIVER}/users/ben", f"{NORTH}/users/ana"


class Town:
    """Stands in for the network: some documents by address, and who asked for them."""

    def __init__(self, *documents: dict[str, Any]) -> None:
        self.documents = {document["id"]: document for document in documents}
        self.asked: list[tuple[str, str]] = []

    async def fetch(self, url: str, signer: SigningKey | None = None) -> Any:
        self.asked.append((url, signer.key_id if signer else ""))
        if url not in self.documents:
            raise FetchFailed("not_found", "There is nothing.", permanent=True)
        return type("Fetched", (), {"document": self.documents[url], "url": RULES.parse(url)})


@pytest.fixture
def founded(house: SmallHouse) -> SmallHouse:
    with house.units.begin() as work:
        for kind, handle in ((Kind.SERVER, ""), (Kind.LEDGER, ""), (Kind.PERSON, "ana"), (Kind.GROUP, "board")):
            commands.create_actor(work, kind, handle, keys=some_keys())
    return house


class Doors:
    """Scripted: nothing comes from or goes to evil.example."""

    def unwelcome(self, who: str, inbox: str) -> Unwelcome | None:
        return Unwelcome("blocked", "Not here.") if "//evil.example" in who else None

    def unwelcome_letters(self, letters: Sequence[Letter]) -> Sequence[Unwelcome | None]:
        return [self.unwelcome(letter.sender.actor.text, letter.inbox) for letter in letters]

    def refused(self, connection: Connection, sender: str, recipients: Sequence[str]) -> frozenset[str]:
        return frozenset(one for one in recipients if "//evil.example" in one)


def correspondents(house: SmallHouse) -> StoredCorrespondents:
    return StoredCorrespondents(house.units, RULES, Doors(), OutboxLimits())


def address_book(house: SmallHouse, town: Town) -> StoredAddressBook:
    def server_signer() -> SigningKey:
        return StoredSigners(house.database).signer(house.names.server)

    return StoredAddressBook(house.units, town, RULES, Doors(), server_signer)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "exists"),
    [
        ("/inbox", True),
        ("/users/ana/inbox", True),
        ("/groups/board/inbox", True),
        ("/actor/inbox", True),
        ("/ledger/inbox", True),
        ("/users/nobody/inbox", False),
        ("/users/ANA/inbox", False),
        ("/groups/ana/inbox", False),
        ("/users/ana", False),
        ("/inbox/", False),
        ("/inbox/inbox", False),
        ("/users/a\x00/inbox", False),
        ("", False),
        ("/users/ana/outbox", False),
    ],
)
def test_there_is_an_inbox_for_each_actor_of_ours_and_a_shared_one(
    founded: SmallHouse, path: str, exists: bool
) -> None:
    assert OurRecipients(founded.database, founded.names).has_inbox(path) is exists


def test_somebody_who_left_has_no_inbox(founded: SmallHouse) -> None:
    with founded.database.write() as connection:
        connection.execute(local_actor.update().where(local_actor.c.uri == ANA).values(gone_at=START))
    assert not OurRecipients(founded.database, founded.names).has_inbox("/users/ana/inbox")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"type": "Note"}, MalformedDocument),
        ({"inbox": "https://victim.example/inbox"}, OriginMismatch),
        ({"preferredUsername": "<b>"}, MalformedDocument),
        ({"id": ANA, "inbox": f"{ANA}/inbox"}, Refused),
    ],
)
def test_what_is_no_actor_of_another_server_is_not_remembered(
    founded: SmallHouse, changes: dict[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        correspondents(founded).remember(remote_document(**changes))


# S30
def test_a_key_that_names_another_owner_is_not_remembered(founded: SmallHouse) -> None:
    borrowed = remote_document()["publicKey"] | {"owner": f"{RIVER}/users/eve"}
    correspondents(founded).remember(remote_document(publicKey=borrowed))
    assert correspondents(founded).key(f"{BEN}#main-key") is None
    assert correspondents(founded).key(f"{BEN}#ed25519-key") is not None


# S12
def test_a_shared_inbox_elsewhere_is_left_out(founded: SmallHouse) -> None:
    endpoints = {"sharedInbox": "https://victim.example/inbox"}
    correspondents(founded).remember(remote_document(endpoints=endpoints))
    with founded.database.read() as connection:
        (box,) = queries.mailboxes(connection, [BEN])
    assert box.shared_inbox is None


def test_a_remembered_key_says_when_it_was_fetched(founded: SmallHouse) -> None:
    known = correspondents(founded)
    assert known.key(f"{BEN}#main-key") is None
    known.remember(remote_document())
    key = known.key(f"{BEN}#main-key")
    assert key is not None
    assert (key.owner, key.fetched_at) == (BEN, START)
    founded.clock.pass_seconds(60)
    known.remember(remote_document())
    again = known.key(f"{BEN}#main-key")
    assert again is not None
    assert (again.fetched_at - START).total_seconds() == 60


def test_who_is_welcome_is_asked_of_whoever_keeps_the_blocks(founded: SmallHouse) -> None:
    eve = "https://evil.example/users/eve"
    assert correspondents(founded).unwelcome(eve, "/inbox") == Unwelcome("blocked", "Not here.")
    assert correspondents(founded).unwelcome(BEN, "/inbox") is None
    with founded.database.read() as connection:
        assert address_book(founded, Town()).refused(connection, ANA, [BEN, eve]) == {eve}


def test_each_server_is_told_of_its_own_followers_alone(founded: SmallHouse) -> None:
    others = ["https://sea.example/users/dan", "https://sea.example/users/eve", "https://sea.example.org/users/x"]
    known = correspondents(founded)
    for number, follower in enumerate([BEN, *others]):
        known.remember(remote_document(follower) if follower != BEN else remote_document())
        row = {
            "id": number + 1,
            "follower": follower,
            "followee": ANA,
            "activity_id": f"{follower}/f",
            "created_at": START,
        }
        with founded.database.write() as connection:
            connection.execute(follow.insert().values(**row, state=FollowState.ACCEPTED))
    inboxes = [f"{BEN}/inbox", "https://sea.example/inbox", "https://sky.example/inbox"]
    with founded.database.read() as connection:
        said = address_book(founded, Town()).synchronizations(connection, ANA, inboxes)
    told = [parse_header(said[inbox]) for inbox in inboxes]
    assert [one.digest for one in told if one] == [digest_of([BEN]), digest_of(others[:2]), digest_of([])]


def test_hearing_from_a_host_we_never_wrote_to_is_harmless(founded: SmallHouse) -> None:
    correspondents(founded).heard_from("riverside.example")


def test_nobody_signs_for_an_actor_that_is_not_ours(founded: SmallHouse) -> None:
    with pytest.raises(LookupError):
        StoredSigners(founded.database).signer(BEN)


def test_a_key_is_read_from_its_text_once(founded: SmallHouse) -> None:
    signers = StoredSigners(founded.database)
    first = signers.signer(ANA)
    assert (first.key_id, first.owner) == (f"{ANA}#main-key", ANA)
    assert signers.signer(ANA).private_key is first.private_key


def test_meeting_somebody_is_signed_by_the_server_and_remembered(founded: SmallHouse) -> None:
    town = Town(remote_document())
    book = address_book(founded, town)
    asyncio.run(book.meet(BEN))
    assert town.asked == [(BEN, f"{NORTH}/actor#main-key")]
    with founded.database.read() as connection:
        assert [box.actor for box in book.mailboxes(connection, [BEN, ANA, f"{RIVER}/users/zed"])] == [BEN]


def test_somebody_who_cannot_be_fetched_stays_unknown(founded: SmallHouse) -> None:
    with pytest.raises(FetchFailed):
        asyncio.run(address_book(founded, Town()).meet(BEN))


def test_followers_are_where_their_mail_goes(founded: SmallHouse) -> None:
    with founded.units.begin() as work:
        commands.remember(work, remote_actor())
        commands.receive_follow(work, BEN, ANA, f"{BEN}/follows/1")
    with founded.database.read() as connection:
        (box,) = address_book(founded, Town()).followers(connection, ANA)
    assert (box.inbox, box.shared_inbox) == (f"{BEN}/inbox", f"{RIVER}/inbox")
