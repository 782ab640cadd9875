"""The directory for programs: who can do what, and what my member says of themselves, as far as each may read it."""

from collections.abc import Callable, Collection, Iterable
from typing import Annotated, Any, Final

from pydantic import Field
from sqlalchemy import Connection

from fedaid.foundation.api import (
    Asked,
    Digits,
    Id,
    Listed,
    Model,
    Moment,
    NoQuery,
    Nothing,
    Operation,
    Operations,
    Paging,
    Whole,
    given,
    or_empty,
)
from fedaid.foundation.ids import row_id
from fedaid.foundation.refused import NotFound
from fedaid.foundation.text import one_line
from fedaid.foundation.work import Work
from fedaid.members import queries as members
from fedaid.skills import commands, queries
from fedaid.skills.limits import SkillLimits
from fedaid.skills.queries import Entry, Search, Vouch
from fedaid.skills.queries import Person as Found
from fedaid.skills.rules import (
    DAYS_PER_WEEK,
    DETAILS_CHARACTERS_MAX,
    LANGUAGES,
    LANGUAGES_MAX,
    MINUTES_PER_DAY,
    MONTHLY_MINUTES_MAX,
    PLACE_CHARACTERS_MAX,
    SEARCH_CHARACTERS_MAX,
    SKILL_CHARACTERS_MAX,
    TRAVEL_KM_MAX,
    VOUCH_CHARACTERS_MAX,
    Contact,
    Preferences,
    Skill,
    Visibility,
    Window,
    windows_of,
)

READ, WRITE, ABOUT = "skills:read", "skills:write", "skills"
SLUG_CHARACTERS_MAX: Final = 40
# The slugs of the board's categories, which stands beside: the app gives them.
Categories = Callable[[Connection], Collection[str]]
MinuteOfDay = Annotated[int, Field(ge=0, le=MINUTES_PER_DAY), Digits]


class SkillShown(Model):
    """Something a member can do for others."""

    id: Id
    title: str
    category: str
    details: str
    visibility: Visibility
    group: Id | None = Field(description="Whose members alone may read it, where it is for a group.")
    created_at: Moment


class VouchShown(Model):
    """What a neighbour says of a skill."""

    id: Id
    handle: str
    name: str
    sentence: str
    at: Moment


class SkillInFull(SkillShown):
    """One skill, with whose it is and what neighbours say of it."""

    member: str = Field(description="The handle of whoever can do it.")
    vouches: list[VouchShown]


class Skills(Model):
    """Skills, in the order in which they were written."""

    items: list[SkillShown]


class FreeTime(Model):
    """A time of the week, in their own local time; Monday is 0, and 24:00 is minute 1440.

    One that ends before it begins goes through the night, and is answered as two.
    """

    weekday: Annotated[int, Field(ge=0, le=DAYS_PER_WEEK - 1), Whole]
    start_minute: Annotated[int, Field(ge=0, lt=MINUTES_PER_DAY), Whole]
    end_minute: Annotated[int, Field(ge=0, le=MINUTES_PER_DAY), Whole]


class FreeTimes(Model):
    """The times of a week at which you are free; those that touch are one."""

    items: list[FreeTime]


class HowIHelp(Model):
    """How, where and how much you like to help. What a field leaves out is as if you had never said it."""

    contact: Contact = Field(Contact.MESSAGE, description="How you like to be asked.")
    place: str = Field("", max_length=PLACE_CHARACTERS_MAX, description="Roughly where you are, in words.")
    lat: Annotated[float, Field(ge=-90, le=90)] | None = Field(
        None, description="Degrees, kept roughly and shown to nobody else: neighbours learn a distance."
    )
    lon: Annotated[float, Field(ge=-180, le=180)] | None = Field(None, description="Degrees, with ``lat`` only.")
    travel_km: Annotated[int, Field(ge=1, le=TRAVEL_KM_MAX), Whole] | None = Field(
        None, description="How far you go; null: as far as it takes."
    )
    monthly_minutes: Annotated[int, Field(ge=1, le=MONTHLY_MINUTES_MAX), Whole] | None = Field(
        None, description="After so many in a month you are asked no more; null: no such limit. Shown to nobody else."
    )
    languages: list[Annotated[str, Field(pattern=f"^({'|'.join(LANGUAGES)})$")]] = Field(
        [], max_length=LANGUAGES_MAX, description="Codes of ISO 639-1."
    )
    may_be_asked: bool = Field(True, description="Whether neighbours whose request fits may ask you.")


