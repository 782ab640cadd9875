"""Plays the main job on two real instances and prints each step once it was seen; then leaves both up for clicking."""

import re
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from fedaid.demo.agreement import compare
from fedaid.demo.browser import Browser
from fedaid.demo.servers import PASSWORD, Town, side_by_side
from fedaid.demo.story import ANA, BEN, NORA, RUI, STORY, Stage, observe
from fedaid.foundation.refused import Refused

NORTH_PORT, RIVER_PORT = 8001, 8002
# Something to look at besides the story: handle, kind, title, hours, place, category.
SAMPLES: Sequence[tuple[str, str, str, str, str, str]] = (
    ("ana", "offer", "I teach Spanish, beginners welcome", "1", "Northside library", "learning"),
    ("nora", "request", "Somebody to water plants in August", "0:30", "Mill Lane", "garden"),
    ("ben", "offer", "Bicycle repair: brakes, gears, flats", "1", "The Shed, River Street", "repair"),
    ("rui", "request", "Read with my son, Spanish or English", "1", "Riverside library", "childcare"),
)


def play(*, once: bool, north_port: int = NORTH_PORT, river_port: int = RIVER_PORT) -> None:
    """Run the demo. With ``once`` it ends after the story. Raises Refused when a step could not be observed."""
    console = Console(highlight=False, soft_wrap=True)
    for port in (north_port, river_port):
        _check_free(port)
    folder = Path(tempfile.mkdtemp(prefix="fedaid-demo-"))
    north = Town("Northside", f"http://127.0.0.1:{north_port}", folder / "northside", (NORA, ANA))
    river = Town("Riverside", f"http://127.0.0.1:{river_port}", folder / "riverside", (RUI, BEN))
    stage = Stage(north, river)
    try:
        _set_up(console, stage)
        _tell(console, stage)
        with console.status("Comparing the ledgers …"):
            agreed = compare(north, river)
        if not once:
            _invite(console, stage)
            _wait_for_ctrl_c()
        console.print(f"both ledgers agree: {agreed}")
    finally:
        stage.close()
        north.stop()
        river.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise Refused(
                "port_in_use", f"Port {port} is in use here: stop what listens on it, then try again."
            ) from None


def _set_up(console: Console, stage: Stage) -> None:
    towns = (stage.north, stage.river)
    with console.status(f"Founding {stage.north.name} and {stage.river.name} …"):
        side_by_side(Town.found, towns)
    for town in towns:
        console.print(f"Founded {town.name}: an SQLite file in {town.data}")
    with console.status("Starting both servers …"):
        side_by_side(Town.start, towns)
    for town in towns:
        console.print(f"{town.name} answers on {town.origin}")
    with console.status("Posting sample listings …"):
        post_samples(stage)
    console.print(f"{len(SAMPLES)} sample listings stand on the two boards")


def post_samples(stage: Stage) -> None:
    people = {person.handle: person for town in (stage.north, stage.river) for person in town.people}
    for handle, kind, title, hours, place, category in SAMPLES:
        browser: Browser = stage.browser(people[handle])
        filled = {"title": title, "hours": hours, "place": place, "category": category}
        page = browser.press(browser.open(f"/post?kind={kind}"), "/post", filled)
        if not re.search(r"/listings/\d+", page.url):
            raise Refused("sample", f"A sample listing was not taken: {page.text[:300]}")


def _tell(console: Console, stage: Stage) -> None:
    console.print()
    for number, step in enumerate(STORY, 1):
        began = time.monotonic()
        with console.status(f"{step.title} …"):
            step.do(stage)
            sight = observe(step, stage)
        console.print(f"{number}. {step.title}.", style="bold")
        console.print(f"   {sight.sentence} ({time.monotonic() - began:.1f} s)")
        console.print(f"   {sight.url}", style="cyan")
    console.print()


def _invite(console: Console, stage: Stage) -> None:
    console.print("Both neighbourhoods stay up. Sign in and click through the story yourself:", style="bold")
    for town in (stage.north, stage.river):
        people = ", ".join(f"{person.handle} ({person.role})" for person in town.people)
        console.print(f"   {town.name}: {town.origin}   {people}   password: {PASSWORD}")
    console.print("Start at the board of either, signed out. Ctrl-C ends both.")


def _wait_for_ctrl_c() -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()
    sys.stdout.write("\n")
