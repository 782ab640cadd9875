"""Who may read the metrics, and how often the database is asked for them."""

from dataclasses import dataclass
from ipaddress import ip_address, ip_network

TOKEN_CHARACTERS_MIN = 20  # a guess is answered as fast as any request


@dataclass(frozen=True)
class MetricsLimits:
    """Nobody may read the metrics until one of the first two is set.

    token           who shows it (``Authorization: Bearer``) may read them; 20 characters or more
    addresses       addresses or networks, with commas between, that may read them without, asking us and no proxy
    gauges_seconds  how long what was read from the database is shown again, however often it is asked for
    """

    token: str = ""
    addresses: str = ""
    gauges_seconds: float = 5.0

    def __post_init__(self) -> None:
        if self.token and (len(self.token) < TOKEN_CHARACTERS_MIN or not self.token.isascii()):
            raise ValueError(f"token must have at least {TOKEN_CHARACTERS_MIN} characters, plain ones")
        for one in self._networks():
            ip_network(one)

    @property
    def is_open(self) -> bool:
        """Whether anybody may read them."""
        return bool(self.token or self.addresses)

    def knows(self, address: str) -> bool:
        """Whether this address needs no token."""
        try:
            return any(ip_address(address) in ip_network(one) for one in self._networks())
        except ValueError:  # a socket's path
            return False

    def _networks(self) -> list[str]:
        return [one.strip() for one in self.addresses.split(",") if one.strip()]
