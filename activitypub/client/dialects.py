"""Which kind of signature each host reads, as far as we have learnt it or were told; of bounded size (attack S90)."""

from collections import OrderedDict

from activitypub.signatures import FIRST, Dialect


class Dialects:
    """What was learnt by trying counts more than what a server says of itself: a proxy before it may drop headers."""

    def __init__(self, hosts_max: int) -> None:
        self._hosts_max = hosts_max
        self._known: OrderedDict[str, Dialect] = OrderedDict()

    def of(self, host: str) -> Dialect:
        """The one to try first."""
        return self._known.get(host, FIRST)

    def learn(self, host: str, dialect: Dialect) -> None:
        """The host took this one."""
        self._known[host] = dialect
        self._known.move_to_end(host)
        while len(self._known) > self._hosts_max:
            self._known.popitem(last=False)

    def suggest(self, host: str, dialect: Dialect) -> None:
        """The host says that it reads this one."""
        if host not in self._known:
            self.learn(host, dialect)