class Praise(Model):
    """A sentence about somebody's skill: what did they do well?"""

    sentence: str = Field(
        min_length=1, max_length=VOUCH_CHARACTERS_MAX, examples=["She had my brakes right in no time."]
    )


class PersonShown(Model):
    """A member in the directory, as far as whoever asks may read it."""

    handle: str
    name: str
    address: str
    time_zone: str
    skills: list[SkillShown]
    free_times: list[FreeTime]
    languages: list[str] = Field(description="Codes of ISO 639-1.")
    contact: Contact = Field(description="How they like to be asked.")
    place: str = Field(description="Roughly where they are, in words.")
    distance_km: int | None = Field(description="From you; null where one of the two has not said where they are.")


class PeopleShown(Listed):
    """Members with a skill that fits, who came last first: nobody is ranked."""

    items: list[PersonShown]


class DirectoryQuery(Paging):
    """What is looked for, all of it together."""

    q: str = Field("", max_length=SEARCH_CHARACTERS_MAX, description="Words of a skill, or a part of a name.")
    category: str = Field("", max_length=SLUG_CHARACTERS_MAX, pattern=or_empty("^[a-z0-9]+(-[a-z0-9]+)*$"))
    weekday: Annotated[int, Field(ge=0, le=DAYS_PER_WEEK - 1), Digits] | None = Field(
        None, description="Who is free then; Monday is 0."
    )
    start_minute: MinuteOfDay = 0
    end_minute: MinuteOfDay = MINUTES_PER_DAY
    km: Annotated[int, Field(ge=1, le=TRAVEL_KM_MAX), Digits] | None = Field(
        None, description="At most so far from me."
    )
    language: str = Field("", pattern=f"^({'|'.join(LANGUAGES)})?$", description="A code of ISO 639-1.")


class ChosenSkill(Model):
    """What you can do, and who may read it."""

    title: str = Field(min_length=1, max_length=SKILL_CHARACTERS_MAX, examples=["Bicycles: brakes, gears, flats"])
    category: str = Field(
        "", max_length=SLUG_CHARACTERS_MAX, description="The slug of one of the categories, or empty."
    )
    details: str = Field("", max_length=DETAILS_CHARACTERS_MAX)
    visibility: Visibility = Visibility.NETWORK
    group: Id | None = Field(None, description="With ``group`` only: the id of a group that you belong to.")


def _skill(one: Entry) -> dict[str, Any]:
    found = one.skill
    return {
        "id": str(one.id),
        "title": found.title,
        "category": found.category,
        "details": found.details,
        "visibility": found.visibility,
        "group": str(found.group_id) if found.group_id is not None else None,
        "created_at": one.created_at,
    }


def _person(one: Found) -> PersonShown:
    return PersonShown(
        handle=one.handle,
        name=one.name,
        address=one.actor,
        time_zone=one.time_zone,
        skills=[SkillShown(**_skill(entry)) for entry in one.entries],
        free_times=_free_times(one.windows),
        languages=list(one.languages),
        contact=one.contact,
        place=one.place,
        distance_km=one.distance_km,
    )


def _free_times(windows: Iterable[Window]) -> list[FreeTime]:
    return [FreeTime(weekday=one.weekday, start_minute=one.start_minute, end_minute=one.end_minute) for one in windows]


