"""New keys for our actors: who gets none, what is shown of old and new, and for how long the old ones are good."""

import orjson
import pytest
from sqlalchemy import select

from activitypub.documents import parse_actor
from activitypub.errors import SignatureRefused
from activitypub.keys import VerificationKey
from activitypub.signatures.proofs import verify_proof
from fedaid.actors import commands, queries, rotation, wire
from fedaid.actors.commands import ActorKeys, make_keys
from fedaid.actors.leaving import leave
from fedaid.actors.limits import ActorLimits
from fedaid.actors.ports import StoredSigners
from fedaid.actors.rules import Kind
from fedaid.foundation.refused import NotFound, Refused
from outbox.queue import Outgoing
from outbox.tables import activity as outbox_activity
from tests.small_house import NORTH, RIVER, RULES, SmallHouse, remote_actor, some_keys

ANA, BEN = f"{NORTH}/users/ana", f"{RIVER}/users/ben"
LIMITS = ActorLimits()
GRACE = LIMITS.key_grace_days * 24 * 3600


@pytest.fixture
def town(house: SmallHouse) -> SmallHouse:
    """Ana, whom Ben follows, has said something."""
    with house.units.begin() as work:
        commands.create_actor(work, Kind.PERSON, "ana", keys=some_keys())
        commands.create_actor(work, Kind.LEDGER, "", keys=some_keys())
        commands.remember(work, remote_actor(BEN))
        commands.receive_follow(work, BEN, ANA, f"{BEN}/follows/1")
        body = {"@context": "x", "id": work.names.activity(41), "type": "Create", "actor": ANA, "object": {}}
        wire.say(work, Outgoing(body, ANA, public=True))
    return house


def rotate(house: SmallHouse, uri: str = ANA, *, keys: ActorKeys | None = None, compromised: bool = False) -> None:
    with house.units.begin() as work:
        rotation.rotate(work, uri, keys or make_keys(), LIMITS, compromised=compromised)


def shown(house: SmallHouse) -> dict[str, VerificationKey]:
    """Ana's keys as another server reads them now, by the name after the #."""
    with house.database.read() as connection:
        actor = queries.by_uri(connection, ANA)
        assert actor is not None
        document = wire.actor_document(actor, queries.own_keys(connection, ANA), house.names)
    found = parse_actor(orjson.loads(orjson.dumps(document)), RULES, house.clock.now()).keys
    return {key.key_id.rpartition("#")[2]: key for key in found}


def said(house: SmallHouse, kind: str) -> list[dict[str, object]]:
    with house.database.read() as connection:
        query = select(outbox_activity.c.body).where(outbox_activity.c.type == kind).order_by(outbox_activity.c.id)
        return [orjson.loads(body) for body in connection.execute(query).scalars()]


def test_the_ledger_keeps_its_pinned_key_and_strangers_get_none(town: SmallHouse) -> None:
    with pytest.raises(Refused) as refusal:
        rotate(town, f"{NORTH}/ledger")
    assert refusal.value.code == "key_pinned"
    for uri in (BEN, f"{NORTH}/users/nobody"):
        with pytest.raises(NotFound):
            rotate(town, uri)


def test_new_keys_have_new_names_and_the_old_proof_key_says_when_it_ends(town: SmallHouse) -> None:
    before = shown(town)
    rotate(town)
    after = shown(town)
    assert set(before) == {"main-key", "ed25519-key"}
    assert set(after) == {"main-key-2", "ed25519-key-2", "ed25519-key"}
    assert after["main-key-2"].public_key != before["main-key"].public_key
    assert after["ed25519-key"].public_key == before["ed25519-key"].public_key
    assert (after["ed25519-key"].expires_at is None, after["ed25519-key-2"].expires_at) == (False, None)


def test_followers_are_told_under_the_new_key(town: SmallHouse) -> None:
    rotate(town)
    (update,) = said(town, "Update")
    key = shown(town)["ed25519-key-2"]
    assert verify_proof(update, key, town.clock.now()).actor.text == ANA
    assert len(update["object"]["assertionMethod"]) == 2  # type: ignore[index]


def test_what_was_proved_before_is_checked_by_the_old_key_until_the_grace_is_over(town: SmallHouse) -> None:
    (before,) = said(town, "Create")
    rotate(town)
    old = shown(town)["ed25519-key"]
    assert verify_proof(before, old, town.clock.now())
    town.clock.pass_seconds(GRACE)
    assert "ed25519-key" not in shown(town)
    with pytest.raises(SignatureRefused) as refusal:
        verify_proof(before, old, town.clock.now())
    assert refusal.value.code == "key_expired"


def test_requests_are_signed_by_the_new_key_and_the_old_one_is_at_hand_for_a_while(town: SmallHouse) -> None:
    signers = StoredSigners(town.database)
    assert (signers.signer(ANA).key_id, signers.former_signer(ANA)) == (f"{ANA}#main-key", None)
    rotate(town)
    former = signers.former_signer(ANA)
    assert former is not None
    assert (signers.signer(ANA).key_id, former.key_id) == (f"{ANA}#main-key-2", f"{ANA}#main-key")
    town.clock.pass_seconds(GRACE - 1)
    with town.units.begin() as work:
        assert rotation.forget_old_keys(work) == 0
    town.clock.pass_seconds(1)
    with town.units.begin() as work:
        assert rotation.forget_old_keys(work) == 1
    assert signers.former_signer(ANA) is None


def test_keys_that_somebody_else_has_end_at_once(town: SmallHouse) -> None:
    rotate(town)
    rotate(town, compromised=True)
    assert set(shown(town)) == {"main-key-3", "ed25519-key-3"}
    assert StoredSigners(town.database).former_signer(ANA) is None


def test_keys_are_not_replaced_again_while_the_ones_before_are_in_use(town: SmallHouse) -> None:
    rotate(town)
    with pytest.raises(Refused) as refusal:
        rotate(town)
    assert (refusal.value.code, refusal.value.status) == ("rotated_lately", 409)
    town.clock.pass_seconds(GRACE)
    rotate(town)
    assert set(shown(town)) == {"main-key-3", "ed25519-key-3", "ed25519-key-2"}


def test_an_actor_that_left_gets_no_new_keys(town: SmallHouse) -> None:
    with town.units.begin() as work:
        leave(work, ANA)
    with pytest.raises(NotFound):
        rotate(town)
