"""The one URL and origin parser: what is not accepted here is never fetched, stored as an id or compared."""

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

import idna

from activitypub.errors import MalformedUrl

URL_CHARACTERS_MAX = 2048
_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+")
_FORBIDDEN = re.compile(r'[\\<>"^`{|}]')
_HOST_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
# ASCII, because otherwise the Kelvin sign would count as a k and become one when folded (attack S66).
_LOCAL_NAME = re.compile(r"[a-z0-9_]+(?:[.-]+[a-z0-9_]+)*", re.IGNORECASE | re.ASCII)
LOCAL_NAME_CHARACTERS_MAX = 64
# What nearly every id looks like: read without taking it apart, to the same result.
_USUAL = re.compile(
    r"https://([a-z0-9.-]+)((?:/[A-Za-z0-9/._~!$&'()*+,;=:@%-]*+)?)(?:#([A-Za-z0-9/._~-]++))?", re.ASCII
)
HOSTS_REMEMBERED_MAX = 4096
HOST_CHARACTERS_MAX = 253  # RFC 1035
# Names that the public DNS does not resolve: RFC 6761, RFC 7686, RFC 9476, and ICANN's name for private networks.
_PRIVATE_SUFFIXES = frozenset({"alt", "internal", "localhost", "onion"})


@dataclass(frozen=True, order=True)
class Origin:
    """Scheme, host and port, the unit of trust (FEP-fe34). The host is ASCII and lower case."""

    scheme: str
    host: str
    port: int

    @property
    def netloc(self) -> str:
        """``host`` or ``host:port`` when the port is not the scheme's own."""
        own = 443 if self.scheme == "https" else 80
        return self.host if self.port == own else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}"


@dataclass(frozen=True)
class Url:
    """A URL that passed the parser. ``text`` is its canonical spelling and the value to compare and store."""

    text: str
    origin: Origin
    target: str  # path with query, as in a request line
    fragment: str

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def without_fragment(self) -> str:
        return self.text.partition("#")[0]

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class UrlRules:
    """Which URLs are acceptable: https on port 443 with a DNS name; with ``loopback`` also http(s)://127.x.x.x:port.

    ``loopback`` is for trying things out on one machine (the setting ``allow_loopback``), never for a public server.
    """

    loopback: bool = False

    def parse(self, text: object) -> Url:
        """The parsed URL. Raises MalformedUrl; nothing is repaired except the case of scheme and host."""
        if not isinstance(text, str) or not 0 < len(text) <= URL_CHARACTERS_MAX:
            raise MalformedUrl("url_length", f"A URL must be text of at most {URL_CHARACTERS_MAX} characters.")
        usual = _USUAL.fullmatch(text)
        if usual is not None and not (self.loopback and is_loopback_address(usual[1])):
            host, path, fragment = usual.groups()
            return Url(text, _usual_origin(host), path or "/", fragment or "")
        if not _VISIBLE_ASCII.fullmatch(text) and not _is_idn_only(text):
            raise MalformedUrl("url_characters", "A URL must not contain spaces or control characters.")
        if _FORBIDDEN.search(text):
            raise MalformedUrl("url_characters", "A URL must not contain backslashes, quotes or brackets.")
        return self._assemble(text)

    def accepts(self, text: object) -> bool:
        """Whether ``parse`` would succeed."""
        try:
            self.parse(text)
        except MalformedUrl:
            return False
        return True

    def _assemble(self, text: str) -> Url:
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            raise MalformedUrl("url_syntax", "This is not a URL.") from None
        if parts.scheme not in ("https", "http"):
            raise MalformedUrl("url_scheme", "Only https URLs are accepted.")
        if "@" in parts.netloc or "%" in parts.netloc or "[" in parts.netloc:
            raise MalformedUrl("url_host", "A URL must not carry a name, a percent sign or brackets before its path.")
        if parts.netloc.endswith(":") or port == 0:
            raise MalformedUrl("url_port", "The port is missing after the colon.")
        if not f"{parts.path}{parts.query}{parts.fragment}".isascii():
            raise MalformedUrl("url_characters", "Letters beyond ASCII may stand in the host only.")
        if text.endswith(("?", "#")) or "?#" in text:  # two spellings of one thing, and ids are compared by letters
            raise MalformedUrl("url_syntax", "A URL must not carry an empty query or fragment.")
        host = parts.hostname or ""
        origin = self._origin(parts.scheme, host, port)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        suffix = f"#{parts.fragment}" if parts.fragment else ""
        # An id is compared letter by letter, so a bare origin keeps the spelling without a slash.
        spelled = target if parts.path or parts.query else ""
        return Url(f"{origin}{spelled}{suffix}", origin, target, parts.fragment)

    def _origin(self, scheme: str, host: str, port: int | None) -> Origin:
        if self.loopback and is_loopback_address(host):
            return Origin(scheme, host, port or (443 if scheme == "https" else 80))
        if scheme != "https":
            raise MalformedUrl("url_scheme", "Only https URLs are accepted.")
        if port not in (None, 443):
            raise MalformedUrl("url_port", "Only port 443 is accepted.")
        return Origin("https", dns_name(host), 443)


