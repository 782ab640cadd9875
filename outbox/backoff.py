"""Decides, without clock, chance or memory of its own, what becomes of a delivery after a try."""

import json
from dataclasses import dataclass
from enum import Enum, auto

from outbox.limits import OutboxLimits

SECOND_MS = 1000
DAY_MS = 24 * 3600 * SECOND_MS
_TRY_AGAIN_STATUSES = frozenset({401, 408, 429})  # the 4xx that say "not now" and not "never"

_REASONS = ("detail", "error", "message", "title")


class Answer(Enum):
    """What a try met with."""

    ACCEPTED = auto()  # 2xx
    REFUSED = auto()  # an answer that will not change
    BUSY = auto()  # an answer, but not now
    SILENT = auto()  # no answer at all


@dataclass(frozen=True)
class Outcome:
    """How a try ended; ``error`` is a short description for the admin's page."""

    answer: Answer
    status: int | None = None
    retry_after_seconds: float | None = None
    error: str | None = None


def judge(status: int, retry_after_seconds: float | None = None, said: str = "") -> Outcome:
    """What an HTTP status means for a delivery: 4xx is final except 401, 408 and 429; redirects are not followed.

    ``said`` is the reason that the other side gave, if it gave one.
    """
    if 200 <= status < 300:
        return Outcome(Answer.ACCEPTED, status)
    final = 400 <= status < 500 and status not in _TRY_AGAIN_STATUSES
    answer = Answer.REFUSED if final else Answer.BUSY
    error = f"answered {status}: {said}" if said else f"answered {status}"
    return Outcome(answer, status, None if final else retry_after_seconds, error)


def reason_in(text: str, characters_max: int) -> str:
    """Why another server says no, from the beginning of its answer: problem details (RFC 9457), Mastodon's ``error``,
    or a line of plain text. Empty when it is a page, or nothing that can be read. One line, for an admin to read."""
    found = _reason_in_json(text) if text.lstrip().startswith("{") else text
    line = next((line for line in found.splitlines() if line.strip()), "")
    if "<" in line:
        return ""
    return "".join(letter if letter.isprintable() else " " for letter in line).strip()[:characters_max]


def _reason_in_json(text: str) -> str:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    found = (answer.get(name) for name in _REASONS) if isinstance(answer, dict) else ()
    return next((reason for reason in found if isinstance(reason, str) and reason), "")


@dataclass(frozen=True)
class Trial:
    """A delivery that was just tried, and the mood of its host before the try.

    tries             including this one
    keep_trying       whether it may never be given up
    asleep_since_ms   when its host fell asleep, or None while it is awake
    urgent            whether mail that may never be given up waits for this host
    """

    tries: int
    keep_trying: bool = False
    asleep_since_ms: int | None = None
    urgent: bool = False


class Step(Enum):
    """What becomes of the delivery."""

    ARRIVED = auto()
    FAILED = auto()
    RETRY = auto()  # and later mail to this host waits for it
    SET_ASIDE = auto()  # tried again, but later mail goes on
    GONE = auto()  # failed, and with it all that waits for this host and may be given up


@dataclass(frozen=True)
class Verdict:
    """What becomes of the delivery and its host.

    next_try_ms      when the delivery is tried again
    quiet_until_ms   until when nothing at all is sent to the host
    asleep           whether the host is asleep now
    """

    step: Step
    asleep: bool = False
    next_try_ms: int | None = None
    quiet_until_ms: int | None = None


def decide(trial: Trial, outcome: Outcome, now_ms: int, limits: OutboxLimits, chance: float) -> Verdict:
    """What to do after a try. ``chance`` is a random number from 0 up to 1."""
    if outcome.answer is Answer.ACCEPTED:
        return Verdict(Step.ARRIVED)
    if outcome.answer is Answer.REFUSED:
        return _refused(trial, now_ms, limits, chance)
    if outcome.answer is Answer.BUSY and trial.tries >= limits.tries_max:
        return _worn_out(trial, outcome, now_ms, limits, chance)
    if trial.asleep_since_ms is None and trial.tries < limits.tries_max:
        at_ms = _later(now_ms, max(backoff_seconds(trial, limits, chance), _asked_for(outcome, limits)))
        return Verdict(Step.RETRY, next_try_ms=at_ms, quiet_until_ms=at_ms)
    return _sleeping(trial, outcome, now_ms, limits, chance)


def backoff_seconds(trial: Trial, limits: OutboxLimits, chance: float) -> float:
    """The wait after so many tries: first, first x factor, first x factor² ... up to the longest one, with jitter."""
    longest = limits.keep_trying_seconds_max if trial.keep_trying else limits.retry_seconds_max
    exponent = min(trial.tries - 1, limits.tries_max)  # a larger one would only overflow
    return _jittered(min(limits.first_retry_seconds * limits.retry_factor**exponent, longest), limits, chance)


def _refused(trial: Trial, now_ms: int, limits: OutboxLimits, chance: float) -> Verdict:
    if not trial.keep_trying:
        return Verdict(Step.FAILED)
    return Verdict(Step.SET_ASIDE, next_try_ms=_later(now_ms, backoff_seconds(trial, limits, chance)))


def _worn_out(trial: Trial, outcome: Outcome, now_ms: int, limits: OutboxLimits, chance: float) -> Verdict:
    """The host answers, yet never takes this one: perhaps only this one is at fault, so the next is tried soon."""
    soon = _later(now_ms, max(_jittered(limits.first_retry_seconds, limits, chance), _asked_for(outcome, limits)))
    if not trial.keep_trying:
        return Verdict(Step.FAILED, asleep=True, quiet_until_ms=soon)
    at_ms = _later(now_ms, backoff_seconds(trial, limits, chance))
    return Verdict(Step.SET_ASIDE, asleep=True, next_try_ms=max(soon, at_ms), quiet_until_ms=soon)


def _sleeping(trial: Trial, outcome: Outcome, now_ms: int, limits: OutboxLimits, chance: float) -> Verdict:
    since_ms = now_ms if trial.asleep_since_ms is None else trial.asleep_since_ms
    urgent = trial.urgent or trial.keep_trying
    wait = limits.keep_trying_seconds_max if urgent else limits.sleep_probe_seconds
    at_ms = _later(now_ms, max(_jittered(wait, limits, chance), _asked_for(outcome, limits)))
    gone = now_ms - since_ms >= limits.sleep_days_max * DAY_MS
    if gone and not trial.keep_trying:
        return Verdict(Step.GONE, asleep=True, quiet_until_ms=at_ms)
    return Verdict(Step.RETRY, asleep=True, next_try_ms=at_ms, quiet_until_ms=at_ms)


def _jittered(seconds: float, limits: OutboxLimits, chance: float) -> float:
    return seconds * (1 + limits.jitter * (2 * chance - 1))


def _asked_for(outcome: Outcome, limits: OutboxLimits) -> float:
    """Retry-After (RFC 9110, section 10.2.3), believed up to a limit."""
    return min(outcome.retry_after_seconds or 0, limits.retry_after_seconds_max)


def _later(now_ms: int, seconds: float) -> int:
    return now_ms + max(SECOND_MS, round(seconds * SECOND_MS))
