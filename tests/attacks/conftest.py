"""A town under attack, on each kind of database; it stands as long as the run, as no attack may change it."""

from collections.abc import Iterator

import pytest

from inbox.limits import InboxLimits
from tests.attacks.siege import BOBS_BOARD, Siege, besieged
from tests.support.databases import KINDS


@pytest.fixture(scope="session", params=KINDS)
def standing_siege(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Siege]:
    # The clock runs fast here, and keys that are refreshed by themselves would count as something that changed.
    days = InboxLimits(key_fresh_seconds=365 * 24 * 3600)
    with besieged(request.param, tmp_path_factory.mktemp("siege"), inbox=days) as siege:
        siege.follow_board(BOBS_BOARD)
        yield siege


@pytest.fixture
def siege(standing_siege: Siege) -> Siege:
    """The town, rested: no counter and no connection of another test is left."""
    standing_siege.rest()
    return standing_siege
