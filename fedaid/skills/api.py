"""The directory for programs: who can do what, and what my member says of themselves, as far as each may read it."""

from collections.abc import Callable, Collection
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
    MINUTES_PER_DAY,
    SEARCH_CHARACTERS_MAX,
    SKILL_CHARACTERS_MAX,
    TRAVEL_KM_MAX,
    Contact,
    Skill,
    Visibility,
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
    """A time of the week, in their own local time; Monday is 0, and 24:00 is minute 1440."""

    weekday: int
    start_minute: int
    end_minute: int


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
        free_times=[
            FreeTime(weekday=time.weekday, start_minute=time.start_minute, end_minute=time.end_minute)
            for time in one.windows
        ],
        languages=list(one.languages),
        contact=one.contact,
        place=one.place,
        distance_km=one.distance_km,
    )


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
    ]
