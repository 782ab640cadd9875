"""Inbox forwarding: everything that must stay where it is (S46), then the little that goes on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from activitypub.documents import Activity, parse_activity
from activitypub.keys import SigningKey, private_from_pem
from activitypub.signatures.authentic import Proof, restored
from activitypub.signatures.proofs import add_proof
from activitypub.vocabulary import PUBLIC
from fedaid.actors import commands, wire
from fedaid.actors.limits import ActorLimits
from fedaid.actors.rules import Kind
from fedaid.actors.wire.forward import Forwarding
from fedaid.foundation.refused import Refused
from fedaid.foundation.work import Work
from inbox.ports import Letter
from outbox.queue import Outgoing
from outbox.tables import activity as outbox_activity
from tests.small_house import NORTH, RIVER, RULES, START, SmallHouse, remote_actor, some_keys

BOARD, OTHER_BOARD, BEN = f"{NORTH}/groups/moving", f"{NORTH}/groups/meals", f"{RIVER}/users/ben"
LISTING, HIDDEN, WITHDRAWN = f"{NORTH}/listings/1", f"{NORTH}/listings/2", f"{NORTH}/listings/3"
NOTE = f"{BEN}/notes/1"


@dataclass
class Taker:
    """Another room's handler: takes a letter, leaves it, or refuses it."""

    answer: bool = True
    refusal: Refused | None = None
    seen: list[str] = field(default_factory=list)

    def wants(self, activity: Activity) -> Sequence[str]:
        return [f"{activity.id.text}/wanted"]

    def apply(self, work: Work, letter: Letter, fetched: Mapping[str, Mapping[str, Any]]) -> bool:
        self.seen.append(letter.activity.type)
        if self.refusal is not None:
            raise self.refusal
        return self.answer


@pytest.fixture
def town(house: SmallHouse) -> SmallHouse:
    """Two boards; one told of a public listing, of one for few, and of one that it then took down. Ben follows it."""
    with house.units.begin() as work:
        for handle in ("moving", "meals"):
            commands.create_actor(work, Kind.GROUP, handle, keys=some_keys())
        commands.remember(work, remote_actor(BEN))
        commands.receive_follow(work, BEN, BOARD, f"{BEN}/follows/1")
        say(work, 1, "Create", LISTING, public=True)
        say(work, 2, "Create", HIDDEN, public=False)
        say(work, 3, "Create", WITHDRAWN, public=True)
        say(work, 4, "Delete", WITHDRAWN, public=True)
    return house


def say(work: Work, number: int, kind: str, about: str, *, public: bool) -> None:
    body = {"@context": "https://www.w3.org/ns/activitystreams", "id": work.names.activity(number), "type": kind}
    wire.say(work, Outgoing({**body, "actor": BOARD, "object": {"id": about}}, BOARD, public=public))


def reply(number: int = 1, kind: str = "Create", **note: Any) -> dict[str, Any]:
    """Ben answers the listing, and says that the board's followers may read it."""
    made = {"id": NOTE, "type": "Note", "attributedTo": BEN, "inReplyTo": LISTING, "content": "I can come.", **note}
    to = {"to": [PUBLIC], "cc": [f"{BOARD}/followers", BOARD]}
    return {"id": f"{BEN}/activities/{number}", "type": kind, "actor": BEN, **to, "object": {**to, **made}}


def delete(number: int = 2, **changes: Any) -> dict[str, Any]:
    made = {"id": f"{BEN}/activities/{number}", "type": "Delete", "actor": BEN, "to": [PUBLIC]}
    return {**made, "object": {"id": NOTE, "type": "Tombstone"}, **changes}


def proved(activity: dict[str, Any]) -> dict[str, Any]:
    key = SigningKey(f"{BEN}#ed25519-key", BEN, private_from_pem(some_keys().ed25519_pem))
    return add_proof(activity, key, START)


def receive(
    house: SmallHouse, activity: dict[str, Any], taker: Taker | None = None, limits: ActorLimits | None = None
) -> bool:
    parsed = parse_activity(activity, RULES)
    sender = restored(parsed.actor, f"{BEN}#main-key", Proof.DRAFT_CAVAGE, START)
    handler = Forwarding([taker or Taker()], limits or ActorLimits())
    with house.units.begin() as work, work.attempt():
        return handler.apply(work, Letter(sender, parsed, "/inbox"), {})


