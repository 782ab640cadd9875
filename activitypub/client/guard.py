"""The network guard: knows which addresses may be spoken to, and connects to a name only at an address it vetted."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress

import httpcore2

from activitypub.client.limits import FetchLimits
from activitypub.errors import FetchFailed
from activitypub.identifiers import UrlRules, is_loopback_address

HTTPS_PORT = 443

Resolver = Callable[[str], Awaitable[Sequence[str]]]
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
SocketOptions = Iterable[httpcore2.SOCKET_OPTION]
MakeProtocol = Callable[[], asyncio.Protocol]
Dial = Callable[[MakeProtocol, str, int], Awaitable[object]]

# The IANA registries of special-purpose addresses. Our own list, because ipaddress.is_global lets some of them through.
_FORBIDDEN_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "169.254.0.0/16",  # link local: the metadata of cloud machines
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved and broadcast
    )
)
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")  # nothing else is given out for the Internet
_FORBIDDEN_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 hides an IPv4 address and is given up (RFC 7526)
        "3ffe::/16",  # the former 6bone
        "3fff::/20",  # documentation
    )
)
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # how networks without IPv4 reach IPv4 (RFC 6052)


def is_public(address: str) -> bool:
    """Whether an address belongs to the public Internet (attack S01); an IPv4 address inside an IPv6 one counts."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    inner = _embedded(found)
    if isinstance(inner, ipaddress.IPv4Address):
        return not any(inner in network for network in _FORBIDDEN_V4)
    return inner in _GLOBAL_V6 and inner.scope_id is None and not any(inner in network for network in _FORBIDDEN_V6)


def _embedded(address: IPAddress) -> IPAddress:
    if isinstance(address, ipaddress.IPv6Address) and (address in _MAPPED or address in _NAT64):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


async def system_resolver(host: str) -> Sequence[str]:
    """The addresses of a name as the system knows them, in the order to try. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, HTTPS_PORT, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


async def dial(make: MakeProtocol, address: str, port: int) -> None:
    """Connects a new protocol to an address. Raises OSError."""
    await asyncio.get_running_loop().create_connection(make, address, port)


class Guard(httpcore2.AsyncNetworkBackend):
    """The only way out: resolves a name once, vets every address, connects to a vetted one (attacks S01, S02).

    The name itself stays what TLS verifies and what Host says. ``backend`` and ``dial`` make the connection to an
    address, the one for what is fetched, the other for letters.
    """

    def __init__(
        self,
        rules: UrlRules,
        limits: FetchLimits,
        resolver: Resolver = system_resolver,
        backend: httpcore2.AsyncNetworkBackend | None = None,
        dial: Dial = dial,
    ) -> None:
        self._rules = rules
        self._limits = limits
        self._resolver = resolver
        self._backend = backend or httpcore2.AnyIOBackend()
        self._dial = dial

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore2's signature
        local_address: str | None = None,
        socket_options: SocketOptions | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """A connection to one of the host's addresses. Raises FetchFailed; nothing is connected to before vetting."""
        addresses = await self.addresses(host, port)
        for address in addresses[:-1]:
            try:
                return await self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return await self._backend.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)

    async def open_line(self, host: str, port: int, make: MakeProtocol) -> None:
        """A connection of a new protocol to one of the host's addresses. Raises FetchFailed and OSError, as above."""
        addresses = await self.addresses(host, port)
        for address in addresses[:-1]:
            with suppress(OSError):  # TimeoutError is one
                return await self._dialled(make, address, port)
        return await self._dialled(make, addresses[-1], port)

    async def _dialled(self, make: MakeProtocol, address: str, port: int) -> None:
        async with asyncio.timeout(self._limits.connect_seconds_max):
            await self._dial(make, address, port)

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """The vetted addresses of a host, at least one. Raises FetchFailed when it has none, or one that is not public:
        a name that points both inside and outside is an attack."""
        if self._rules.loopback and is_loopback_address(host):
            return (host,)
        if port != HTTPS_PORT:
            raise FetchFailed("forbidden_port", "Only port 443 is spoken to.", permanent=True)
        found = await self._resolve(host)
        if not all(is_public(address) for address in found):
            raise FetchFailed("forbidden_address", f"{host} has an address that is not public.", permanent=True)
        return found[: self._limits.addresses_max]

    async def _resolve(self, host: str) -> Sequence[str]:
        try:
            async with asyncio.timeout(self._limits.connect_seconds_max):
                found = await self._resolver(host)
        except (OSError, UnicodeError):  # TimeoutError is an OSError
            found = ()
        if not found:
            raise FetchFailed("no_address", f"The address of {host} could not be found.", permanent=False)
        return found

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109
        socket_options: SocketOptions | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Refused: a URL never means a file of this machine."""
        raise FetchFailed("forbidden_address", "Only the Internet is spoken to.", permanent=True)

    async def sleep(self, seconds: float) -> None:
        """As the backend underneath."""
        await self._backend.sleep(seconds)
