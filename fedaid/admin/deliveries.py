"""The desk for mail that goes out: how each server is doing, in a sentence, and where an activity has not arrived."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from fedaid.foundation import wording
from fedaid.foundation.clock import milliseconds
from fedaid.foundation.i18n import gettext as _
from fedaid.foundation.i18n import ngettext
from fedaid.foundation.refused import NotFound
from fedaid.foundation.said import said
from fedaid.foundation.work import Work
from outbox import collection, health
from outbox.collection import Destination
from outbox.health import Forgotten, HostHealth
from outbox.tables import DELIVERED, FAILED

Tell = Callable[[int], str]  # an instant in milliseconds since 1970, in words


@dataclass(frozen=True)
class HostLine:
    """How a server is doing, with the same in a sentence."""

    found: HostHealth
    sentence: str

    @property
    def badge(self) -> str:
        """One word for how it stands: asleep, waiting, failed or well."""
        if self.found.asleep:
            return "asleep"
        if self.found.waiting and self.found.failures:
            return "waiting"
        return "failed" if self.found.failed else "well"

    def as_json(self) -> dict[str, Any]:
        """For scripts; instants in milliseconds since 1970."""
        return {**asdict(self.found), "state": self.badge, "sentence": self.sentence}


@dataclass(frozen=True)
class Reach:
    """How far one activity has got, with everywhere it goes."""

    activity_id: str
    type: str
    posted_ms: int
    destinations: Sequence[Destination]

    @property
    def delivered(self) -> int:
        return sum(one.state == DELIVERED for one in self.destinations)

    @property
    def missing(self) -> Sequence[Destination]:
        """Where it has not arrived."""
        return [one for one in self.destinations if one.state != DELIVERED]

    @property
    def sentence(self) -> str:
        """Delivered to 14 of 15; …"""
        if not self.destinations:
            return _("It goes nowhere: nobody elsewhere is to receive it, or it has not been taken up yet.")
        told = _("Delivered to %(count)s of %(total)s.", count=self.delivered, total=len(self.destinations))
        hosts = sorted({one.host for one in self.missing})
        return told + " " + _("Not to: %(hosts)s.", hosts=", ".join(hosts)) if hosts else told


def tell_in(zone_name: str) -> Tell:
    """Tells instants in this time zone."""
    return lambda instant_ms: wording.day_and_time(at(instant_ms), zone_name)


def at(instant_ms: int) -> datetime:
    """The instant as the pages know it."""
    return datetime.fromtimestamp(instant_ms / 1000, UTC)


def overview(connection: Connection, tell: Tell) -> Sequence[HostLine]:
    """Every server that we ever had mail for: what needs somebody first, the rest by name."""
    lines = [HostLine(found, in_a_sentence(found, tell)) for found in health.hosts(connection)]
    order = ["asleep", "waiting", "failed", "well"]
    return sorted(lines, key=lambda line: (order.index(line.badge), line.found.host))


def host_line(connection: Connection, host: str, tell: Tell) -> HostLine:
    """One server. Raises NotFound when we never had mail for it."""
    found = health.one(connection, host.lower()) if host.isprintable() else None
    if found is None:
        raise NotFound(said("Nothing was ever sent to %(host)s.", host=host))
    return HostLine(found, in_a_sentence(found, tell))


def in_short(found: HostHealth | None) -> str:
    """Whether what we send arrives, for a line among others."""
    if found is None or (found.last_success_ms is None and not found.waiting):
        return _("nothing sent yet")
    if found.asleep:
        return ngettext(
            "does not answer: %(num)s message waits; last: %(error)s",
            "does not answer: %(num)s messages wait; last: %(error)s",
            found.waiting,
            error=found.last_error,
        )
    if found.waiting and found.failures:
        return ngettext(
            "%(num)s message waits for the next try; last: %(error)s",
            "%(num)s messages wait for the next try; last: %(error)s",
            found.waiting,
            error=found.last_error,
        )
    if not found.waiting:
        return _("nothing waiting")
    return ngettext("%(num)s message on its way", "%(num)s messages on their way", found.waiting)


def in_a_sentence(found: HostHealth, tell: Tell) -> str:
    """How a server is doing, since when, and what happens next."""
    return " ".join(part for part in (_mood(found, tell), _queue(found, tell), _lost(found), _last(found)) if part)


def _mood(found: HostHealth, tell: Tell) -> str:
    if found.asleep and found.asleep_since_ms is not None:
        since = tell(found.asleep_since_ms)
        return _("It does not answer since %(moment)s and is tried only now and then.", moment=since)
    if found.waiting:
        return ""
    if found.last_success_ms is None:
        return _("Nothing has arrived there yet.") if found.failed else _("Nothing was sent there yet.")
    last = tell(found.last_success_ms)
    return _("Nothing waits; the last message arrived on %(moment)s.", moment=last)


def _queue(found: HostHealth, tell: Tell) -> str:
    if not found.waiting or found.waiting_since_ms is None:
        return ""
    parts = [
        ngettext(
            "%(num)s message waits, since %(moment)s.",
            "%(num)s messages wait, the oldest since %(moment)s.",
            found.waiting,
            moment=tell(found.waiting_since_ms),
        )
    ]
    if found.kept:
        parts.append(ngettext("%(num)s is the timebank's.", "%(num)s are the timebank's.", found.kept))
    if found.failures and found.next_try_ms:
        parts.append(_("The next try is on %(moment)s.", moment=tell(found.next_try_ms)))
    return " ".join(parts)


def _lost(found: HostHealth) -> str:
    return _given_up(found.failed) if found.failed else ""


def _last(found: HostHealth) -> str:
    shown = found.last_error and (found.failures or found.failed)
    return _("Last: %(error)s.", error=found.last_error) if shown else ""


def _given_up(count: int) -> str:
    return ngettext("%(num)s message was given up.", "%(num)s messages were given up.", count)


def undelivered(connection: Connection, host: str) -> Sequence[Destination]:
    """What a server has not got, the oldest first."""
    return collection.undelivered(connection, host)


def reach(connection: Connection, address: str) -> Reach:
    """How far an activity has got, or the latest one about a listing. Raises NotFound."""
    stored = collection.stored(connection, address) or collection.latest_about(connection, address)
    if stored is None:
        raise NotFound(said("Nothing was ever sent about %(address)s.", address=address))
    where = collection.destinations(connection, stored.activity_id)
    return Reach(stored.activity_id, stored.type, stored.created_ms, where)


def in_one_word(one: Destination) -> str:
    """How far it got at one place."""
    if one.state == DELIVERED:
        return _("delivered")
    if one.state == FAILED:
        return _("given up")
    if not one.tries:
        return _("waiting")
    return ngettext("waiting after %(num)s try", "waiting after %(num)s tries", one.tries)


# steps


def resume(work: Work, host: str) -> None:
    """Try this server now, whatever it did before. Raises NotFound."""
    host_line(work.connection, host, str)
    health.resume(work.connection, host.lower(), milliseconds(work.now))


def retry(work: Work, host: str) -> int:
    """Try again what was given up for this server, and say how many messages that is."""
    return health.retry(work.connection, host.lower(), milliseconds(work.now))


def forget(work: Work, host: str, *, also_timebank: bool = False) -> Forgotten:
    """Give up all that waits for this server, for good; the timebank's letters only when that is said. NotFound."""
    host_line(work.connection, host, str)
    return health.forget(work.connection, host.lower(), also_kept=also_timebank)


def forgotten_in_words(found: Forgotten) -> str:
    """What forgetting came to."""
    told = _given_up(found.given_up)
    if not found.kept:
        return told
    kept = ngettext(
        "%(num)s message waits on: letters of the timebank.",
        "%(num)s messages wait on: letters of the timebank.",
        found.kept,
    )
    return f"{told} {kept} " + _("Hours may hang on them; say so if they are to be given up too.")
