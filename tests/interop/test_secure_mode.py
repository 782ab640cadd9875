"""Both servers show nothing to who does not sign, and still find, follow and read each other."""

from collections.abc import Iterator

import httpx2
import pytest

from activitypub.documents import CONTENT_TYPE
from fedaid.demo.servers import Town, free_port
from tests.interop.fedify import SIGNED_FETCH, Peer
from tests.interop.northside import ANA, PEOPLE, SOON_AGAIN, Northside
from tests.interop.transcript import check_signed_by

pytestmark = pytest.mark.parametrize("peer", [SIGNED_FETCH], indirect=True, ids=["signed-fetch"])


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Northside]:
    """The neighbourhood, which answers signed requests only."""
    data = tmp_path_factory.mktemp("guarded") / "data"
    town = Town(
        "Northside", f"http://127.0.0.1:{free_port()}", data, PEOPLE, {"FEDAID_SECURE_MODE": "true", **SOON_AGAIN}
    )
    opened = Northside(town)
    town.found()
    try:
        town.start()
        yield opened
    finally:
        opened.close()
        town.stop()


def _unsigned(url: str) -> httpx2.Response:
    return httpx2.get(url, headers={"Accept": CONTENT_TYPE}, trust_env=False)


def test_two_servers_that_ask_each_other_for_signatures_do_not_wait_for_each_other(
    peer: Peer, guarded: Northside
) -> None:
    assert peer.tell("lookup", target=guarded.handle)["json"]["name"] == "Northside"
    asked = peer.tell("follow", target=guarded.board)
    check_signed_by(guarded.board, peer.wait_for_delivery("Accept", asked["id"]))

    listing = guarded.post_request("Walk my dog")
    check_signed_by(guarded.board, peer.wait_for_delivery("Create", listing))
    assert peer.tell("lookup", target=listing)["type"] == "Note"
    peer.tell("send", content="<p>I have time.</p>", to=[guarded.board], inReplyTo=listing)
    guarded.wait_for_page(ANA, listing, lambda page: page.says("I have time."))


def test_who_does_not_sign_reads_keys_and_nothing_else(peer: Peer, guarded: Northside) -> None:
    listing = guarded.post_request("Walk my other dog")
    for url in (
        listing,
        f"{listing}/replies",
        f"{listing}/context",
        f"{guarded.board}/outbox",
        f"{guarded.board}/followers",
    ):
        assert _unsigned(url).status_code == 401
        for spec in ("cavage", "rfc9421"):
            assert peer.tell("fetch", url=url, spec=spec)["status"] == 200
    shown = _unsigned(guarded.board)
    assert shown.status_code == 200
    assert "publicKey" in shown.json()
    assert "name" not in shown.json()
