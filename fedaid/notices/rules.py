"""Pure rules of notices: what they can be about, and which of them belong together when somebody chooses."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


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
    # about a listing (its id)
    EXPIRED = "expired"
    HIDDEN = "hidden"
    LOOKED_AT = "looked_at"
    TO_LOOK_AT = "to_look_at"
    # about a question of matching (its id)
    ASKED = "asked"
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
    HOURS = "hours"
    GROUPS = "groups"
    CARE = "care"
    ACCOUNT = "account"


_OTHERS = {
    Topic.MESSAGES: (Kind.REMARK,),
    Topic.ASKS: (Kind.ASKED,),
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