def list_people(connection: Connection, asked: Asked[DirectoryQuery, Nothing]) -> PeopleShown:
    """The directory: members and what they can do."""
    query = asked.query
    search = Search(
        text=one_line(query.q),
        category=query.category,
        weekday=query.weekday,
        start_minute=query.start_minute,
        end_minute=query.end_minute,
        km=query.km,
        language=query.language,
        before=query.before,
    )
    found = queries.people(connection, asked.who, search, min(query.limit, asked.rows_max))
    more = str(found.next_before) if found.next_before is not None else None
    return PeopleShown(next=more, items=[_person(one) for one in found.people])


def show_person(connection: Connection, asked: Asked[Any, Any]) -> PersonShown:
    """One member in the directory; not found where you may read nothing of theirs."""
    member = members.by_handle(connection, asked.path["handle"])
    found = queries.person(connection, asked.who, member.id) if member is not None else None
    if found is None:
        raise NotFound
    return _person(found)


def show_skill(connection: Connection, asked: Asked[Any, Any]) -> SkillInFull:
    """One skill, with what neighbours say of it."""
    return _in_full(connection, asked, asked.row("skill"))


def _in_full(connection: Connection, asked: Asked[Any, Any], skill_id: int) -> SkillInFull:
    found = queries.entry(connection, asked.who, skill_id)
    member = members.by_id(connection, found.member_id)
    if member is None:
        raise NotFound
    said = queries.vouches_of(connection, asked.who, [found.id])[found.id]
    return SkillInFull(**_skill(found), member=member.handle, vouches=[_vouch(one) for one in said])


def _vouch(one: Vouch) -> VouchShown:
    return VouchShown(id=str(one.id), handle=one.handle, name=one.name, sentence=one.sentence, at=one.created_at)


def list_my_skills(connection: Connection, asked: Asked[Any, Any]) -> Skills:
    """What you say you can do."""
    mine = asked.who.member_id or 0
    found = queries.entries_of(connection, asked.who, [mine])[mine]
    return Skills(items=[SkillShown(**_skill(one)) for one in found])


def _chosen(typed: ChosenSkill) -> Skill:
    group = row_id(typed.group) if typed.group is not None else None
    return Skill(typed.title, typed.category, typed.details, typed.visibility, group)


def add_skill(
    limits: SkillLimits, categories: Categories, work: Work, asked: Asked[NoQuery, ChosenSkill]
) -> SkillInFull:
    """Write a skill of yours into the directory."""
    made = commands.add_skill(work, asked.who, _chosen(asked.body), categories(work.connection), limits)
    return _in_full(work.connection, asked, made)


def edit_skill(categories: Categories, work: Work, asked: Asked[NoQuery, ChosenSkill]) -> SkillInFull:
    """Change a skill of yours; what neighbours said of it stays only while its title does."""
    skill_id = asked.row("skill")
    commands.edit_skill(work, asked.who, skill_id, _chosen(asked.body), categories(work.connection))
    return _in_full(work.connection, asked, skill_id)


def remove_skill(work: Work, asked: Asked[Any, Any]) -> Model:
    """Take a skill of yours out of the directory."""
    commands.remove_skill(work, asked.who, asked.row("skill"))
    return Nothing()


def show_free_times(connection: Connection, asked: Asked[Any, Any]) -> FreeTimes:
    """When you are free, in the order of the week."""
    mine = asked.who.member_id or 0
    return FreeTimes(items=_free_times(queries.windows_of(connection, [mine])[mine]))


def set_free_times(limits: SkillLimits, work: Work, asked: Asked[NoQuery, FreeTimes]) -> FreeTimes:
    """Say when you are free, all of the week anew."""
    week = [
        window for one in asked.body.items for window in windows_of([one.weekday], one.start_minute, one.end_minute)
    ]
    commands.set_windows(work, asked.who, week, limits)
    return show_free_times(work.connection, asked)


