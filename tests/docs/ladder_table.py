"""The privacy ladder as the explanation shows it, out of the table that the code has."""

from fedaid.foundation.ladder import LADDER, Rung, Step
from tests.docs.pages import table

_WHO = {
    Rung.PUBLIC: "anybody",
    Rung.NEIGHBOURS: "members here and in linked networks",
    Rung.MEMBERS: "members here",
    Rung.GROUP: "those in the group",
    Rung.COORDINATORS: "coordinators",
    Rung.RESPONDERS: "the two it is between",
    Rung.ACCEPTED: "those who were accepted",
    Rung.ALONE: "whoever wrote it, alone",
    Rung.NOBODY: "nobody: it is not kept",
}
# Fields by what they are called on the screen, where that is not their name in the code.
_SAID = {
    "description": "details",
    "category": "kind of help",
    "starts_at": "from",
    "ends_at": "to",
    "place": "place, in words",
    "lat, lon": "place on the map",
    "minutes": "how long",
    "people": "how many people",
    "mode": "in return",
    "expires_at": "until when",
    "urgent": "that it is urgent",
    "rhythm": "how often",
    "kind": "whether it is asked for or offered",
    "exact_place": "the exact place",
    "contact": "how to be reached",
    "alt": "what the photo shows",
    "photo, alt": "photo, and what it shows",
    "message": "the message",
    "reason": "the reason for a no",
    "remarks": "what both write after it",
    "draft": "what is not posted yet",
    "travel_km": "how far somebody goes",
    "monthly_minutes_max": "how much in a month",
    "may_be_asked": "whether they may be asked",
    "email": "e-mail address",
}


def ladder_table() -> str:
    """Fields of one thing that stand on the same rung share a row."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for one in LADDER:
        alike.setdefault((one.thing, _rungs(one), one.note), []).append(_SAID.get(one.field, one.field))
    rows = [[thing, ", ".join(fields), rungs, note] for (thing, rungs, note), fields in alike.items()]
    return table(["Of", "What", "Who may learn it", ""], rows)


def _rungs(one: Step) -> str:
    chosen = [_WHO[rung] for rung in one.rungs]
    return chosen[0] if len(chosen) == 1 else f"{chosen[0]}; or, as chosen, {' / '.join(chosen[1:])}"
