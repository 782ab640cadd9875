"""Make a neighbourhood of 10,000 members and 50,000 listings, and say how long its pages take: ``make big``."""

import argparse
import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import select
from starlette.testclient import TestClient

from fedaid.members import commands as members
from fedaid.members.limits import MemberLimits
from fedaid.members.tables import member
from tests.big.town import Size, fill
from tests.support import postgresql
from tests.support.databases import KINDS
from tests.support.towns import Town, towns

MEDIAN_MS_MAX = 100.0
PAGES: Mapping[str, str] = {
    "board": "/board",
    "board, second page of a kind": "/board?kind=offer&category=garden",
    "search, a common word": "/board?q=help",
    "search, two words": "/board?q=repair+bicycle",
    "search, no such word": "/board?q=zeppelin",
    "within 5 km": "/board?near=51.52,-0.09&km=5",
    "within 2 km, with words": "/board?near=51.55,-0.05&km=2&q=piano",
    "map": "/board/map?q=sofa",
    "suggestions (My day)": "/me",
    "directory": "/people",
    "directory, with words": "/people?q=repair+bicycle",
}


def signed_in(town: Town) -> TestClient:
    """A browser in which some member is signed in."""
    client = TestClient(town.instance.web, base_url=town.instance.settings.origin)
    with town.instance.units.begin() as work:
        query = select(member.c.id).order_by(member.c.id).offset(5).limit(1)
        secret = members.sign_in(work, work.connection.execute(query).scalar_one(), "big", MemberLimits())
    name = town.instance.settings.names.host.replace(".", "-")
    client.cookies.set(f"__Host-fedaid-{name}", secret)
    return client


def median_ms(client: TestClient, path: str, times: int) -> float:
    """Of the whole answer, from the request to the last byte, in this process; the first is not counted."""
    taken = []
    for _ in range(times + 1):
        began = time.perf_counter()
        answer = client.get(path)
        taken.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, (path, answer.status_code)
    assert "Sign out" in answer.text, "nobody is signed in"
    return statistics.median(taken[1:])


def measure(kind: str, size: Size, seed: int, times: int) -> bool:
    """Print a line for each page; whether all of them are quick enough."""
    with tempfile.TemporaryDirectory() as folder, towns(kind, Path(folder), "northside") as (town,):
        began = time.perf_counter()
        fill(town, size, seed)
        made = time.perf_counter() - began
        said = f"{kind}: {size.members} members, {size.listings} listings, seed {seed}, made in {made:.0f} s"
        print(said, flush=True)  # noqa: T201 - what the program is for
        client = signed_in(town)
        found = {name: median_ms(client, path, times) for name, path in PAGES.items()}
    for name, took in found.items():
        print(f"  {name:<30} {took:7.1f} ms{'' if took <= MEDIAN_MS_MAX else '   TOO SLOW'}", flush=True)  # noqa: T201
    return all(took <= MEDIAN_MS_MAX for took in found.values())


def main() -> None:
    """The command."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--members", type=int, default=Size.members)
    asked.add_argument("--listings", type=int, default=Size.listings)
    asked.add_argument("--seed", type=int, default=7)
    asked.add_argument("--times", type=int, default=21)
    asked.add_argument("--databases", nargs="*", default=KINDS)
    given = asked.parse_args()
    size = Size(given.members, given.listings)
    guard = postgresql.stand_guard()
    try:
        quick = [measure(kind, size, given.seed, given.times) for kind in given.databases]
    finally:
        guard.let_go()
    raise SystemExit(0 if all(quick) else 1)


if __name__ == "__main__":
    main()
