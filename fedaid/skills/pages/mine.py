"""Saying what I can do, when I am free and how I like to help; a refusal keeps what was typed."""

from collections.abc import Callable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from fedaid.foundation.ids import row_id_or_none
from fedaid.foundation.pages import Form, go, house, member, number_of, render
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.wording import in_figures, typed_minutes
from fedaid.groups import queries as groups
from fedaid.skills import commands, queries
from fedaid.skills.limits import SkillLimits
from fedaid.skills.pages.kinds import Kinds, names_of
from fedaid.skills.queries import Entry
from fedaid.skills.rules import (
    DAYS_PER_WEEK,
    DETAILS_CHARACTERS_MAX,
    LANGUAGES,
    SKILL_CHARACTERS_MAX,
    Contact,
    Preferences,
    Skill,
    Visibility,
    read_clock,
    windows_of,
)

PAGE: Final = "/me/skills"
NOTHING: Final[Mapping[str, str]] = {}
SKILL, TIMES, HELPING = "skill", "times", "helping"  # the three forms of the page


def my_page(kinds: Kinds) -> Callable[[Request], Response]:
    """My skills, my free times, and how I like to help."""

    def page(request: Request) -> Response:
        """What I can do, when I am free, and how I like to help."""
        return _page(request, kinds)

    return page


def _page(
    request: Request,
    kinds: Kinds,
    about: str = "",
    refused: Refused | None = None,
    typed: Mapping[str, str] = NOTHING,
    editing: Entry | None = None,
) -> Response:
    """The page; ``about`` says which of its forms was refused and keeps what was ``typed``."""
    who, home = member(request), house(request)
    mine = who.member_id or 0
    with home.database.read() as connection:
        preferences = queries.preferences_of(connection, [mine])[mine]
        values: dict[str, object] = {
            "entries": queries.entries_of(connection, who, [mine])[mine],
            "windows": queries.windows_of(connection, [mine])[mine],
            "kinds": names_of(kinds(connection)),
            "groups": groups.boards_of(connection, mine),
            "group_names": {one.id: one.name for one in groups.boards_of(connection, mine)},
        }
    return render(
        request,
        "skills/edit.html" if editing is not None else "skills/mine.html",
        refused.status if refused is not None else 200,
        **values,
        languages=LANGUAGES,
        wrong={about: refused.sentence} if refused is not None else {},
        skill=typed if about == SKILL else NOTHING,
        times=typed if about == TIMES else NOTHING,
        helping=typed if about == HELPING else _as_typed(preferences),
        editing=editing,
        title_max=SKILL_CHARACTERS_MAX,
        details_max=DETAILS_CHARACTERS_MAX,
    )


def _as_typed(one: Preferences) -> Mapping[str, str]:
    spoken = {f"language-{code}": "1" for code in one.languages}
    return {
        "contact": one.contact,
        "place": one.place,
        "lat": "" if one.lat is None else str(one.lat),
        "lon": "" if one.lon is None else str(one.lon),
        "travel": "" if one.travel_km is None else str(one.travel_km),
        "monthly": "" if one.monthly_minutes_max is None else in_figures(one.monthly_minutes_max),
        "may_be_asked": "1" if one.may_be_asked else "",
        **spoken,
    }


def _read_skill(form: Form) -> Skill:
    visibility, _, group = form["visible"].partition("-")
    if visibility and visibility not in set(Visibility):
        raise Refused("skill_visibility", "Please choose who may read it.")
    return Skill(
        form["title"],
        form["category"],
        form["details"],
        Visibility(visibility or Visibility.NETWORK),
        row_id_or_none(group),
    )


def add(limits: SkillLimits, kinds: Kinds) -> Callable[[Request, Form], Response]:
    """One skill more."""

    def post(request: Request, form: Form) -> Response:
        """Write a skill into the directory."""
        who = member(request)
        try:
            with house(request).units.begin() as work:
                slugs = names_of(kinds(work.connection))
                commands.add_skill(work, who, _read_skill(form), slugs, limits)
        except Refused as refused:
            return _page(request, kinds, SKILL, refused, form)
        return go(PAGE, "skill_added")

    return post