def show_how_i_help(connection: Connection, asked: Asked[Any, Any]) -> HowIHelp:
    """How you like to help."""
    mine = asked.who.member_id or 0
    found = queries.preferences_of(connection, [mine])[mine]
    return HowIHelp(
        contact=found.contact,
        place=found.place,
        lat=found.lat,
        lon=found.lon,
        travel_km=found.travel_km,
        monthly_minutes=found.monthly_minutes_max,
        languages=sorted(found.languages),
        may_be_asked=found.may_be_asked,
    )


def set_how_i_help(work: Work, asked: Asked[NoQuery, HowIHelp]) -> HowIHelp:
    """Say how you like to help, all of it anew."""
    typed = asked.body
    chosen = Preferences(
        typed.contact,
        typed.place,
        typed.lat,
        typed.lon,
        typed.travel_km,
        typed.monthly_minutes,
        frozenset(typed.languages),
        typed.may_be_asked,
    )
    commands.set_preferences(work, asked.who, chosen)
    return show_how_i_help(work.connection, asked)


def vouch_for(limits: SkillLimits, work: Work, asked: Asked[NoQuery, Praise]) -> SkillInFull:
    """Say something good of a neighbour's skill; said again, it takes the place of the sentence before."""
    skill_id = asked.row("skill")
    commands.vouch_for(work, asked.who, skill_id, asked.body.sentence, limits)
    return _in_full(work.connection, asked, skill_id)


def take_vouch_back(work: Work, asked: Asked[Any, Any]) -> Model:
    """Take out what you said of a skill, or what was said of yours."""
    commands.take_vouch_back(work, asked.who, asked.row("vouch"))
    return Nothing()


def operations(limits: SkillLimits, categories: Categories) -> Operations:
    """Everything that a program can do in the directory; ``categories`` are the board's."""
    one = "/skills/{skill:row}"
    return [
        Operation(
            "list_people", "GET", "/people", READ, ABOUT, read=list_people, query=DirectoryQuery, answer=PeopleShown
        ),
        Operation("show_person", "GET", "/people/{handle:handle}", READ, ABOUT, read=show_person, answer=PersonShown),
        Operation("list_my_skills", "GET", "/me/skills", READ, ABOUT, read=list_my_skills, answer=Skills),
        Operation(
            "add_skill",
            "POST",
            "/me/skills",
            WRITE,
            ABOUT,
            write=given(add_skill, limits, categories),
            body=ChosenSkill,
            answer=SkillInFull,
            status=201,
            made_at="/skills/{id}",
            leads_to=("show_skill", "edit_skill", "remove_skill"),
        ),
        Operation("show_skill", "GET", one, READ, ABOUT, read=show_skill, answer=SkillInFull),
        Operation(
            "edit_skill",
            "PUT",
            one,
            WRITE,
            ABOUT,
            write=given(edit_skill, categories),
            body=ChosenSkill,
            answer=SkillInFull,
        ),
        Operation("remove_skill", "DELETE", one, WRITE, ABOUT, write=remove_skill),
        Operation(
            "vouch_for_skill",
            "PUT",
            f"{one}/vouch",
            WRITE,
            ABOUT,
            write=given(vouch_for, limits),
            body=Praise,
            answer=SkillInFull,
        ),
        Operation("take_vouch_back", "DELETE", "/vouches/{vouch:row}", WRITE, ABOUT, write=take_vouch_back),
        Operation("show_free_times", "GET", "/me/free-times", READ, ABOUT, read=show_free_times, answer=FreeTimes),
        Operation(
            "set_free_times",
            "PUT",
            "/me/free-times",
            WRITE,
            ABOUT,
            write=given(set_free_times, limits),
            body=FreeTimes,
            answer=FreeTimes,
        ),
        Operation("show_how_i_help", "GET", "/me/helping", READ, ABOUT, read=show_how_i_help, answer=HowIHelp),
        Operation(
            "set_how_i_help",
            "PUT",
            "/me/helping",
            WRITE,
            ABOUT,
            write=set_how_i_help,
            body=HowIHelp,
            answer=HowIHelp,
        ),
    ]
