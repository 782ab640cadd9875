"""A signed request as both dialects see it: what came in, what its signature claims, and how old it may be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from types import MappingProxyType

from activitypub.errors import SignatureRefused
from activitypub.identifiers import Origin
from activitypub.signatures.authentic import Proof

SIGNATURE_HEADER_CHARACTERS_MAX = 8192
KEY_ID_CHARACTERS_MAX = 2048
INSTANT_DIGITS_MAX = 12
NO_HEADERS: Mapping[str, str] = MappingProxyType({})

# Twice one of these is two truths: which one was signed, which one is meant (attack S27)?
_ONCE = frozenset(
    {
        "host",
        "date",
        "digest",
        "content-digest",
        "content-type",
        "content-length",
        "signature",
        "signature-input",
    }
)
_WITHOUT_BODY = frozenset({"GET", "HEAD"})
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTH_NUMBERS = {name: number for number, name in enumerate(_MONTHS, 1)}
_HTTP_DATE_CHARACTERS = 29


@dataclass(frozen=True)
class SignatureLimits:
    """How far created or Date may be from our clock, either way, in seconds (attack S24)."""

    clock_skew_seconds: int = 3600


@dataclass(frozen=True)
class Request:
    """A request as it came in, byte for byte.

    method   in upper case, as in the request line
    target   path with query, as in the request line, undecoded
    headers  in order; names in lower case
    body     the bytes as received
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)

    @cached_property
    def fields(self) -> Mapping[str, str]:
        """Each header once; several of one name are joined by a comma (RFC 9421 section 2.1).

        Raises SignatureRefused ``duplicate_header`` for those that may stand only once (attack S27).
        """
        found: dict[str, str] = {}
        for name, value in self.headers:
            if name not in found:
                found[name] = value.strip()
            elif name in _ONCE:
                raise SignatureRefused("duplicate_header", f"The header {name} may stand only once.")
            else:
                found[name] = f"{found[name]}, {value.strip()}"
        return found

    @property
    def needs_digest(self) -> bool:
        """Whether there is, or may be, a body that the signature must cover (attack S21)."""
        return self.method not in _WITHOUT_BODY or bool(self.body)


@dataclass(frozen=True)
class Claim:
    """What a signature says of itself: nothing of it is proved before ``verify``.

    kind        the dialect
    key_id      the URL of the key; may be anything
    algorithm   as named by the sender, lower case; only compared with the key, never followed (attack S31)
    created     seconds since 1970, None where the dialect's Date header takes its place
    expires     seconds since 1970
    components  what the signature covers, in order, lower case
    parameters  RFC 9421: the text after the label, signed as @signature-params; else empty
    """

    kind: Proof
    key_id: str
    algorithm: str | None
    created: int | None
    expires: int | None
    components: tuple[str, ...]
    signature: bytes = field(repr=False)
    parameters: str = ""


def check_host(fields: Mapping[str, str], origin: Origin) -> None:
    """Refuses a Host that is not our own configured one (attack S28)."""
    if fields.get("host", "").lower() not in (origin.netloc, f"{origin.host}:{origin.port}"):
        raise SignatureRefused("wrong_host", f"The request was signed for another host than {origin.netloc}.")


def check_window(claim: Claim, signed_at: int, now: datetime, limits: SignatureLimits) -> None:
    """Refuses what is too old, comes from the future or has expired (attacks S24, S32). ``signed_at`` is in seconds."""
    seconds = int(now.timestamp())
    if abs(signed_at - seconds) > limits.clock_skew_seconds:
        raise SignatureRefused("too_old", "The signature was not made within the last hour; check the clocks.")
    if claim.expires is not None and (claim.expires < seconds or claim.expires < signed_at):
        raise SignatureRefused("expired", "The signature has expired.")


def check_one_line_each(base: bytes, lines: int) -> bytes:
    """The signature base, refused when a value smuggles a line of its own into it."""
    if base.count(b"\n") != lines - 1 or b"\r" in base:
        raise SignatureRefused("header_lines", "A signed header must be a single line.")
    return base


def at(seconds: int) -> datetime:
    """The instant ``seconds`` after 1970, UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def http_date(instant: datetime) -> str:
    """The IMF-fixdate of an aware instant (RFC 9110, section 5.6.7)."""
    utc = instant.astimezone(UTC)
    return f"{_DAYS[utc.weekday()]}, {utc.day:02} {_MONTHS[utc.month - 1]} {utc.year:04} {utc:%H:%M:%S} GMT"


def parse_http_date(text: str) -> datetime:
    """Reads an IMF-fixdate, the only form of date that anybody sends. Raises ValueError."""
    if len(text) != _HTTP_DATE_CHARACTERS or not text.isascii() or text[3:5] != ", " or text[25:] != " GMT":
        raise ValueError("not an IMF-fixdate")
    day, month, year = text[5:7], _MONTH_NUMBERS.get(text[8:11], 0), text[12:16]
    hour, minute, second = text[17:25].split(":")
    if not (day + year + hour + minute + second).isdigit():
        raise ValueError("not an IMF-fixdate")
    # A leap second is a valid date, but not a valid datetime.
    return datetime(int(year), month, int(day), int(hour), int(minute), min(int(second), 59), tzinfo=UTC)


def whole_seconds(text: str) -> int:
    """Digits as seconds since 1970: no sign, no fraction (attack S32). Raises SignatureRefused."""
    if not (text.isascii() and text.isdigit() and len(text) <= INSTANT_DIGITS_MAX):
        raise SignatureRefused("bad_instant", "created and expires must be whole seconds since 1970.")
    return int(text)
