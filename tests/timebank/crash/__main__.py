"""Ride out storms on both kinds of database: ``python -m tests.timebank.crash --seconds 60``."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.support import postgresql
from tests.support.databases import KINDS
from tests.timebank.crash.storm import Outcome, ride_out


def main() -> int:
    asked = argparse.ArgumentParser(description="Kill and restore servers while people use them.")
    asked.add_argument("--seconds", type=float, default=60, help="of each storm")
    asked.add_argument("--seed", type=int, default=1, help="of everything but the machine's own timing")
    asked.add_argument("--database", choices=KINDS, action="append", help="default: both, one after the other")
    chosen = asked.parse_args()
    guard = postgresql.stand_guard()
    try:
        outcomes = [_ride_out(kind, chosen.seed, chosen.seconds) for kind in chosen.database or KINDS]
    finally:
        guard.let_go()
    return not all(one.verdict.is_clean for one in outcomes)


def _ride_out(kind: str, seed: int, seconds: float) -> Outcome:
    with tempfile.TemporaryDirectory(dir=postgresql.run_folder()) as folder:
        outcome = ride_out(kind, Path(folder), seed, seconds)
    print(f"{kind}: seed {seed}, {outcome.presses} presses, {dict(outcome.fates)}")  # noqa: T201 - what it is for
    for sentence in (*outcome.verdict.lost, *outcome.verdict.doubled, *outcome.verdict.wrong):
        print(f"    {sentence}")  # noqa: T201
    print(outcome, flush=True)  # noqa: T201
    return outcome


if __name__ == "__main__":
    sys.exit(main())
