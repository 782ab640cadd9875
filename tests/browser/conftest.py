"""Two linked neighbourhoods with the demo's story behind them, one Chromium, and the windows of people, with scripts and without."""

from collections.abc import Iterator

import playwright.sync_api as playwright
import pytest

from tests.browser import chromium
from tests.browser.street import Street, Windows, built


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


@pytest.fixture(scope="module", params=[True, False], ids=["with scripts", "without scripts"])
def scripts(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module")
def windows(browser: playwright.Browser, street: Street, scripts: bool) -> Iterator[Windows]:
    """Everybody's window: on a desktop with scripts, on a phone without. No script fails, no file is missing."""
    with Windows(browser, street.north, street.river, scripts=scripts) as opened:
        yield opened
    assert opened.troubles == []
