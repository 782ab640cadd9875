"""Follower synchronisation (FEP-8fcf), receiving: what is ignored, what is looked into, and what changes of ours."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import httpx2
import orjson
import pytest
from sqlalchemy import select, update

from activitypub.client import Client, FetchLimits
from activitypub.collections import ordered_collection
from activitypub.errors import FetchFailed, OriginMismatch
from activitypub.keys import SigningKey
from activitypub.synchronization import Synchronization, digest_of
from fedaid.actors import commands, queries, synchronize
from fedaid.actors.limits import ActorLimits
from fedaid.actors.rules import FollowState, Kind
from fedaid.actors.tables import follow as follow_table
from fedaid.foundation.errands import errand
from fedaid.foundation.refused import Refused
from outbox.tables import activity
from tests.inbox.world import signing_key
from tests.small_house import NORTH, RIVER, RULES, SmallHouse, remote_actor, some_keys, unproved

BEN, EVE = f"{RIVER}/users/ben", "https://evil.example/users/eve"
ANA, BEA, CY = (f"{NORTH}/users/{name}" for name in ("ana", "bea", "cy"))
PARTIAL = f"{BEN}/followers_synchronization"
LIMITS = ActorLimits()


@pytest.fixture
def town(house: SmallHouse) -> SmallHouse:
    """Ana and Bea follow Ben, who let Ana; Cy does not."""
    with house.units.begin() as work:
        for name in ("ana", "bea", "cy"):
            commands.create_actor(work, Kind.PERSON, name, keys=some_keys())
        commands.remember(work, remote_actor(BEN))
        for follower in (ANA, BEA):
            commands.follow(work, follower, BEN)
        known = queries.follow_between(work.connection, ANA, BEN)
        assert known is not None
        commands.receive_answer(work, known, BEN, accept=True)
    house.clock.pass_seconds(LIMITS.follow_grace_seconds)
    return house


def says(followers: Sequence[str], **changes: str) -> str:
    said = {"collection": f"{BEN}/followers", "url": PARTIAL, "digest": digest_of(followers), **changes}
    return Synchronization(**said).header()


def told(house: SmallHouse, header: str, actor: str = BEN) -> list[tuple[str, str, str]]:
    """The errands that Ben's saying so leads to."""
    synchronize.StoredFollowers(house.units, RULES).told(actor, header)
    with house.database.read() as connection:
        return [tuple(row) for row in connection.execute(select(errand.c.kind, errand.c.about, errand.c.note))]


def follows(house: SmallHouse) -> dict[str, str]:
    with house.database.read() as connection:
        rows = connection.execute(select(follow_table.c.follower, follow_table.c.state)).all()
    return {row.follower: row.state for row in rows}


def agree(house: SmallHouse, *theirs: str) -> None:
    with house.units.begin() as work:
        commands.agree_on_followers(work, BEN, theirs, LIMITS)


def last_sent(house: SmallHouse) -> dict[str, Any]:
    with house.database.read() as connection:
        return unproved(
            connection.execute(select(activity.c.body).order_by(activity.c.id.desc())).scalars().first() or ""
        )


# what is ignored


@pytest.mark.parametrize(
    "header",
    [
        "nonsense",
        says([ANA]),
        says([CY], collection=f"{RIVER}/users/carl/followers"),
        says([CY], collection=f"{BEN}/followers/"),
        says([CY], url="https://victim.example/followers"),
        says([CY], url="http://riverside.example/followers"),
        says([CY], url="https://riverside.example.evil.example/followers"),
        says([CY], url="javascript:alert(1)"),
    ],
)
def test_what_agrees_or_is_not_about_the_senders_own_followers_sends_nobody(town: SmallHouse, header: str) -> None:
    assert told(town, header) == []


def test_what_somebody_we_never_met_says_sends_nobody(town: SmallHouse) -> None:
    about_eve = says([CY], collection=f"{EVE}/followers", url=f"{EVE}/followers_synchronization")
    assert told(town, about_eve, EVE) == []
    assert told(town, says([CY]), EVE) == []


def test_where_they_see_it_otherwise_we_look_once_however_often_they_say_it(town: SmallHouse) -> None:
    expected = [(synchronize.KIND, BEN, f"{digest_of([CY])} {PARTIAL}")]
    assert told(town, says([CY])) == expected
    assert told(town, says([CY])) == expected


# what is read


