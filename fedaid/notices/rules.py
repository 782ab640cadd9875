"""Pure rules of notices: what they can be about, and which of them belong together when somebody chooses."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo

from fedaid.foundation.refused import Refused

DIGEST_WEEKDAY = 0  # Monday
DIGEST_HOUR = 8
DAYS_PER_WEEK = 7
END_DIGITS_MAX = 11  # of the seconds since 1970: some thousands of years
DIGEST_LOOKS_BACK = timedelta(days=DAYS_PER_WEEK + 1)  # what is older was in an earlier one, or mail was off then


class Kind(StrEnum):
    """What happened, as seen by the one who is told. A notice has a kind and names a thing; it holds no words."""

    # about a response (its id)
    ANSWERED = "answered"
    TAKEN_BACK = "taken_back"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    CALLED_OFF = "called_off"
    DONE = "done"
    REMARK = "remark"
    THANKED = "thanked"
    # about a listing (its id)
    ENDING = "ending"
    EXPIRED = "expired"
    HIDDEN = "hidden"
    LOOKED_AT = "looked_at"
    TO_LOOK_AT = "to_look_at"
    # about a question of matching (its id), or a search with what it found (both ids)
    ASKED = "asked"
    FOUND = "found"
    # about hours (the transfer's id)
    HOURS_CLAIMED = "hours_claimed"
    HOURS_CREDITED = "hours_credited"
    HOURS_REFUSED = "hours_refused"
    HOURS_STUCK = "hours_stuck"
    HOURS_QUESTIONED = "hours_questioned"
    HOURS_EXPLAINED = "hours_explained"
    HOURS_TO_EXPLAIN = "hours_to_explain"
    # about a group (its id), or an application to one (both ids)
    GROUP_ASKED = "group_asked"
    GROUP_ANSWERED = "group_answered"
    TAKEN_IN = "taken_in"
    # for those who look after the neighbourhood
    APPLIED = "applied"
    REPORTED = "reported"
    MESSAGE = "message"
    SUGGESTION = "suggestion"
    PEERING_ASKED = "peering_asked"
    LEDGER_ALARM = "ledger_alarm"
    # about one's own account
    RECOVERY = "recovery"


class Topic(StrEnum):
    """Notices that somebody wants, or does not want, together."""

    ANSWERS = "answers"
    MESSAGES = "messages"
    ASKS = "asks"
    SEARCHES = "searches"
    HOURS = "hours"
    GROUPS = "groups"
    CARE = "care"
    ACCOUNT = "account"


_OTHERS = {
    Topic.MESSAGES: (Kind.REMARK, Kind.THANKED),
    Topic.ASKS: (Kind.ASKED,),
    Topic.SEARCHES: (Kind.FOUND,),
    Topic.HOURS: (
        Kind.HOURS_CLAIMED,
        Kind.HOURS_CREDITED,
        Kind.HOURS_REFUSED,
        Kind.HOURS_STUCK,
        Kind.HOURS_QUESTIONED,
        Kind.HOURS_EXPLAINED,
    ),
    Topic.GROUPS: (Kind.GROUP_ANSWERED, Kind.TAKEN_IN),
    Topic.CARE: (
        Kind.TO_LOOK_AT,
        Kind.HOURS_TO_EXPLAIN,
        Kind.GROUP_ASKED,
        Kind.APPLIED,
        Kind.REPORTED,
        Kind.MESSAGE,
        Kind.SUGGESTION,
        Kind.PEERING_ASKED,
        Kind.LEDGER_ALARM,
    ),
    Topic.ACCOUNT: (Kind.RECOVERY,),
}
_TOPIC_OF = {kind: topic for topic, kinds in _OTHERS.items() for kind in kinds}
TOPIC_OF: Mapping[Kind, Topic] = MappingProxyType({kind: _TOPIC_OF.get(kind, Topic.ANSWERS) for kind in Kind})


class Channel(StrEnum):
    """How somebody wants to be told of a topic. All but ``NONE`` stand on the page of notices."""

    NONE = "none"
    HERE = "here"
    WEEKLY = "weekly"
    AT_ONCE = "at_once"


USUAL = Channel.WEEKLY
MAILED = frozenset({Channel.WEEKLY, Channel.AT_ONCE})


def mail_due(channel: Channel, now: datetime, zone: ZoneInfo) -> datetime | None:
    """When a notice of now goes out by mail; None where it does not."""
    if channel is Channel.AT_ONCE:
        return now
    return next_digest(now, zone) if channel is Channel.WEEKLY else None


def next_digest(now: datetime, zone: ZoneInfo) -> datetime:
    """The next Monday at eight on the reader's own clock."""
    local = now.astimezone(zone)
    days = (DIGEST_WEEKDAY - local.weekday()) % DAYS_PER_WEEK
    due = (local + timedelta(days=days)).replace(hour=DIGEST_HOUR, minute=0, second=0, microsecond=0)
    return due if due > local else due + timedelta(days=DAYS_PER_WEEK)


def retry_wait_seconds(tries: int, first: float, most: float) -> float:
    """How long to wait after so many failures."""
    return min(first * float(3 ** (tries - 1)), most)


def chosen_channels(typed: Mapping[str, str], present: Mapping[Topic, Channel]) -> Mapping[Topic, Channel]:
    """What somebody chose for each topic; a topic that they were not asked about stays. Raises Refused."""
    return {topic: _channel(typed[topic]) if topic in typed else was for topic, was in present.items()}


def _channel(typed: str) -> Channel:
    try:
        return Channel(typed)
    except ValueError:
        raise Refused("channel_unknown", "Please choose one of the ways to be told.") from None


# links in mails, which need no sign-in


def unsubscribe_token(key: bytes, member_id: int) -> str:
    """What stands in the link of one member: their row id with a signature (HMAC-SHA256) of the instance."""
    return f"{member_id}.{_signature(key, f'unsubscribe {member_id}')}"


def member_of_token(key: bytes, token: str) -> int:
    """Whose link it is. Raises Refused for one that we did not make."""
    number, _, signature = token.partition(".")
    if not _is_number(number) or not _is_signed(key, f"unsubscribe {int(number)}", signature):
        raise Refused("unsubscribe_link", "This link is not whole. Please use the one in the newest mail.", 404)
    return int(number)


@dataclass(frozen=True)
class Keeping:
    """What a link to keep a listing longer is about: the listing by its row id, and the end that it had."""

    listing_id: int
    expires_at: datetime


def keeping_token(key: bytes, about: Keeping) -> str:
    """What stands in the link with which a listing is kept longer; it is good for this end and for no later one."""
    end = int(about.expires_at.timestamp())
    return f"{about.listing_id}.{end}.{_signature(key, f'keep {about.listing_id} {end}')}"


def keeping_of_token(key: bytes, token: str) -> Keeping:
    """What the link is about. Raises Refused for one that we did not make."""
    number, _, rest = token.partition(".")
    end, _, signature = rest.partition(".")
    whole = _is_number(number) and _is_number(end, END_DIGITS_MAX)
    if not whole or not _is_signed(key, f"keep {int(number)} {int(end)}", signature):
        raise Refused("keeping_link", "This link is not whole. Please open the listing on your page.", 404)
    return Keeping(int(number), datetime.fromtimestamp(int(end), UTC))


def _is_number(text: str, digits_max: int = 19) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= digits_max


def _is_signed(key: bytes, words: str, signature: str) -> bool:
    right = _signature(key, words)
    return bool(key) and hmac.compare_digest(right.encode(), signature.encode("utf-8", "replace"))


def _signature(key: bytes, words: str) -> str:
    made = hmac.new(key, words.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()
