"""Writes in the directory: what a member can do, when and how they like to help, and what neighbours say of it."""

from collections.abc import Collection, Iterable

from sqlalchemy import delete, func, insert, select, update

from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.said import said
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.words import terms
from fedaid.foundation.work import Work
from fedaid.members.tables import member
from fedaid.skills import queries
from fedaid.skills.limits import SkillLimits
from fedaid.skills.rules import (
    Preferences,
    Skill,
    Window,
    checked_preferences,
    checked_skill,
    checked_vouch,
    joined,
)
from fedaid.skills.tables import free_window, helper_preference, skill, skill_term, spoken_language, vouch


def add_skill(work: Work, who: Viewer, chosen: Skill, categories: Collection[str], limits: SkillLimits) -> int:
    """A new entry of the member's; returns its id. Raises Refused, also when they have as many as they may."""
    mine = _held(work, who)
    tidy = checked_skill(chosen, categories, queries.group_ids_of(work.connection, who))
    count = select(func.count()).select_from(skill).where(skill.c.member_id == mine)
    if work.connection.execute(count).scalar_one() >= limits.entries_per_member_max:
        raise Refused(
            "too_many_skills",
            said("At most %(count)s skills; take one out or join two.", count=limits.entries_per_member_max),
            409,
        )
    skill_id = work.new_id()
    fixed = {"id": skill_id, "member_id": mine, "created_at": work.now}
    work.connection.execute(insert(skill).values({**fixed, **_values(work, tidy)}))
    _index(work, skill_id, tidy)
    return skill_id


def edit_skill(work: Work, who: Viewer, skill_id: int, chosen: Skill, categories: Collection[str]) -> None:
    """Keep what was changed. What neighbours said of it stays only while its words do. Raises Refused."""
    found = _own(work, who, skill_id)
    tidy = checked_skill(chosen, categories, queries.group_ids_of(work.connection, who))
    work.connection.execute(update(skill).where(skill.c.id == skill_id).values(_values(work, tidy)))
    work.connection.execute(delete(skill_term).where(skill_term.c.skill_id == skill_id))
    _index(work, skill_id, tidy)
    if tidy.title != found.skill.title:  # nobody vouched for this
        work.connection.execute(delete(vouch).where(vouch.c.skill_id == skill_id))


def remove_skill(work: Work, who: Viewer, skill_id: int) -> None:
    """Take an entry out, with what was said of it. Raises NotFound."""
    _own(work, who, skill_id)
    work.connection.execute(delete(skill).where(skill.c.id == skill_id))


def _held(work: Work, who: Viewer) -> int:
    """The member's id, their row held against other writers, so that two at once are not more than they may be."""
    if who.member_id is None:
        raise NotAllowed
    work.connection.execute(select(member.c.id).where(member.c.id == who.member_id).with_for_update())
    return who.member_id


def _own(work: Work, who: Viewer, skill_id: int) -> queries.Entry:
    found = queries.entry(work.connection, who, skill_id)
    if found.member_id != who.member_id:
        raise NotFound
    return found


def _values(work: Work, tidy: Skill) -> dict[str, object]:
    return {
        "title": tidy.title,
        "category": tidy.category,
        "details": tidy.details,
        "visibility": tidy.visibility,
        "group_id": tidy.group_id,
        "updated_at": work.now,
    }


def _index(work: Work, skill_id: int, tidy: Skill) -> None:
    rows = [{"term": term, "skill_id": skill_id} for term in sorted(terms(f"{tidy.title}\n{tidy.details}"))]
    if rows:
        work.connection.execute(insert(skill_term), rows)


def add_windows(work: Work, who: Viewer, added: Iterable[Window], limits: SkillLimits) -> None:
    """More times at which the member is free; those that touch become one. Raises Refused for too many."""
    mine = _held(work, who)
    before = queries.windows_of(work.connection, [mine])[mine]
    _keep_windows(work, mine, joined([*before, *added], limits.windows_per_member_max))


