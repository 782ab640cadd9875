"""What an answer means before its content is looked at: which failures are for good, when to come back, what it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from activitypub.errors import FetchFailed
from activitypub.identifiers import Url

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_COME_BACK = frozenset({408, 425, 429})
_NEVER = 501
_DIGITS_MAX = 9


@dataclass(frozen=True)
class Fetched:
    """A document from where it says it is from: ``url`` is where it was found, without a fragment."""

    document: dict[str, Any]
    url: Url


@dataclass(frozen=True)
class Answer:
    """What a server said to a POST.

    retry_after_seconds  from the Retry-After header, never negative; None when there is none
    text                 the beginning of what it wrote, for people to read
    """

    status: int
    retry_after_seconds: int | None
    text: str


def is_redirect(status: int) -> bool:
    """Whether to look at Location."""
    return status in _REDIRECTS


def check_status(status: int, host: str) -> None:
    """Refuses all but 200. Codes: gone (410), not_found (404), unauthorized (401), forbidden (403), http_status."""
    if status == 200:
        return
    code = {410: "gone", 404: "not_found", 401: "unauthorized", 403: "forbidden"}.get(status, "http_status")
    permanent = (400 <= status < 500 and status not in _COME_BACK) or status == _NEVER or status < 400
    raise FetchFailed(code, f"{host} answered {status}.", permanent=permanent, status=status)


def check_encoding(headers: Mapping[str, str], host: str) -> None:
    """Refuses an answer that would have to be unpacked, which was not asked for (attack S07)."""
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise FetchFailed("encoding", f"{host} answered in a compressed form that was not asked for.", permanent=True)


def media_type(header: str | None) -> str:
    """The media type without its parameters, lower case."""
    return (header or "").partition(";")[0].strip().lower()


def http_date(header: str | None) -> datetime | None:
    """Reads a Date header (RFC 9110, section 6.6.1) as an aware instant in UTC; None when absent or unreadable."""
    try:
        instant = parsedate_to_datetime(header or "")
    except (ValueError, OverflowError, IndexError):
        return None
    return instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC)


def retry_after_seconds(header: str | None, now: datetime, seconds_max: int) -> int | None:
    """Reads Retry-After (RFC 9110, section 10.2.3): seconds, or a date. None when absent or unreadable."""
    text = (header or "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return min(int(text[:_DIGITS_MAX]), seconds_max)
    try:
        instant = parsedate_to_datetime(text)
    except (ValueError, OverflowError, IndexError):
        return None
    seconds = (instant.replace(tzinfo=instant.tzinfo or UTC) - now).total_seconds()
    return min(max(int(seconds), 0), seconds_max)
