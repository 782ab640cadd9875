"""The board's documents for other servers: private ones by signature, to the two they are about (S47)."""

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from activitypub.errors import SignatureRefused
from activitypub.keys import VerificationKey, private_from_pem
from activitypub.signatures.proofs import verify_proof
from fedaid.board import commands
from fedaid.foundation.refused import Refused
from tests.board.test_board_pages import board_routes
from tests.board.test_board_shapes import offer_of_ben
from tests.board.world import BEN, BOARD, CAROL, World
from tests.small_house import START, browser, some_keys

AP = {"Accept": "application/activity+json"}


async def who_signs(request: Request) -> str:
    """The signature names the actor here; what a signature proves is tested elsewhere."""
    signer = request.headers["signature"]
    if signer == "wrong":
        raise Refused("signature_wrong", "The signature does not match the request.", 401)
    return signer


def servers(world: World, *, secure_mode: bool = False) -> TestClient:
    return browser(world.house, board_routes(world), identify=who_signs, secure_mode=secure_mode)


def read(client: TestClient, path: str, signer: str = "") -> tuple[int, bytes, str]:
    answer = client.get(path, headers=AP | ({"signature": signer} if signer else {}))
    return answer.status_code, answer.content, answer.headers["cache-control"]


@pytest.fixture
def agreement(world: World) -> str:
    """Ben helps Ana."""
    listing = world.post()
    world.receive(offer_of_ben(world, listing.id))
    answer = world.response_at("https://riverside.example/responses/31")
    assert answer is not None
    return f"/agreements/{world.accept(answer)}"


@pytest.mark.attack("S47")
def test_s47_an_agreement_is_read_by_its_two_parties_and_for_others_it_is_not_there(
    world: World, agreement: str
) -> None:
    client = servers(world)
    assert read(client, agreement, BEN)[0] == 200
    assert read(client, agreement, world.ana.actor)[0] == 200
    hidden = [read(client, agreement), read(client, agreement, CAROL), read(client, agreement, world.bea.actor)]
    absent = [read(client, "/agreements/7"), read(client, "/agreements/7", BEN)]
    assert len(set(hidden + absent)) == 1
    assert (hidden[0][0], hidden[0][2]) == (404, "private, no-store")
    assert read(client, agreement, "wrong")[0] == read(client, "/agreements/7", "wrong")[0] == 401


@pytest.mark.attack("S47")
def test_s47_a_response_is_read_by_the_board_it_asks_and_for_others_it_is_not_there(world: World) -> None:
    answer = world.respond(world.bea, world.post())
    path = f"/responses/{answer.id}"
    client = servers(world)
    assert read(client, path, answer.asked_actor)[0] == 200
    assert read(client, path, world.bea.actor)[0] == 200
    assert read(client, path, BEN) == read(client, path) == read(client, "/responses/7", BEN)


def test_in_secure_mode_a_listing_and_its_tombstone_are_read_by_whoever_signs(world: World) -> None:
    listing = world.post()
    path = f"/listings/{listing.id}"
    client = servers(world, secure_mode=True)
    assert read(client, path)[0] == read(client, "/listings/7")[0] == 401
    assert (read(client, path, CAROL)[0], read(client, path, CAROL)[2]) == (200, "private, no-store")
    with world.units.begin() as work:
        commands.withdraw_listing(work, world.ana, listing.id)
    assert (read(client, path)[0], read(client, path, CAROL)[0]) == (401, 410)


def test_a_page_for_people_asks_nobody_for_a_signature(world: World) -> None:
    listing = world.post()
    page = servers(world, secure_mode=True).get(f"/listings/{listing.id}", headers={"Accept": "text/html"})
    assert page.status_code == 200


def test_a_listing_carries_the_proof_of_its_board_and_reads_the_same_each_time(world: World) -> None:
    listing = world.post()
    path = f"/listings/{listing.id}"
    first = servers(world).get(path, headers=AP)
    world.house.clock.pass_seconds(3600)
    assert servers(world).get(path, headers=AP).content == first.content
    public = private_from_pem(some_keys().ed25519_pem).public_key()
    key = VerificationKey(f"{BOARD}#ed25519-key", BOARD, public, START)
    assert verify_proof(first.json(), key, world.now).signed_at == listing.updated_at.replace(microsecond=0)
    with pytest.raises(SignatureRefused):
        verify_proof({**first.json(), "content": "<p>Free money</p>"}, key, world.now)
