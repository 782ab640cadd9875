"""Two real neighbourhoods in a storm: servers are killed, frozen and restored while eight people log their hours."""

from pathlib import Path

from tests.timebank.crash.storm import ride_out

STORM_SECONDS = 30
SEED = 1


def test_no_hour_is_lost_or_doubled_in_a_storm(database_kind: str, tmp_path: Path) -> None:
    outcome = ride_out(database_kind, tmp_path, SEED, STORM_SECONDS)
    print(f"seed {SEED}, {dict(outcome.fates)}, {outcome}")  # noqa: T201 - shown when it fails
    assert [*outcome.verdict.lost, *outcome.verdict.doubled, *outcome.verdict.wrong] == []
    assert set(outcome.sums) == {0}
    assert outcome.kills
    assert outcome.restores
    assert outcome.verdict.moved
