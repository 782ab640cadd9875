"""How much of what tires people one host may send: follows (attack S58) and reports (S50)."""

from http import HTTPStatus

from inbox.limits import InboxLimits
from inbox.memory import Counter
from inbox.ports import Clock
from inbox.refusal import MailRefused

MINUTE_SECONDS, HOUR_SECONDS = 60, 3600


class Floods:
    """Counts proved letters per host and type, each web process for itself."""

    def __init__(self, limits: InboxLimits, clock: Clock) -> None:
        kept = limits.memory_entries_max
        self._bounds = {
            "Follow": (
                Counter(clock, seconds=MINUTE_SECONDS, entries_max=kept),
                limits.follows_per_host_per_minute_max,
                MINUTE_SECONDS,
            ),
            "Flag": (
                Counter(clock, seconds=HOUR_SECONDS, entries_max=kept),
                limits.flags_per_host_per_hour_max,
                HOUR_SECONDS,
            ),
        }

    def check(self, host: str, activity_type: str) -> None:
        """Counts one letter. Raises MailRefused (429) when the host has sent too many of the kind."""
        bound = self._bounds.get(activity_type)
        if bound is None:
            return
        counter, most, seconds = bound
        if counter.add(host) > most:
            sentence = f"At most {most} letters of type {activity_type} are taken from one server in {seconds} seconds."
            raise MailRefused(HTTPStatus.TOO_MANY_REQUESTS, "too_many", sentence, seconds)