@lru_cache(HOSTS_REMEMBERED_MAX)
def _usual_origin(host: str) -> Origin:
    return Origin("https", dns_name(host), 443)


def is_loopback_address(host: str) -> bool:
    """Whether the host is an IPv4 address of 127.0.0.0/8 in its plain spelling."""
    if not host.startswith("127."):  # asked of every host, and an address is dear to read
        return False
    try:
        return ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return False


def dns_name(host: str) -> str:
    """The host in ASCII and lower case (IDNA 2008). It must have a dot and a last label that is not a number."""
    if len(host) > HOST_CHARACTERS_MAX:
        raise MalformedUrl("url_host", f"A host has at most {HOST_CHARACTERS_MAX} characters.")
    try:
        ascii_host = host.lower() if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        raise MalformedUrl("url_host", "The host is not a valid name.") from None
    labels = ascii_host.split(".")
    if (
        len(ascii_host) > HOST_CHARACTERS_MAX
        or len(labels) < 2
        or not all(_HOST_LABEL.fullmatch(label) for label in labels)
    ):
        raise MalformedUrl("url_host", "The host must be a full name with a dot, such as northside.example.")
    if labels[-1].isdigit() or re.fullmatch(r"0x[0-9a-f]*", labels[-1]):
        raise MalformedUrl("url_host", "The host must be a name, not an address.")
    if labels[-1] in _PRIVATE_SUFFIXES:
        raise MalformedUrl("url_host", "The host must be a name that anybody can look up.")
    return ascii_host


def _is_idn_only(text: str) -> bool:
    """Non-ASCII letters may stand in the host only; they become punycode."""
    scheme, separator, rest = text.partition("://")
    host, slash, path = rest.partition("/")
    outside = f"{scheme}{separator}{slash}{path}"
    return bool(separator) and bool(_VISIBLE_ASCII.fullmatch(outside)) and host.isprintable() and " " not in host


def same_origin(first: Url, second: Url) -> bool:
    """FEP-fe34: the same scheme, host and port."""
    return first.origin == second.origin


@dataclass(frozen=True)
class Handle:
    """``@name@host`` as people write it; ``host`` may carry a port on loopback."""

    name: str
    host: str

    def __str__(self) -> str:
        return f"@{self.name}@{self.host}"


def is_local_name(name: str) -> bool:
    """Whether a name can be a handle on any server (Mastodon's rule)."""
    return len(name) <= LOCAL_NAME_CHARACTERS_MAX and _LOCAL_NAME.fullmatch(name) is not None


def parse_handle(text: str) -> Handle:
    """``@name@host``, ``name@host`` or ``acct:name@host``. Raises MalformedUrl."""
    name, at, host = text.removeprefix("acct:").removeprefix("@").rpartition("@")
    if not at or not is_local_name(name):
        raise MalformedUrl("handle", "A handle looks like @name@northside.example.")
    address, colon, port = host.partition(":")
    if is_loopback_address(address):
        if colon and not (re.fullmatch(r"[0-9]{1,5}", port) and 0 < int(port) < 65536):
            raise MalformedUrl("handle", "The port in this handle is not a number.")
        return Handle(name.lower(), host)
    return Handle(name.lower(), dns_name(host))