def set_windows(work: Work, who: Viewer, week: Iterable[Window], limits: SkillLimits) -> None:
    """All times at which the member is free, instead of those before. Raises Refused for too many."""
    _keep_windows(work, _held(work, who), joined(week, limits.windows_per_member_max))


def remove_window(work: Work, who: Viewer, weekday: int, start_minute: int) -> None:
    """Take one of these times out; harmless when it is out already."""
    mine = _held(work, who)
    before = queries.windows_of(work.connection, [mine])[mine]
    _keep_windows(work, mine, [one for one in before if (one.weekday, one.start_minute) != (weekday, start_minute)])


def _keep_windows(work: Work, member_id: int, windows: Collection[Window]) -> None:
    work.connection.execute(delete(free_window).where(free_window.c.member_id == member_id))
    rows = [
        {
            "member_id": member_id,
            "weekday": one.weekday,
            "start_minute": one.start_minute,
            "end_minute": one.end_minute,
        }
        for one in windows
    ]
    if rows:
        work.connection.execute(insert(free_window), rows)


def set_preferences(work: Work, who: Viewer, chosen: Preferences) -> None:
    """How, where and how much the member likes to help. Raises Refused."""
    mine, tidy = _held(work, who), checked_preferences(chosen)
    work.connection.execute(delete(helper_preference).where(helper_preference.c.member_id == mine))
    work.connection.execute(delete(spoken_language).where(spoken_language.c.member_id == mine))
    row = {
        "member_id": mine,
        "contact": tidy.contact,
        "place": tidy.place,
        "lat": tidy.lat,
        "lon": tidy.lon,
        "travel_km": tidy.travel_km,
        "monthly_minutes_max": tidy.monthly_minutes_max,
        "may_be_asked": tidy.may_be_asked,
        "updated_at": work.now,
    }
    work.connection.execute(insert(helper_preference).values(row))
    rows = [{"member_id": mine, "language": one} for one in sorted(tidy.languages)]
    if rows:
        work.connection.execute(insert(spoken_language), rows)


def vouch_for(work: Work, who: Viewer, skill_id: int, sentence: str, limits: SkillLimits) -> None:
    """Say something good of a neighbour's skill; said again it takes the place of the sentence before. Raises Refused.

    Only of an entry that one may read.
    """
    mine = _held(work, who)
    found = queries.entry(work.connection, who, skill_id)
    tidy = checked_vouch(sentence)
    if found.member_id == mine:
        raise Refused("own_skill", "Neighbours vouch for you; you need not do it yourself.", 409)
    of_skill = vouch.c.skill_id == skill_id
    work.connection.execute(delete(vouch).where(of_skill, vouch.c.member_id == mine))
    count = select(func.count()).select_from(vouch).where(of_skill)
    if work.connection.execute(count).scalar_one() >= limits.vouches_per_entry_max:
        raise Refused("too_many_vouches", "Enough neighbours have said so already. Tell it to them in person.", 409)
    row = {"id": work.new_id(), "skill_id": skill_id, "member_id": mine, "sentence": tidy, "created_at": work.now}
    work.connection.execute(insert(vouch).values(row))


def take_vouch_back(work: Work, who: Viewer, vouch_id: int) -> int:
    """By whoever wrote it, or by whom it is about, who need not have it beside their name; returns the skill's id.

    Raises NotFound for everybody else.
    """
    row = work.connection.execute(
        select(vouch.c.member_id, vouch.c.skill_id, skill.c.member_id.label("owner_id"))
        .join(skill, skill.c.id == vouch.c.skill_id)
        .where(vouch.c.id == vouch_id)
    ).one_or_none()
    if row is None or who.member_id not in (row.member_id, row.owner_id):
        raise NotFound
    work.connection.execute(delete(vouch).where(vouch.c.id == vouch_id))
    skill_id: int = row.skill_id
    return skill_id


def clear_out(work: Work, member_id: int) -> None:
    """Somebody leaves: what they wrote into the directory goes, and what they said of others."""
    work.connection.execute(delete(vouch).where(vouch.c.member_id == member_id))
    for table in (skill, free_window, helper_preference, spoken_language):
        work.connection.execute(delete(table).where(table.c.member_id == member_id))
