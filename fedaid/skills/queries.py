"""Reads of the directory; each takes the viewer, and what that viewer may not read takes no part in any answer."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    union,
    union_all,
)

from fedaid.actors.queries import no_block_between
from fedaid.actors.tables import local_actor
from fedaid.foundation.places import KM_PER_DEGREE, distance_km, narrowing
from fedaid.foundation.refused import NotFound
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.words import LAST_LETTER, terms
from fedaid.groups.tables import membership
from fedaid.members.tables import member
from fedaid.skills.rules import MINUTES_PER_DAY, Contact, Preferences, Skill, Visibility, Window
from fedaid.skills.tables import free_window, helper_preference, skill, skill_term, spoken_language, vouch

NO_PREFERENCES: Final = Preferences()
HITS_PER_CANDIDATE: Final = 5  # entries with one word that are looked at, for each member that may be picked out


@dataclass(frozen=True)
class Entry:
    """One skill of a member, as it stands in the directory."""

    id: int
    member_id: int
    skill: Skill
    created_at: datetime


@dataclass(frozen=True)
class Vouch:
    """What a neighbour says of a skill."""

    id: int
    skill_id: int
    member_id: int
    handle: str
    name: str
    sentence: str
    created_at: datetime


@dataclass(frozen=True)
class Search:
    """What is looked for, all of it together.

    weekday, start_minute, end_minute   somebody free then, at least for a part of it
    km            at most so far from the viewer's own position
    language      a code of ``rules.LANGUAGES``
    before        the member's id at which the page before ended
    """

    text: str = ""
    category: str = ""
    weekday: int | None = None
    start_minute: int = 0
    end_minute: int = MINUTES_PER_DAY
    km: int | None = None
    language: str = ""
    before: int | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.text or self.category or self.language or self.km) and self.weekday is None


@dataclass(frozen=True)
class Person:
    """A member as the viewer may see them in the directory. Where they are and their monthly cap are not in it.

    entries      those the viewer may read, what was looked for first
    distance_km  from the viewer, whole kilometres, at least 1; None where one of the two has no position
    """

    member_id: int
    actor: str
    handle: str
    name: str
    time_zone: str
    entries: Sequence[Entry]
    windows: Sequence[Window]
    languages: Sequence[str]
    contact: Contact
    place: str
    distance_km: int | None


@dataclass(frozen=True)
class People:
    """One page of the directory; ``next_before`` continues it."""

    people: Sequence[Person]
    next_before: int | None


def _entry(row: Row[tuple[object, ...]]) -> Entry:
    found = row._mapping
    told = Skill(
        found["title"], found["category"], found["details"], Visibility(found["visibility"]), found["group_id"]
    )
    return Entry(found["id"], found["member_id"], told, found["created_at"])


# who may read an entry


def group_ids_of(connection: Connection, viewer: Viewer) -> frozenset[int]:
    """The groups that a member belongs to, by their ids."""
    mine = select(membership.c.group_id).where(membership.c.member_id == viewer.member_id)
    return frozenset(connection.execute(mine).scalars())


def readable(viewer: Viewer) -> ColumnElement[bool]:
    """The condition under which the viewer may read an entry. Somebody signed out reads none.

    What is for a group is read in the group, for as long as its author belongs to it.
    """
    if viewer.member_id is None:
        return false()
    mine = select(membership.c.group_id).where(membership.c.member_id == viewer.member_id)
    belongs = exists().where(membership.c.group_id == skill.c.group_id, membership.c.member_id == skill.c.member_id)
    in_group = and_(skill.c.group_id.in_(mine), belongs)
    return or_(skill.c.member_id == viewer.member_id, skill.c.visibility != Visibility.GROUP, in_group)


def _welcome(viewer: Viewer) -> ColumnElement[bool]:
    """Nobody who left, and nobody of whom one of the two blocks the other; needs ``local_actor`` joined."""
    return and_(local_actor.c.gone_at.is_(None), no_block_between(viewer.actor, local_actor.c.uri))


def _entries(viewer: Viewer) -> Select[tuple[object, ...]]:
    joined = select(skill).join(member, member.c.id == skill.c.member_id)
    joined = joined.join(local_actor, local_actor.c.id == member.c.actor_id)
    return joined.where(readable(viewer), _welcome(viewer)).order_by(skill.c.id)


def entry(connection: Connection, viewer: Viewer, skill_id: int) -> Entry:
    """One entry. Raises NotFound when there is none, or the viewer may not know whether there is."""
    row = connection.execute(_entries(viewer).where(skill.c.id == skill_id)).one_or_none()
    if row is None:
        raise NotFound
    return _entry(row)


def entries_of(connection: Connection, viewer: Viewer, member_ids: Collection[int]) -> Mapping[int, Sequence[Entry]]:
    """What these members can do, as far as the viewer may read it, in the order in which they wrote it."""
    found: dict[int, list[Entry]] = {one: [] for one in member_ids}
    for row in connection.execute(_entries(viewer).where(skill.c.member_id.in_(sorted(member_ids)))):
        found[row.member_id].append(_entry(row))
    return found


@dataclass(frozen=True)
class SharedEntry:
    """An entry that its author shows to neighbouring networks, with who that is."""

    entry: Entry
    actor: str
    handle: str
    name: str


def shared(connection: Connection, most: int) -> Sequence[SharedEntry]:
    """What members show to neighbouring networks, newest first."""
    columns = (skill, local_actor.c.uri, local_actor.c.handle, local_actor.c.name)
    joined = select(*columns).join(member, member.c.id == skill.c.member_id)
    joined = joined.join(local_actor, local_actor.c.id == member.c.actor_id)
    open_ones = (skill.c.visibility == Visibility.NEIGHBOURS, local_actor.c.gone_at.is_(None))
    query = joined.where(*open_ones).order_by(skill.c.id.desc()).limit(most)
    return [SharedEntry(_entry(row), row.uri, row.handle, row.name) for row in connection.execute(query)]


def vouches_of(connection: Connection, viewer: Viewer, skill_ids: Collection[int]) -> Mapping[int, Sequence[Vouch]]:
    """What neighbours say of these entries, which the viewer may read; by nobody whom they block."""
    columns = (vouch, local_actor.c.handle, local_actor.c.name)
    joined = select(*columns).join(member, member.c.id == vouch.c.member_id)
    joined = joined.join(local_actor, local_actor.c.id == member.c.actor_id)
    query = joined.where(vouch.c.skill_id.in_(sorted(skill_ids)), _welcome(viewer)).order_by(vouch.c.id)
    found: dict[int, list[Vouch]] = {one: [] for one in skill_ids}
    for row in connection.execute(query):
        found[row.skill_id].append(Vouch(**row._mapping))
    return found


# when, where and how


def windows_of(connection: Connection, member_ids: Collection[int]) -> Mapping[int, Sequence[Window]]:
    """When these members are free, in the order of the week; for them, and for who may read an entry of theirs."""
    table = free_window.c
    query = select(free_window).where(table.member_id.in_(sorted(member_ids)))
    found: dict[int, list[Window]] = {one: [] for one in member_ids}
    for row in connection.execute(query.order_by(table.member_id, table.weekday, table.start_minute)):
        found[row.member_id].append(Window(row.weekday, row.start_minute, row.end_minute))
    return found


def preferences_of(connection: Connection, member_ids: Collection[int]) -> Mapping[int, Preferences]:
    """How these members like to help, with what is shown to nobody; for themselves and for rooms that act on it."""
    wanted = sorted(member_ids)
    spoken: dict[int, set[str]] = {}
    for row in connection.execute(select(spoken_language).where(spoken_language.c.member_id.in_(wanted))):
        spoken.setdefault(row.member_id, set()).add(row.language)
    found = dict.fromkeys(wanted, NO_PREFERENCES)
    for row in connection.execute(select(helper_preference).where(helper_preference.c.member_id.in_(wanted))):
        found[row.member_id] = Preferences(
            Contact(row.contact),
            row.place,
            row.lat,
            row.lon,
            row.travel_km,
            row.monthly_minutes_max,
            frozenset(spoken.get(row.member_id, ())),
            row.may_be_asked,
        )
    return found


# the directory


def people(connection: Connection, viewer: Viewer, search: Search, per_page: int) -> People:
    """Members with an entry that the viewer may read and that fits, who came last first: nobody is ranked."""
    if not viewer.signed_in:
        return People((), None)
    query = _members(connection, viewer, search).order_by(member.c.id.desc()).limit(per_page + 1)
    rows = connection.execute(query).all()
    shown = rows[:per_page]
    return People(_persons(connection, viewer, shown, search), shown[-1].id if len(rows) > per_page else None)


def person(connection: Connection, viewer: Viewer, member_id: int) -> Person | None:
    """One member; None when the viewer may read nothing of theirs in the directory."""
    rows = connection.execute(_members(connection, viewer, Search()).where(member.c.id == member_id)).all()
    return next(iter(_persons(connection, viewer, rows, Search())), None) if viewer.signed_in else None


def _members(connection: Connection, viewer: Viewer, search: Search) -> Select[tuple[object, ...]]:
    columns = (member.c.id, member.c.time_zone, local_actor.c.uri, local_actor.c.handle, local_actor.c.name)
    joined = select(*columns).join(local_actor, local_actor.c.id == member.c.actor_id)
    return joined.where(_welcome(viewer), *_conditions(connection, viewer, search))


def _conditions(connection: Connection, viewer: Viewer, search: Search) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [_has_entry(viewer, search)]
    if search.weekday is not None:
        free = (free_window.c.member_id == member.c.id) & (free_window.c.weekday == search.weekday)
        in_time = (free_window.c.start_minute < search.end_minute) & (free_window.c.end_minute > search.start_minute)
        conditions.append(exists().where(free, in_time))
    if search.language:
        spoken = spoken_language.c
        conditions.append(exists().where(spoken.member_id == member.c.id, spoken.language == search.language))
    if search.km is not None:
        conditions.append(_near(connection, viewer, search.km))
    if search.before is not None:
        conditions.append(member.c.id < search.before)
    return conditions


def _has_entry(viewer: Viewer, search: Search) -> ColumnElement[bool]:
    fitting = [readable(viewer)]
    if search.category:
        fitting.append(skill.c.category == search.category)
    if not search.text:
        return member.c.id.in_(select(skill.c.member_id).where(*fitting))
    said = select(skill.c.member_id).where(*fitting, _says(search.text))
    actor, someone = local_actor.alias(), member.alias()
    called = func.lower(actor.c.name).contains(search.text.lower(), autoescape=True)
    theirs = select(skill.c.member_id).where(*fitting).join(someone, someone.c.id == skill.c.member_id)
    by_name = theirs.join(actor, actor.c.id == someone.c.actor_id).where(called)
    return member.c.id.in_(union(said, by_name))


def _says(text: str) -> ColumnElement[bool]:
    """Each word of the text begins a word of the entry."""
    wanted = sorted(terms(text))
    if not wanted:
        return false()
    term = skill_term.c.term
    begun = [(term >= one) & (term < one + LAST_LETTER) for one in wanted]
    return and_(*(skill.c.id.in_(select(skill_term.c.skill_id).where(one)) for one in begun))


@dataclass(frozen=True)
class Wanted:
    """What somebody needs, as far as the database can tell who might do it; the rules of matching judge the rest.

    terms     words as they are compared
    windows   at which it can be done, on clocks in ``time_zone``; empty: any time
    position  where
    """

    category: str
    terms: frozenset[str]
    windows: Sequence[Window] = ()
    time_zone: str = ""
    position: tuple[float, float] | None = None


def candidates(connection: Connection, viewer: Viewer, wanted: Wanted, limit: int) -> Sequence[int]:
    """Members who may be asked and say that they can do something like it, in entries that the viewer may read.

    Those with more of its words first, then those who are nearer. Never more than ``limit``.
    """
    hits = union_all(*_hits(wanted, limit * HITS_PER_CANDIDATE)).subquery()
    points = func.sum(hits.c.points)
    joined = (
        select(skill.c.member_id)
        .join(hits, hits.c.skill_id == skill.c.id)
        .join(member, member.c.id == skill.c.member_id)
        .join(local_actor, local_actor.c.id == member.c.actor_id)
        .outerjoin(helper_preference, helper_preference.c.member_id == skill.c.member_id)
    )
    may_be_asked = or_(helper_preference.c.may_be_asked.is_(None), helper_preference.c.may_be_asked.is_(True))
    conditions = [readable(viewer), _welcome(viewer), may_be_asked, skill.c.member_id != viewer.member_id]
    order: list[ColumnElement[object]] = [points.desc()]
    if wanted.windows:
        conditions.append(or_(member.c.time_zone != wanted.time_zone, _may_be_free(wanted.windows)))
    if wanted.position is not None:
        conditions.append(_would_come(wanted.position))
        order.append(func.coalesce(func.min(_square_km(wanted.position)), literal(10.0**9)))
    query = joined.where(*conditions).group_by(skill.c.member_id).order_by(*order, skill.c.member_id.desc())
    return connection.execute(query.limit(limit)).scalars().all()


def _hits(wanted: Wanted, most: int) -> Sequence[Select[tuple[int, int]]]:
    """Entries of the kind of help and with each word, the newest where there are very many, each with its points."""
    of_kind = select(skill.c.id.label("skill_id"), literal(2).label("points"))
    kind = of_kind.where(skill.c.category == wanted.category, skill.c.category != "").order_by(skill.c.member_id.desc())
    with_word = select(skill_term.c.skill_id, literal(1).label("points")).order_by(skill_term.c.skill_id.desc())
    words = [with_word.where(skill_term.c.term == term) for term in sorted(wanted.terms)]
    limited = [one.limit(most).subquery() for one in (kind, *words)]
    return [select(one.c.skill_id, one.c.points) for one in limited]


def _may_be_free(windows: Sequence[Window]) -> ColumnElement[bool]:
    """At one of these times, or they have not said when."""
    table = free_window.c
    theirs = table.member_id == skill.c.member_id
    then = or_(
        *(
            and_(table.weekday == one.weekday, table.start_minute < one.end_minute, table.end_minute > one.start_minute)
            for one in windows
        )
    )
    return or_(exists().where(theirs, then), ~exists().where(theirs))


def _would_come(here: tuple[float, float]) -> ColumnElement[bool]:
    table = helper_preference.c
    return or_(table.lat.is_(None), table.travel_km.is_(None), _square_km(here) <= table.travel_km * table.travel_km)


def _square_km(here: tuple[float, float]) -> ColumnElement[float]:
    """How far a member's position is, squared, on a flat map, which is right enough for neighbours."""
    lat, lon = here
    north = (helper_preference.c.lat - literal(lat)) * KM_PER_DEGREE
    east = (helper_preference.c.lon - literal(lon)) * (KM_PER_DEGREE * narrowing(lat))
    return north * north + east * east


