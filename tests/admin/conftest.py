"""Whole instances for the tests of the admin's desks."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.towns import Town, found


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def north(tmp_path: Path, database_kind: str) -> AsyncIterator[Town]:
    """Northside alone."""
    async with found(tmp_path, database_kind, "northside.example") as (town,):
        yield town
