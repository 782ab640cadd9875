"""One neighbourhood for the suites, as anybody would start it on one machine."""

from collections.abc import Iterator

import pytest

from fedaid.demo.servers import Person, Town, free_port


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A running instance with an admin, Nora, and its board."""
    data = tmp_path_factory.mktemp("town") / "data"
    made = Town("Northside", f"http://127.0.0.1:{free_port()}", data, [Person("nora", "Nora Admin", "admin")])
    made.found()
    try:
        made.start()
        yield made
    finally:
        made.stop()
