"""Proofs inside letters and letters that others carried here: what a proof is good for, refusals first (S35, S38, S46)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from activitypub.signatures.authentic import Authentic
from activitypub.signatures.proofs import add_proof
from inbox.limits import InboxLimits
from inbox.ports import Letter
from tests.activitypub.vectors import vector
from tests.inbox.post import bring, draft_post
from tests.inbox.world import (
    BEN,
    EVE,
    OUR_HOST,
    START,
    Scripted,
    World,
    actor_document,
    assertion_method,
    like,
    signing_key,
    verification_key,
)

pytestmark = pytest.mark.anyio

BEN_PROVES = signing_key(BEN, "ed25519-key")
BOB = "https://remote.domain/users/bob"
FORGERIES = vector("rsasignature2017/attack-documents.json")


def proved(activity: Mapping[str, Any], actor: str = BEN, **options: Any) -> dict[str, Any]:
    """With a proof by the actor's Ed25519 key; ``options`` are changed afterwards."""
    made = add_proof(activity, signing_key(actor, "ed25519-key"), START)
    return {**made, "proof": {**made["proof"], **options}}


def meet(world: World, actor: str = BEN) -> None:
    """We know both keys of the actor."""
    world.directory.meet(actor)
    key = verification_key(signing_key(actor, "ed25519-key"))
    world.directory.keys[key.key_id] = key


async def answer(world: World, activity: Mapping[str, Any], carrier: str) -> tuple[int, str]:
    """Status and code when the carrier brings the activity."""
    found = await bring(world.app(), draft_post(activity, signing_key(carrier)))
    return found.status_code, found.json()["code"] if found.content else ""


# a proof that is wrong


@pytest.mark.attack("S38")
@pytest.mark.parametrize(
    ("activity", "code"),
    [
        ({**proved(like(1)), "content": "changed afterwards"}, "proof_invalid"),
        (proved(like(1), proofPurpose="authentication"), "proof_options"),
        (proved(like(1), cryptosuite="mldsa44-jcs-2024"), "proof_options"),
        (proved(like(1), cryptosuite="eddsa-rdfc-2022"), "proof_options"),
        (proved(like(1), type="RsaSignature2017"), "proof_options"),
        (proved(like(1), created="2027-01-01T00:00:00Z"), "proof_options"),
        (proved(like(1), proofValue="z" + "1" * 88), "proof_invalid"),
        (proved(like(1), verificationMethod=f"{EVE}#ed25519-key"), "proof_key"),
        (proved(like(1), verificationMethod=f"https://{OUR_HOST}/users/ana#ed25519-key"), "own_key"),
        (proved(like(1), verificationMethod="did:key:z6Mk#z6Mk"), "key_id"),
        ({**like(1), "proof": [proved(like(1))["proof"]]}, "proof_malformed"),
        ({**like(1), "proof": "trust me"}, "proof_malformed"),
    ],
)
async def test_s38_a_letter_with_a_wrong_proof_is_refused_though_its_actor_brings_it(
    world: World, activity: dict[str, Any], code: str
) -> None:
    meet(world)
    assert await answer(world, activity, BEN) == (401, code)
    assert (world.letters(), world.web.asked) == ([], [])


@pytest.mark.attack("S38")
async def test_s38_a_proof_by_another_actor_of_the_same_server_is_refused(world: World) -> None:
    mallory = f"{BEN}-mallory"
    meet(world)
    meet(world, mallory)
    assert await answer(world, proved(like(1), mallory), BEN) == (401, "proof_key")
    assert world.letters() == []


@pytest.mark.attack("S38")
async def test_s38_a_proof_by_a_key_that_its_actor_keeps_for_requests_is_refused(world: World) -> None:
    meet(world)
    key = verification_key(BEN_PROVES)
    world.directory.keys[key.key_id] = replace(key, asserts=False)
    assert await answer(world, proved(like(1)), BEN) == (401, "proof_key")
    assert world.letters() == []


@pytest.mark.attack("S38")
async def test_s38_a_proof_by_a_key_that_its_actor_does_not_list_is_refused(world: World) -> None:
    world.directory.meet(BEN)
    world.web.documents[BEN] = actor_document(BEN)
    assert await answer(world, proved(like(1)), BEN) == (401, "key_unclaimed")
    assert (world.letters(), world.web.asked) == ([], [BEN])