def forwarded(house: SmallHouse) -> list[tuple[dict[str, Any], str, str | None, bool]]:
    table = outbox_activity.c
    columns = (table.body, table.actor, table.followers_of, table.public)
    with house.database.read() as connection:
        rows = connection.execute(select(*columns).where(table.activity_id.like(f"{RIVER}%")).order_by(table.id))
        return [(orjson.loads(row.body), row.actor, row.followers_of, row.public) for row in rows]


# what stays


@pytest.mark.attack("S46")
@pytest.mark.parametrize(
    "activity",
    [
        reply() | {"to": [BOARD], "cc": [f"{BOARD}/followers"]},
        reply(to=[BOARD], cc=[]),
        reply(to=[f"{BOARD}/followers"], cc=[]),
        reply() | {"cc": [BOARD]},
        reply() | {"cc": [f"{OTHER_BOARD}/followers"]},
        reply() | {"cc": [f"{BEN}/followers"]},
        reply(inReplyTo=None),
        reply(inReplyTo=f"{NORTH}/listings/999"),
        reply(inReplyTo=HIDDEN),
        reply(inReplyTo=WITHDRAWN),
        reply(inReplyTo=f"{RIVER}/listings/1"),
        reply(inReplyTo=BOARD),
        reply() | {"object": NOTE},
        delete(),
    ],
)
def test_s46_what_is_private_or_not_meant_for_our_followers_or_answers_nothing_of_ours_is_not_forwarded(
    town: SmallHouse, activity: dict[str, Any]
) -> None:
    assert receive(town, proved(activity))
    assert forwarded(town) == []


@pytest.mark.attack("S46")
def test_s46_what_has_no_proof_is_not_forwarded(town: SmallHouse) -> None:
    assert receive(town, reply())
    assert receive(town, {**reply(2), "signature": {"type": "RsaSignature2017"}})
    assert forwarded(town) == []


@pytest.mark.attack("S46")
def test_s46_what_nobody_here_takes_is_not_forwarded(town: SmallHouse) -> None:
    assert not receive(town, proved(reply()), Taker(answer=False))
    assert forwarded(town) == []


@pytest.mark.attack("S46")
def test_s46_what_is_refused_here_is_not_forwarded(town: SmallHouse) -> None:
    with pytest.raises(Refused):
        receive(town, proved(reply()), Taker(refusal=Refused("too_many_responses", "Enough.", 429)))
    assert forwarded(town) == []


@pytest.mark.attack("S46")
def test_s46_nothing_is_forwarded_to_more_followers_than_the_limit(town: SmallHouse) -> None:
    assert receive(town, proved(reply()), limits=ActorLimits(forward_followers_max=0))
    assert forwarded(town) == []
    assert ActorLimits().forward_followers_max == 1000


@pytest.mark.attack("S41")
def test_s41_a_deletion_by_somebody_else_is_not_forwarded(town: SmallHouse) -> None:
    assert receive(town, proved(reply()))
    eve = f"{RIVER}/users/eve"
    assert receive(town, proved(delete(id=f"{eve}/activities/1", actor=eve)))
    assert len(forwarded(town)) == 1


# what goes on


def test_a_public_reply_with_a_proof_goes_on_unchanged_to_the_followers_it_names(town: SmallHouse) -> None:
    activity = proved(reply())
    assert receive(town, activity)
    assert forwarded(town) == [(activity, BOARD, BOARD, False)]


def test_a_reply_goes_on_once_and_its_edit_too(town: SmallHouse) -> None:
    assert receive(town, proved(reply()))
    assert receive(town, proved(reply()))
    assert receive(town, proved(reply(2, "Update", content="I can come at ten.")))
    assert [activity["type"] for activity, *_ in forwarded(town)] == ["Create", "Update"]


def test_whoever_got_a_reply_from_us_hears_from_us_that_it_is_gone(town: SmallHouse) -> None:
    assert receive(town, proved(reply()))
    assert receive(town, proved(delete()))
    assert [activity["type"] for activity, *_ in forwarded(town)] == ["Create", "Delete"]


def test_what_was_forwarded_is_in_nobodys_outbox(town: SmallHouse) -> None:
    assert receive(town, proved(reply()))
    assert all(not public for *_, public in forwarded(town))


def test_the_rooms_behind_are_asked_as_before(town: SmallHouse) -> None:
    taker = Taker()
    activity = parse_activity(reply(), RULES)
    assert Forwarding([taker, Taker()], ActorLimits()).wants(activity) == [f"{activity.id.text}/wanted"] * 2
    assert receive(town, reply(), taker)
    assert taker.seen == ["Create"]
