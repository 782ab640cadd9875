"""One neighbourhood for all interop tests, and one Fedify peer for each of its modes."""

from collections.abc import Iterator

import pytest

from fedaid.demo.servers import Town, free_port
from tests.interop.fedify import MODES, Peer
from tests.interop.northside import PEOPLE, SOON_AGAIN, Northside


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of one mode go to one worker of xdist (``--dist loadgroup``), so that each peer is started once."""
    for item in items:
        if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
            item.add_marker(pytest.mark.xdist_group(item.callspec.params["peer"].name))


@pytest.fixture(scope="session")
def northside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Northside]:
    """The neighbourhood, on an SQLite file."""
    data = tmp_path_factory.mktemp("northside") / "data"
    opened = Northside(Town("Northside", f"http://127.0.0.1:{free_port()}", data, PEOPLE, SOON_AGAIN))
    opened.town.found()
    try:
        opened.town.start()
        yield opened
    finally:
        opened.close()
        opened.town.stop()


@pytest.fixture(scope="session", params=MODES, ids=lambda mode: mode.name)
def peer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """The peer; in the end it has nothing to complain of."""
    opened = Peer(request.param, tmp_path_factory.mktemp("peer") / "state")
    opened.start()
    try:
        yield opened
        assert opened.transcript().troubles == []
    finally:
        opened.stop()


@pytest.fixture
def follower(peer: Peer, northside: Northside) -> Peer:
    """The peer, whose Alice follows the board."""
    asked = peer.tell("follow", target=northside.board)
    peer.wait_for_delivery("Accept", asked["id"])
    return peer
