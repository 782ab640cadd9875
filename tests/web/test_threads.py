"""A stampede is answered in a few threads: more would only take the interpreter from each other."""

import asyncio
import threading
import time
from pathlib import Path
from unittest.mock import patch

import pytest
from starlette.responses import Response

from fedaid.web.limits import WebLimits
from tests.towns import found

pytestmark = pytest.mark.anyio
REQUESTS = 9  # as often as there are threads, whether one or three


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("most", [1, 3])
async def test_no_more_pages_are_made_at_once_than_there_are_threads(
    tmp_path: Path, database_kind: str, most: int
) -> None:
    making, seen, counting = 0, 0, threading.Lock()
    together = threading.Barrier(most)  # no thread goes on before all are there, however busy the machine is

    def slowly(*_: object) -> Response:
        nonlocal making, seen
        with counting:
            making += 1
            seen = max(seen, making)
        together.wait(60)
        time.sleep(0.05)  # as if it had much to do: the others come meanwhile
        with counting:
            making -= 1
        return Response("made")

    async with found(tmp_path, database_kind, "northside.example", web=WebLimits(threads_max=most)) as (town,):
        pages = town.instance.web._pages  # type: ignore[attr-defined]
        with patch("fedaid.board.pages.show._board", slowly):
            async with pages.router.lifespan_context(pages), town.browser() as browser:
                answers = await asyncio.gather(*(browser.get(f"/board?q={number}") for number in range(REQUESTS)))
    assert [one.status_code for one in answers] == [200] * REQUESTS
    assert seen == most