class River(httpx2.AsyncBaseTransport):
    """Ben's server, which tells what it is asked for, or sends us elsewhere."""

    def __init__(self, items: Sequence[Any], moved_to: str = "") -> None:
        self.items = items
        self.moved_to = moved_to

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = str(request.url)
        if self.moved_to and url != self.moved_to:
            return httpx2.Response(302, headers={"location": self.moved_to})
        body = orjson.dumps(ordered_collection(url, len(self.items), items=self.items))
        headers = {"content-type": "application/activity+json"}
        return httpx2.Response(200, headers=headers, stream=httpx2.ByteStream(body))

    async def aclose(self) -> None:
        """Nothing is kept."""


def look(house: SmallHouse, river: River, announced: Sequence[str]) -> None:
    """Do the errand that a header about these followers led to."""

    def signer() -> SigningKey:
        return signing_key(f"{NORTH}/actor")

    async def go() -> None:
        client = Client(RULES, FetchLimits(), transport=river, clock=house.clock.now)
        write = await synchronize.synchronizer(client, signer, LIMITS)(BEN, f"{digest_of(announced)} {PARTIAL}")
        await client.aclose()
        with house.units.begin() as work:
            write(work)

    asyncio.run(go())


def test_what_is_read_counts_only_if_it_is_what_was_announced(town: SmallHouse) -> None:
    for items in ([], [ANA], [ANA, CY, BEA]):
        with pytest.raises(Refused) as refusal:
            look(town, River(items), [CY])
        assert refusal.value.code == "digest_differs"
    assert follows(town) == {ANA: "accepted", BEA: "asked"}


@pytest.mark.attack("S12")
def test_s12_what_another_server_says_of_them_does_not_count(town: SmallHouse) -> None:
    with pytest.raises(OriginMismatch):
        look(town, River([], moved_to="https://evil.example/followers"), [])
    assert follows(town)[ANA] == "accepted"


@pytest.mark.attack("S14")
def test_s14_a_list_longer_than_we_read_changes_nothing(town: SmallHouse) -> None:
    many = [f"{NORTH}/users/u{number}" for number in range(1001)]
    with pytest.raises(Refused):
        look(town, River(many), many)
    assert follows(town)[ANA] == "accepted"


@pytest.mark.parametrize("items", [[7], [{"id": 7}]])
def test_a_list_of_something_else_changes_nothing(town: SmallHouse, items: list[Any]) -> None:
    with pytest.raises(FetchFailed if items == [7] else Exception):
        look(town, River(items), [])
    assert follows(town)[ANA] == "accepted"


def test_what_their_server_says_is_taken_over(town: SmallHouse) -> None:
    look(town, River([BEA]), [BEA])
    assert follows(town) == {BEA: "accepted"}


# what changes


def test_a_follow_that_their_server_does_not_know_is_over(town: SmallHouse) -> None:
    facts: list[object] = []
    with town.units.begin() as work:
        commands.agree_on_followers(work, BEN, [], LIMITS)
        facts += work.facts
    assert follows(town) == {BEA: "asked"}
    assert [(type(fact), fact.follow.follower) for fact in facts if isinstance(fact, commands.FollowLost)] == [
        (commands.FollowLost, ANA)
    ]


def test_a_follow_made_just_now_is_not_over_because_their_server_did_not_know_it_yet(town: SmallHouse) -> None:
    moment = town.clock.now() - timedelta(seconds=LIMITS.follow_grace_seconds - 1)
    with town.database.write() as connection:
        connection.execute(update(follow_table).where(follow_table.c.follower == ANA).values(created_at=moment))
    agree(town)
    assert follows(town)[ANA] == "accepted"


def test_a_follow_whose_accept_got_lost_is_accepted(town: SmallHouse) -> None:
    agree(town, ANA, BEA)
    assert follows(town) == {ANA: "accepted", BEA: "accepted"}


def test_a_follow_that_only_their_server_knows_is_undone_there(town: SmallHouse) -> None:
    agree(town, ANA, BEA, CY)
    undo = last_sent(town)
    assert (undo["type"], undo["actor"], undo["to"]) == ("Undo", CY, [BEN])
    assert (undo["object"]["actor"], undo["object"]["object"]) == (CY, BEN)
    assert CY not in follows(town)


def test_nobody_but_ours_is_touched_and_nobody_is_made_up(town: SmallHouse) -> None:
    with town.units.begin() as work:
        commands.receive_follow(work, BEN, ANA, f"{BEN}/follows/1")
    before = last_sent(town)
    agree(town, ANA, BEA, EVE, f"{NORTH}/users/nobody", f"{RIVER}/users/carl")
    assert last_sent(town) == before
    assert follows(town) == {ANA: FollowState.ACCEPTED, BEA: FollowState.ACCEPTED, BEN: FollowState.ACCEPTED}