@pytest.mark.attack("S16")
async def test_s16_proofs_by_ever_new_keys_do_not_make_us_ask_without_end(world: World) -> None:
    world.directory.meet(BEN)
    world.web.documents[BEN] = actor_document(BEN)
    app = world.app()
    for number in range(20):
        unknown = proved(like(number), verificationMethod=f"{BEN}#{number}")
        assert (await bring(app, draft_post(unknown, signing_key(BEN)))).status_code == 401
    assert len(world.web.asked) == InboxLimits().vain_fetches_per_host_max


# a proof that is right


async def test_a_letter_with_a_right_proof_brought_by_its_actor_is_taken(world: World) -> None:
    meet(world)
    assert await answer(world, proved(like(1)), BEN) == (202, "")
    (letter,) = world.letters()
    assert (letter.sender, letter.proof, world.web.asked) == (BEN, "draft-cavage", [])


async def test_the_key_of_a_proof_is_fetched_once_where_we_do_not_know_it(world: World) -> None:
    world.directory.meet(BEN)
    world.web.documents[BEN] = actor_document(BEN, assertionMethod=[assertion_method(BEN_PROVES)])
    app = world.app()
    for number in range(3):
        assert (await bring(app, draft_post(proved(like(number)), signing_key(BEN)))).status_code == 202
    assert world.web.asked == [BEN]


async def test_a_proof_by_a_key_that_was_changed_under_its_old_name_makes_us_ask_again(world: World) -> None:
    meet(world)
    old = verification_key(signing_key(BEN, "ed25519-older"))
    world.directory.keys[BEN_PROVES.key_id] = replace(old, key_id=BEN_PROVES.key_id)
    world.web.documents[BEN] = actor_document(BEN, assertionMethod=[assertion_method(BEN_PROVES)])
    world.clock.advance(600)
    assert (await bring(world.app(), draft_post(proved(like(1)), signing_key(BEN)))).status_code == 202
    assert world.web.asked == [BEN]


# carried by somebody else


async def test_a_forwarded_letter_with_a_proof_is_its_actors(world: World) -> None:
    meet(world)
    world.directory.meet(EVE)
    assert await answer(world, proved(like(1)), EVE) == (202, "")
    (letter,) = world.letters()
    assert (letter.sender, letter.host) == (BEN, "river.example")
    assert (letter.proof, letter.key_id) == ("fep-8b32", BEN_PROVES.key_id)
    assert world.web.asked == []


async def test_a_forwarded_letter_with_a_proof_is_taken_from_a_carrier_we_did_not_know(world: World) -> None:
    meet(world)
    world.web.documents[EVE] = actor_document(EVE)
    assert await answer(world, proved(like(1)), EVE) == (202, "")
    assert (world.letters()[0].sender, world.web.asked) == (BEN, [EVE])


@pytest.mark.attack("S29")
async def test_s29_a_carrier_cannot_prove_another_actors_letter_with_its_own_key(world: World) -> None:
    meet(world)
    meet(world, EVE)
    assert await answer(world, proved(like(1), EVE), EVE) == (401, "proof_key")
    assert (world.letters(), world.web.asked) == ([], [])


async def test_a_forwarded_letter_needs_a_signature_of_its_carrier_all_the_same(world: World) -> None:
    meet(world)
    world.directory.meet(EVE)
    unsigned = draft_post(proved(like(1)), signing_key(EVE)).but(signature=None)
    assert (await bring(world.app(), unsigned)).status_code == 401
    by_another_key = draft_post(proved(like(1)), replace(signing_key(BOB), key_id=f"{EVE}#main-key"))
    assert (await bring(world.app(), by_another_key)).status_code == 401
    assert world.letters() == []


@pytest.mark.attack("S48")
async def test_s48_nobody_carries_letters_past_a_block(world: World) -> None:
    meet(world)
    world.directory.meet(EVE)
    world.directory.blocked.add("river.example")
    assert await answer(world, proved(like(1)), EVE) == (403, "blocked")
    assert world.letters() == []


@pytest.mark.attack("S46")
async def test_s46_a_forwarded_letter_without_a_proof_is_read_at_its_actors_server(world: World) -> None:
    world.directory.meet(EVE)
    world.web.documents[like(1)["id"]] = {**like(1), "summary": "as Ben said it"}
    assert await answer(world, {**like(1), "summary": "as Eve would like it"}, EVE) == (202, "")
    (letter,) = world.letters()
    assert (letter.sender, letter.proof, letter.key_id) == (BEN, "origin", like(1)["id"])
    assert b"as Ben said it" in letter.body
    assert world.web.asked == [like(1)["id"]]


