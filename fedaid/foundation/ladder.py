"""The privacy ladder: on which rung each field of each thing stands, that is, who may learn it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Rung(IntEnum):
    """Who may learn something, from all to few. Whoever wrote it is on every rung."""

    PUBLIC = 0
    NEIGHBOURS = 1
    MEMBERS = 2
    GROUP = 3
    COORDINATORS = 4
    RESPONDERS = 5
    ACCEPTED = 6
    ALONE = 7
    NOBODY = 8


@dataclass(frozen=True)
class Step:
    """Where one field of one thing stands.

    rungs  more than one where its author chooses; the first unless they do
    note   what else is to be said of it
    """

    thing: str
    field: str
    rungs: tuple[Rung, ...]
    note: str = ""


LISTING: Final = "A listing"
RESPONSE: Final = "An answer"
SKILL: Final = "A skill"
HELPER: Final = "How somebody helps"
GROUP: Final = "A group"
HOURS: Final = "Hours"
MEMBER: Final = "A member"
NEWCOMER: Final = "An application"
DESK: Final = "What coordinators get"

_CHOSEN: Final = (Rung.PUBLIC, Rung.NEIGHBOURS, Rung.MEMBERS, Rung.GROUP)
_OF_SKILL: Final = (Rung.MEMBERS, Rung.NEIGHBOURS, Rung.GROUP)
_SEE_LISTING: Final = "coordinators see every listing, as they look after the boards"

LADDER: Final[Sequence[Step]] = (
    *(
        Step(LISTING, field, _CHOSEN, _SEE_LISTING)
        for field in (
            "title",
            "description",
            "category",
            "starts_at",
            "ends_at",
            "place",
            "minutes",
            "people",
            "mode",
            "expires_at",
            "urgent",
            "rhythm",
            "kind",
        )
    ),
    Step(LISTING, "lat, lon", _CHOSEN, "the nearest point of a grid of about 500 m"),
    Step(LISTING, "the position as it was typed", (Rung.NOBODY,), "a draft keeps it for its author until it is posted"),
    Step(LISTING, "photo, alt", _CHOSEN, "of what is for linked networks, the photo is shown to members here only"),
    Step(LISTING, "who posted it", (Rung.MEMBERS, Rung.PUBLIC), "with the own name: whoever may see the listing"),
    Step(LISTING, "exact_place", (Rung.ACCEPTED,), "elsewhere in a private message"),
    Step(LISTING, "contact", (Rung.ACCEPTED,), "elsewhere in a private message"),
    Step(LISTING, "draft", (Rung.ALONE,)),
    Step(LISTING, "how many liked or boosted it", (Rung.ALONE,)),
    Step(
        RESPONSE, "that somebody answered", (Rung.RESPONDERS,), "how many are found already, whoever sees the listing"
    ),
    Step(RESPONSE, "message", (Rung.RESPONDERS,)),
    Step(RESPONSE, "reason", (Rung.RESPONDERS,)),
    Step(RESPONSE, "remarks", (Rung.RESPONDERS,)),
    Step(RESPONSE, "agreement", (Rung.RESPONDERS,), "with both names, also at the network of the other"),
    *(Step(SKILL, field, _OF_SKILL) for field in ("title", "details", "category")),
    Step(SKILL, "vouches", (Rung.MEMBERS, Rung.GROUP), "who may read the skill, here only"),
    *(
        Step(HELPER, field, (Rung.MEMBERS, Rung.GROUP), "who may read a skill of theirs, here only")
        for field in ("free times", "languages", "place", "contact")
    ),
    Step(
        HELPER,
        "lat, lon",
        (Rung.ALONE,),
        "the nearest point of that grid; others learn how far away it is, in whole kilometres",
    ),
    Step(HELPER, "travel_km", (Rung.ALONE,)),
    Step(HELPER, "monthly_minutes_max", (Rung.ALONE,)),
    Step(HELPER, "may_be_asked", (Rung.ALONE,)),
    Step(HELPER, "saved searches", (Rung.ALONE,)),
    Step(GROUP, "name, about, place", (Rung.PUBLIC,)),
    Step(GROUP, "answers of those who ask to join", (Rung.COORDINATORS,), "those of the group; forgotten when decided"),
    Step(HOURS, "how many, between whom", (Rung.RESPONDERS,), "the two, and their networks' ledgers"),
    Step(HOURS, "note", (Rung.RESPONDERS,), "the two, where both are of one network"),
    Step(HOURS, "balance", (Rung.MEMBERS, Rung.ALONE), "what was given and received in all; the admin has the books"),
    Step(MEMBER, "handle, name, about", (Rung.PUBLIC,)),
    Step(MEMBER, "email", (Rung.ALONE,), "and the admin"),
    Step(NEWCOMER, "answers", (Rung.COORDINATORS,), "forgotten when it is decided"),
    Step(NEWCOMER, "email", (Rung.ALONE,), "forgotten when they are turned down"),
    Step(DESK, "comment of a report", (Rung.COORDINATORS,)),
    Step(DESK, "message to a board", (Rung.COORDINATORS,), "whoever wrote it has it at their own server"),
)
