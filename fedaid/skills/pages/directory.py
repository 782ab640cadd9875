"""Finding people: the directory with its filters in the address, and what it says of one person."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from fedaid.foundation.ids import row_id_or_none
from fedaid.foundation.pages import house, member, render
from fedaid.foundation.refused import Refused
from fedaid.foundation.text import one_line
from fedaid.foundation.viewer import Viewer
from fedaid.skills import queries
from fedaid.skills.limits import SkillLimits
from fedaid.skills.pages.kinds import Kinds, names_of
from fedaid.skills.pages.neighbours import linked
from fedaid.skills.queries import Person, Search, Vouch
from fedaid.skills.rules import (
    DAYS_PER_WEEK,
    LANGUAGES,
    MINUTES_PER_DAY,
    SEARCH_CHARACTERS_MAX,
    TRAVEL_KM_MAX,
    read_clock,
)

FILTERS = ("q", "category", "day", "from", "to", "km", "language")


def people_page(limits: SkillLimits, kinds: Kinds) -> Callable[[Request], Response]:
    """The directory, for members."""

    def page(request: Request) -> Response:
        """People and what they can do, with the filters that stand in the address."""
        who, home = member(request), house(request)
        with home.database.read() as connection:
            names = names_of(kinds(connection))
            search, wrong = _read(request.query_params, names)
            found = queries.people(connection, who, search, limits.people_per_page)
            neighbours = linked(connection, home.names.host)
            here = queries.preferences_of(connection, [who.member_id or 0])[who.member_id or 0].position
        return render(
            request,
            "skills/people.html",
            people=found.people,
            neighbours=neighbours,
            more=_link(request, before=str(found.next_before)) if found.next_before is not None else "",
            search=search,
            typed={name: request.query_params.get(name, "") for name in FILTERS},
            wrong_sentence=wrong,
            kinds=names,
            languages=LANGUAGES,
            knows_where_i_am=here is not None,
        )

    return page


def _read(asked: Mapping[str, str], kinds: Collection[str]) -> tuple[Search, str]:
    """What is looked for, and what of it could not be read; that part is then left out."""
    wrong = ""
    start, end = 0, MINUTES_PER_DAY
    try:
        start = read_clock(asked["from"]) if asked.get("from") else start
        end = read_clock(asked["to"]) if asked.get("to") else end
    except Refused as refused:
        wrong = refused.sentence
    day, km = (_number(asked.get(name, "")) for name in ("day", "km"))
    language, category = asked.get("language", ""), asked.get("category", "")
    return Search(
        text=one_line(asked.get("q", ""))[:SEARCH_CHARACTERS_MAX],
        category=category if category in kinds else "",
        weekday=day if day is not None and day < DAYS_PER_WEEK else None,
        start_minute=start,
        end_minute=end,
        km=km if km is not None and 1 <= km <= TRAVEL_KM_MAX else None,
        language=language if language in LANGUAGES else "",
        before=row_id_or_none(asked.get("before", "")),
    ), wrong


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 19 else None


def _link(request: Request, **changes: str) -> str:
    """The same search, further on."""
    kept = {name: request.query_params[name] for name in FILTERS if request.query_params.get(name)}
    return f"/people?{urlencode({**kept, **changes})}"


@dataclass(frozen=True)
class OfPerson:
    """What the directory says of somebody on their own page, as far as the viewer may read it."""

    person: Person
    vouches: Mapping[int, list[Vouch]]
    kinds: Mapping[str, str]
    languages: Mapping[str, str]


def of_person(connection: Connection, viewer: Viewer, member_id: int, kinds: Kinds) -> OfPerson | None:
    """For the page of a person; None where there is nothing that the viewer may read."""
    found = queries.person(connection, viewer, member_id)
    if found is None:
        return None
    vouches = queries.vouches_of(connection, viewer, [one.id for one in found.entries])
    lists = {number: list(said) for number, said in vouches.items()}
    return OfPerson(found, lists, names_of(kinds(connection)), LANGUAGES)