def _near(connection: Connection, viewer: Viewer, km: int) -> ColumnElement[bool]:
    """Within so many kilometres of the viewer; nobody when one of the two has not said where they are."""
    here = preferences_of(connection, [viewer.member_id or 0])[viewer.member_id or 0].position
    if here is None:
        return false()
    return member.c.id.in_(select(helper_preference.c.member_id).where(_within(here, km)))


def _within(here: tuple[float, float], km: int) -> ColumnElement[bool]:
    """At most ``km`` away; the square around it first, for which there is an index."""
    lat, lon = here
    table, high, wide = helper_preference.c, km / KM_PER_DEGREE, km / (KM_PER_DEGREE * narrowing(lat))
    square = and_(table.lat.between(lat - high, lat + high), table.lon.between(lon - wide, lon + wide))
    return and_(square, _square_km(here) <= km * km)


def _persons(
    connection: Connection, viewer: Viewer, rows: Sequence[Row[tuple[object, ...]]], search: Search
) -> Sequence[Person]:
    ids = [row.id for row in rows]
    entries = entries_of(connection, viewer, ids)
    windows = windows_of(connection, ids)
    preferences = preferences_of(connection, [*ids, viewer.member_id or 0])
    here = preferences[viewer.member_id or 0].position
    return [
        Person(
            row.id,
            row.uri,
            row.handle,
            row.name,
            row.time_zone,
            sorted(entries[row.id], key=lambda one: not _fits(one, search)),
            windows[row.id],
            sorted(preferences[row.id].languages),
            preferences[row.id].contact,
            preferences[row.id].place,
            rounded_km(here, preferences[row.id].position) if row.id != viewer.member_id else None,
        )
        for row in rows
    ]


def _fits(one: Entry, search: Search) -> bool:
    if search.category and one.skill.category != search.category:
        return False
    said = terms(f"{one.skill.title}\n{one.skill.details}")
    return all(any(term.startswith(wanted) for term in said) for wanted in terms(search.text))


def rounded_km(one: tuple[float, float] | None, other: tuple[float, float] | None) -> int | None:
    """How far apart two are, as it may be said: whole kilometres, at least 1. None where one has no position."""
    return max(1, round(distance_km(one, other))) if one is not None and other is not None else None
