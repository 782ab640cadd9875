"""Two linked neighbourhoods with the demo's story behind them, and one Chromium, for all tests of this folder."""

from collections.abc import Iterator

import playwright.sync_api as playwright
import pytest

from tests.browser import chromium
from tests.browser.street import Street, built


@pytest.fixture(scope="session")
def browser() -> Iterator[playwright.Browser]:
    with chromium.chromium() as started:
        yield started


@pytest.fixture(scope="session")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    """The neighbourhoods, whose story has been told."""
    with built(tmp_path_factory.mktemp("street")) as opened:
        opened.tell()
        yield opened
