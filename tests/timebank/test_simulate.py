"""Two to four neighbourhoods under every fault that a seed can choose: nothing breaks, and everything happens."""

import os
import subprocess
import sys

import pytest

from activitypub.signatures.proofs import canonical
from tests.timebank.simulate.__main__ import missed_cells, missed_sights, play_all, report, seeds_of
from tests.timebank.simulate.on_postgresql import Copies
from tests.timebank.simulate.simulation import STEPS, Simulation
from tests.timebank.simulate.town import quick_canonical

SEEDS = 200
ALSO_ON_POSTGRESQL, STEPS_THERE = (1, 3, 4, 7, 11), 120  # all that waits for a disk is much slower there


def test_no_seed_breaks_an_invariant_and_every_cell_is_come_through() -> None:
    outcomes = list(play_all(seeds_of(SEEDS), STEPS, os.cpu_count() or 1))
    broken = [f"{one.violation}; alone: make simulate SEED={one.seed}" for one in outcomes if one.violation]
    print(report(outcomes))  # noqa: T201 - shown when it fails
    assert broken == []
    assert missed_cells(outcomes) == []
    assert missed_sights(outcomes) == []


def test_a_seed_replays_alone_step_by_step() -> None:
    """In another process, which orders its sets differently and has played nothing before."""
    Simulation(1, 40).run()
    here = Simulation(2, 120).run()
    again = subprocess.run(
        [sys.executable, "-m", "tests.timebank.simulate", "--seed", "2", "--steps", "120"],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        check=True,
    )
    assert again.stdout.decode().splitlines()[:-2] == list(here.trace)


@pytest.mark.parametrize("seed", ALSO_ON_POSTGRESQL)
def test_a_seed_plays_step_by_step_alike_on_postgresql(seed: int) -> None:
    """On the schema of the migrations, put back from copies that the server made."""
    in_memory = Simulation(seed, STEPS_THERE).run()
    with Copies() as copies:
        there = Simulation(seed, STEPS_THERE, copies.new_database).run()
    assert there.violation == ""
    assert there.trace == in_memory.trace
    assert there.cells == in_memory.cells


def test_the_seeds_on_postgresql_put_databases_back_and_end_processes() -> None:
    sights = {sight for seed in ALSO_ON_POSTGRESQL for sight in Simulation(seed, STEPS_THERE).run().sights}
    assert {"restore", "crash", "disk full", "byzantine"} <= sights


def test_what_makes_it_fast_says_the_same() -> None:
    document = {"b": [1, -5, "ü€\n"], "a": {"fa:seq": 2**53 - 1, "": None, "Z": True}, "fa:x": '\u0007\\"'}
    assert quick_canonical(document) == canonical(document)
