"""When a delivery is tried again, given up, set aside, or left to a sleeping host."""

import pytest

from outbox.backoff import DAY_MS, Answer, Outcome, Step, Trial, Verdict, backoff_seconds, decide, judge, reason_in
from outbox.limits import OutboxLimits

LIMITS = OutboxLimits()
NOW = 1_800_000_000_000
MINUTE, HOUR = 60_000, 3_600_000
OK, NO = Outcome(Answer.ACCEPTED, 202), Outcome(Answer.REFUSED, 404)
BUSY, SILENT = Outcome(Answer.BUSY, 503), Outcome(Answer.SILENT)


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        *[(status, Answer.ACCEPTED) for status in (200, 201, 202, 204)],
        *[(status, Answer.REFUSED) for status in (400, 402, 403, 404, 405, 406, 409, 410, 413, 415, 422, 451)],
        *[(status, Answer.BUSY) for status in (401, 408, 429, 500, 501, 502, 503, 504, 522, 301, 302, 307, 308)],
    ],
)
def test_what_a_status_means(status: int, answer: Answer) -> None:
    assert judge(status).answer is answer


def test_a_final_answer_has_no_retry_after() -> None:
    assert judge(404, 60).retry_after_seconds is None
    assert judge(503, 60).retry_after_seconds == 60


@pytest.mark.parametrize(
    ("tries", "keep_trying", "chance", "seconds"),
    [
        (1, False, 0.5, 60),
        (2, False, 0.5, 180),
        (3, False, 0.5, 540),
        (6, False, 0.5, 14_580),
        (7, False, 0.5, 21_600),
        (13, False, 0.5, 21_600),
        (1, False, 0.0, 48),
        (1, False, 1.0, 72),
        (13, False, 1.0, 25_920),
        (4, True, 0.5, 1_620),
        (5, True, 0.5, 3_600),
        (100_000, True, 0.5, 3_600),
    ],
)
def test_waits_grow_threefold_up_to_a_limit_with_a_fifth_of_chance(
    tries: int, keep_trying: bool, chance: float, seconds: float
) -> None:
    assert backoff_seconds(Trial(tries, keep_trying), LIMITS, chance) == pytest.approx(seconds)


def test_all_tries_together_take_two_to_three_days() -> None:
    total = sum(backoff_seconds(Trial(tries), LIMITS, 0.5) for tries in range(1, LIMITS.tries_max + 1))
    assert 2 * 86_400 < total < 3 * 86_400


def _retry(at_ms: int, *, asleep: bool = False) -> Verdict:
    return Verdict(Step.RETRY, asleep=asleep, next_try_ms=NOW + at_ms, quiet_until_ms=NOW + at_ms)


SLEPT = NOW - DAY_MS
SLEPT_LONG = NOW - 30 * DAY_MS


@pytest.mark.parametrize(
    ("trial", "outcome", "verdict"),
    [
        (Trial(1), OK, Verdict(Step.ARRIVED)),
        (Trial(9, asleep_since_ms=SLEPT), OK, Verdict(Step.ARRIVED)),
        (Trial(1), NO, Verdict(Step.FAILED)),
        (Trial(9, asleep_since_ms=SLEPT), NO, Verdict(Step.FAILED)),
        (Trial(1, keep_trying=True), NO, Verdict(Step.SET_ASIDE, next_try_ms=NOW + MINUTE)),
        (Trial(50, keep_trying=True), NO, Verdict(Step.SET_ASIDE, next_try_ms=NOW + HOUR)),
        (Trial(1), BUSY, _retry(MINUTE)),
        (Trial(1), SILENT, _retry(MINUTE)),
        (Trial(13), SILENT, _retry(6 * HOUR)),
        (Trial(13, keep_trying=True), SILENT, _retry(HOUR)),
        # Retry-After lengthens a wait, never shortens it, and is believed for a day
        (Trial(1), Outcome(Answer.BUSY, 429, 600), _retry(10 * MINUTE)),
        (Trial(2), Outcome(Answer.BUSY, 429, 1), _retry(3 * MINUTE)),
        (Trial(1), Outcome(Answer.BUSY, 503, 10**9), _retry(24 * HOUR)),
        (Trial(1, keep_trying=True), Outcome(Answer.BUSY, 503, 7200), _retry(2 * HOUR)),
        # the schedule is exhausted and nobody ever answered: the host sleeps, the mail is kept
        (Trial(14), SILENT, _retry(24 * HOUR, asleep=True)),
        (Trial(14, urgent=True), SILENT, _retry(HOUR, asleep=True)),
        (Trial(14, keep_trying=True), SILENT, _retry(HOUR, asleep=True)),
        (Trial(1, asleep_since_ms=SLEPT), SILENT, _retry(24 * HOUR, asleep=True)),
        (Trial(1, asleep_since_ms=SLEPT), BUSY, _retry(24 * HOUR, asleep=True)),
        # somebody answers, but never takes this one: it is given up, the next one is tried soon
        (Trial(14), BUSY, Verdict(Step.FAILED, asleep=True, quiet_until_ms=NOW + MINUTE)),
        (
            Trial(14, keep_trying=True),
            BUSY,
            Verdict(Step.SET_ASIDE, asleep=True, next_try_ms=NOW + HOUR, quiet_until_ms=NOW + MINUTE),
        ),
        # thirty days asleep
        (
            Trial(40, asleep_since_ms=SLEPT_LONG),
            SILENT,
            Verdict(Step.GONE, asleep=True, quiet_until_ms=NOW + 24 * HOUR),
        ),
        (Trial(40, keep_trying=True, asleep_since_ms=SLEPT_LONG), SILENT, _retry(HOUR, asleep=True)),
    ],
)
def test_what_becomes_of_a_delivery(trial: Trial, outcome: Outcome, verdict: Verdict) -> None:
    assert decide(trial, outcome, NOW, LIMITS, chance=0.5) == verdict


def test_the_next_try_is_never_at_once() -> None:
    hasty = OutboxLimits(first_retry_seconds=0)
    assert decide(Trial(1), SILENT, NOW, hasty, chance=0.0).next_try_ms == NOW + 1000


def test_a_lease_must_be_long_enough_for_one_try_and_a_moment_to_begin_it() -> None:
    with pytest.raises(ValueError, match="at least 41"):
        OutboxLimits(lease_seconds=40, answer_timeout_seconds=10)
    assert OutboxLimits(lease_seconds=41, answer_timeout_seconds=10).try_seconds_max == 40


@pytest.mark.attack("S75")
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"title": "Forbidden", "detail": "evil.example is blocked here."}', "evil.example is blocked here."),
        ('{"error": "Request not signed", "x": 1}', "Request not signed"),
        ('{"title": "Forbidden"}', "Forbidden"),
        ('{"error": {"code": 7}}', ""),
        ('{"error": "cut', ""),
        ("{" * 5000, ""),
        ("[1]", "[1]"),
        ("\n  Not today\nand more", "Not today"),
        ("<!doctype html><p>Forbidden", ""),
        ("x\x1b[31m\ty", "x [31m y"),
        ("a" * 400, "a" * 300),
        ("", ""),
    ],
)
def test_the_reason_another_server_gives_is_one_line_for_the_admin(text: str, reason: str) -> None:
    """S75: nothing in it can pass for a line of our log or for a command of the terminal."""
    assert reason_in(text, 300) == reason
    assert judge(403, said=reason).error == (f"answered 403: {reason}" if reason else "answered 403")
