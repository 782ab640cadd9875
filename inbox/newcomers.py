"""Counts the hosts of one domain that are asked for the first time: who owns a domain owns every name under it."""

from functools import cache
from http import HTTPStatus
from ipaddress import ip_address

from publicsuffixlist import PublicSuffixList

from activitypub.identifiers import Origin
from inbox.limits import InboxLimits
from inbox.memory import Counter, Memory
from inbox.ports import Clock
from inbox.refusal import MailRefused


class Newcomers:
    """Stands before every request that a letter of strangers leads to, each web process for itself (S15, S16)."""

    def __init__(self, limits: InboxLimits, clock: Clock) -> None:
        pause, kept = limits.negative_cache_seconds, limits.negative_cache_entries_max
        self._most = limits.new_hosts_per_domain_max
        self._asked: Memory[bool] = Memory(clock, seconds=pause, entries_max=kept)
        self._new = Counter(clock, seconds=pause, entries_max=kept)

    def admit(self, host: Origin) -> None:
        """The host may be asked. Raises MailRefused (503) when too many others of its domain were a short while ago."""
        if self._asked.get(host.netloc):
            return
        domain = domain_of(host)
        if self._new.count(domain) >= self._most:
            sentence = f"Too many servers under {domain} wrote here for the first time; please come back later."
            raise MailRefused(HTTPStatus.SERVICE_UNAVAILABLE, "busy", sentence, self._new.seconds_left(domain))
        self._new.add(domain)
        self._asked.put(host.netloc, True)


def domain_of(host: Origin) -> str:
    """The registrable domain (one label more than a public suffix); an address of the network stands for itself."""
    try:
        ip_address(host.host)
    except ValueError:
        return _suffixes().privatesuffix(host.host) or host.host
    return host.netloc


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