@pytest.mark.attack("S46")
async def test_s46_a_forwarded_letter_that_its_actors_server_does_not_know_is_refused(world: World) -> None:
    world.directory.meet(EVE)
    assert await answer(world, like(1), EVE) == (401, "not_the_actor")
    assert world.letters() == []


@pytest.mark.attack("S46")
@pytest.mark.parametrize("other", [{"id": like(2)["id"]}, {"actor": f"{BEN}-mallory"}, {"type": None}])
async def test_s46_what_is_found_instead_of_the_forwarded_letter_is_refused(
    world: World, other: dict[str, Any]
) -> None:
    world.directory.meet(EVE)
    world.web.documents[like(1)["id"]] = {**like(1), **other}
    assert await answer(world, like(1), EVE) == (401, "not_the_actor")
    assert world.letters() == []


@pytest.mark.attack("S46")
async def test_s46_a_stranger_who_carries_letters_without_a_proof_makes_us_fetch_nothing(world: World) -> None:
    assert await answer(world, like(1), EVE) == (401, "wrong_actor")
    assert (world.letters(), world.web.asked) == ([], [])


@pytest.mark.attack("S16")
async def test_s16_carried_letters_make_us_ask_a_server_only_so_often(world: World) -> None:
    world.directory.meet(EVE)
    app = world.app()
    for number in range(50):
        assert (await bring(app, draft_post(like(number), signing_key(EVE)))).status_code == 401
    assert len(world.web.asked) == InboxLimits().origin_fetches_per_host_per_minute_max
    world.clock.advance(61)
    world.web.documents[like(99)["id"]] = like(99)
    assert (await bring(app, draft_post(like(99), signing_key(EVE), at=world.clock.now()))).status_code == 202


@pytest.mark.attack("S51")
async def test_s51_a_forwarded_letter_of_our_own_actor_is_refused(world: World) -> None:
    world.directory.meet(EVE)
    assert await answer(world, like(1, f"https://{OUR_HOST}/users/ana"), EVE) == (401, "own_actor")
    assert (world.letters(), world.web.asked) == ([], [])


async def test_a_letter_that_somebody_carried_does_not_show_that_its_server_is_awake(world: World) -> None:
    meet(world)
    world.directory.meet(EVE)
    senders: list[Authentic] = []

    def note(_work: object, letter: Letter, _fetched: object) -> bool:
        senders.append(letter.sender)
        return True

    assert await answer(world, proved(like(1)), EVE) == (202, "")
    await world.worker({"Like": [Scripted(note)]}).drain()
    assert [(sender.actor.text, sender.proof) for sender in senders] == [(BEN, "fep-8b32")]
    assert world.directory.heard == []


# linked data signatures


@pytest.mark.attack("S35")
@pytest.mark.parametrize("case", FORGERIES["attacks"], ids=lambda case: str(case["name"]))
async def test_s35_a_document_altered_under_its_linked_data_signature_changes_nothing(
    world: World, case: dict[str, Any]
) -> None:
    world.directory.meet(EVE)
    world.directory.meet(BOB)
    status, _ = await answer(world, case["document"], EVE)
    assert status in (202, 400, 401)
    assert world.letters() == []


GENUINE = [*FORGERIES["originals"], vector("rsasignature2017/mastodon-2024-create-note.json")["document"]]


@pytest.mark.attack("S35")
@pytest.mark.parametrize("document", GENUINE, ids=lambda document: str(document["id"]))
async def test_s35_a_linked_data_signature_proves_nothing_even_where_it_is_right(
    world: World, document: dict[str, Any]
) -> None:
    world.directory.meet(EVE)
    world.directory.meet(BOB)
    assert await answer(world, document, EVE) == (202, "")
    assert world.letters() == []


@pytest.mark.attack("S37")
async def test_s37_a_linked_data_signature_by_the_carrier_makes_it_no_sender(world: World) -> None:
    world.directory.meet(EVE)
    signature = {"type": "RsaSignature2017", "creator": f"{EVE}#main-key", "signatureValue": "AAAA"}
    assert await answer(world, {**like(1), "signature": signature}, EVE) == (202, "")
    assert (world.letters(), world.web.asked) == ([], [like(1)["id"]])