def _mine(request: Request) -> Entry:
    """The entry in the path, if it is the viewer's own. Raises NotFound."""
    who = member(request)
    with house(request).database.read() as connection:
        found = queries.entry(connection, who, number_of(request))
    if found.member_id != who.member_id:
        raise NotFound
    return found


def edit_page(kinds: Kinds) -> Callable[[Request], Response]:
    """The form with one of my skills."""

    def page(request: Request) -> Response:
        """The form to change one of my skills."""
        found = _mine(request)
        typed = {
            "title": found.skill.title,
            "category": found.skill.category,
            "details": found.skill.details,
            "visible": found.skill.visibility + (f"-{found.skill.group_id}" if found.skill.group_id else ""),
        }
        return _page(request, kinds, SKILL, typed=typed, editing=found)

    return page


def edit(kinds: Kinds) -> Callable[[Request, Form], Response]:
    """One of my skills, changed."""

    def post(request: Request, form: Form) -> Response:
        """Keep what was changed."""
        found = _mine(request)
        try:
            with house(request).units.begin() as work:
                slugs = names_of(kinds(work.connection))
                commands.edit_skill(work, member(request), found.id, _read_skill(form), slugs)
        except NotFound:
            raise
        except Refused as refused:
            return _page(request, kinds, SKILL, refused, form, found)
        return go(PAGE, "changed")

    return post


def delete(request: Request, form: Form) -> Response:
    """Take a skill out of the directory."""
    with house(request).units.begin() as work:
        commands.remove_skill(work, member(request), number_of(request))
    return go(PAGE, "skill_removed")


def add_times(limits: SkillLimits, kinds: Kinds) -> Callable[[Request, Form], Response]:
    """More times at which I am free."""

    def post(request: Request, form: Form) -> Response:
        """Add the same hours on the chosen days of the week."""
        who = member(request)
        try:
            days = [day for day in range(DAYS_PER_WEEK) if form[f"day-{day}"] == "1"]
            added = windows_of(days, read_clock(form["from"]), read_clock(form["to"]))
            with house(request).units.begin() as work:
                commands.add_windows(work, who, added, limits)
        except Refused as refused:
            return _page(request, kinds, TIMES, refused, form)
        return go(f"{PAGE}#times", "changed")

    return post


def delete_time(request: Request, form: Form) -> Response:
    """Take a time out."""
    who = member(request)
    day, _, start = form["window"].partition("-")
    if not (day.isascii() and day.isdigit() and start.isascii() and start.isdigit() and len(day + start) < 9):
        raise NotFound
    with house(request).units.begin() as work:
        commands.remove_window(work, who, int(day), int(start))
    return go(f"{PAGE}#times", "changed")


def set_preferences(kinds: Kinds) -> Callable[[Request, Form], Response]:
    """How I like to help."""

    def post(request: Request, form: Form) -> Response:
        """Keep how, where and how much I like to help."""
        who = member(request)
        try:
            with house(request).units.begin() as work:
                commands.set_preferences(work, who, _read_preferences(form))
        except Refused as refused:
            return _page(request, kinds, HELPING, refused, form)
        return go(f"{PAGE}#helping", "changed")

    return post


def _read_preferences(form: Form) -> Preferences:
    if form["contact"] and form["contact"] not in set(Contact):
        raise Refused("contact", "Please choose how you like to be asked.")
    return Preferences(
        contact=Contact(form["contact"] or Contact.MESSAGE),
        place=form["place"],
        lat=_degrees(form["lat"]),
        lon=_degrees(form["lon"]),
        travel_km=_kilometres(form["travel"]),
        monthly_minutes_max=typed_minutes(form["monthly"]) if form["monthly"] else None,
        languages=frozenset(name.removeprefix("language-") for name in form if name.startswith("language-")),
        may_be_asked=form["may_be_asked"] == "1",
    )


def _degrees(text: str) -> float | None:
    try:
        return float(text.replace(",", ".")) if text else None
    except ValueError:
        raise Refused("position", "A position is written in degrees, like 51.52.") from None


def _kilometres(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Refused("travel", "How far you go is a whole number of kilometres, or left empty.")
    return int(text)
