"""Real servers are killed, frozen and put back while people use them: no hour is lost, and none is doubled."""

import secrets
from pathlib import Path

from tests.timebank.crash.storm import ride_out

SECONDS = 30  # on each kind of database; `make crash SECONDS=3600` for longer


def test_what_people_saw_is_what_both_books_say_after_a_storm(database_kind: str, tmp_path: Path) -> None:
    """SQLite as one process, PostgreSQL as two web servers and a worker; the seed chooses all but the machine's timing."""
    seed = secrets.randbelow(10_000)
    alone = f"python -m tests.timebank.crash --database {database_kind} --seed {seed} --seconds {SECONDS}"
    print(alone)  # noqa: T201 - shown when it fails
    outcome = ride_out(database_kind, tmp_path, seed, SECONDS)
    print(outcome)  # noqa: T201
    assert outcome.verdict.is_clean, "\n".join(
        [alone, *outcome.verdict.lost, *outcome.verdict.doubled, *outcome.verdict.wrong]
    )
    assert outcome.sums
    assert set(outcome.sums) == {0}
    assert outcome.kills > 0
    assert outcome.restores > 0
    assert outcome.verdict.moved > 0
