"""Northside and Riverside, linked, each on a database of the kind at hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import migrated_database
from tests.timebank.world import ANA, BEN, EVE, KIM, NORTH, RIVER, Town, found_town, link


@pytest.fixture
def strangers(database_kind: str, tmp_path: Path) -> Iterator[tuple[Town, Town]]:
    """Two neighbourhoods that have not met."""
    with migrated_database(database_kind, tmp_path) as first, migrated_database(database_kind, tmp_path) as second:
        yield found_town(first, NORTH, ANA, KIM), found_town(second, RIVER, BEN, EVE)


@pytest.fixture
def towns(strangers: tuple[Town, Town]) -> tuple[Town, Town]:
    """Two neighbourhoods whose timebanks are linked, with a line of 20 hours each way."""
    link(*strangers)
    return strangers


@pytest.fixture
def north(towns: tuple[Town, Town]) -> Town:
    return towns[0]


@pytest.fixture
def river(towns: tuple[Town, Town]) -> Town:
    return towns[1]
