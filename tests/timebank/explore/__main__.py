"""Explore and print states, transitions and violations: ``python -m tests.timebank.explore [--all]``."""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor

from tests.timebank.explore.configs import LARGE, QUICK
from tests.timebank.explore.search import Config, Explorer, Found


def explore(config: Config) -> Found:
    return Explorer(config).run()


def main() -> int:
    asked = argparse.ArgumentParser(description="Explore the timebank's state tables exhaustively.")
    asked.add_argument("--all", action="store_true", help="also those of a million states and more (minutes)")
    asked.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes (default: one per processor)")
    chosen = asked.parse_args()
    configs = QUICK + LARGE if chosen.all else QUICK
    found = []
    with ProcessPoolExecutor(chosen.jobs) as pool:
        for one in pool.map(explore, configs):
            print(one, flush=True)  # noqa: T201 - what the program is for
            for step in one.trace:
                print(f"    {step}")  # noqa: T201
            found.append(one)
    violations = sum(one.violations for one in found)
    totals = sum(one.states for one in found), sum(one.transitions for one in found)
    print(f"states {totals[0]} transitions {totals[1]} violations {violations}")  # noqa: T201
    return bool(violations)


if __name__ == "__main__":
    sys.exit(main())
