"""Northside and Riverside as real servers with the people of the demo, and whoever looks at their pages."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fedaid.demo.browser import Browser
from fedaid.demo.play import post_samples
from fedaid.demo.servers import Person, Town, free_port, side_by_side
from fedaid.demo.story import ANA, BEN, NORA, RUI, STORY, Stage, observe

CLEO = Person("cleo", "Cleo", "coordinator")
SOON = {
    "FEDAID_OUTBOX__FIRST_RETRY_SECONDS": "1",
    "FEDAID_WEB__REQUESTS_PER_ADDRESS_MAX": "1000000",
    "FEDAID_WEB__REQUESTS_PER_ACCOUNT_MAX": "1000000",
}


@dataclass
class Street:
    """Both neighbourhoods. ``listing`` is where Ana's request stands at home, ``theirs`` where Ben sees it."""

    north: Town
    river: Town
    listing: str = ""
    theirs: str = ""

    def tell(self, browser_at: Callable[[Town], Browser] = lambda town: Browser(town.origin)) -> None:
        """Play the demo's story with such browsers, each step seen at the other side. Raises NotSeen, NotOnThePage."""
        stage = Stage(self.north, self.river, browser_at)
        try:
            post_samples(stage)
            for step in STORY:
                step.do(stage)
                observe(step, stage)
            self.listing, self.theirs = stage.listing, stage.theirs
        finally:
            stage.close()


@contextmanager
def built(folder: Path) -> Iterator[Street]:
    """Both of them founded and started."""
    north = Town("Northside", f"http://127.0.0.1:{free_port()}", folder / "northside", (NORA, ANA, CLEO), SOON)
    river = Town("Riverside", f"http://127.0.0.1:{free_port()}", folder / "riverside", (RUI, BEN), SOON)
    try:
        side_by_side(Town.found, (north, river))
        side_by_side(Town.start, (north, river))
        yield Street(north, river)
    finally:
        north.stop()
        river.stop()
