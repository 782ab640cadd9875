"""One skill by itself: what it is, and what neighbours say of it."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from fedaid.foundation.pages import Form, go, house, member, number_of, render
from fedaid.foundation.refused import NotFound, Refused
from fedaid.skills import commands, queries
from fedaid.skills.limits import SkillLimits
from fedaid.skills.pages.kinds import Kinds, names_of
from fedaid.skills.rules import VOUCH_CHARACTERS_MAX


def skill_page(kinds: Kinds) -> Callable[[Request], Response]:
    """A skill, for those who may read it."""

    def page(request: Request) -> Response:
        """One skill, with what neighbours say of it and the line on which I may."""
        return _page(request, kinds)

    return page


def _page(request: Request, kinds: Kinds, refused: Refused | None = None, typed: str = "") -> Response:
    who, home = member(request), house(request)
    with home.database.read() as connection:
        found = queries.entry(connection, who, number_of(request))
        person = queries.person(connection, who, found.member_id)
        vouches = queries.vouches_of(connection, who, [found.id])[found.id]
        names = names_of(kinds(connection))
    if person is None:  # it was readable, so its author has at least this one
        raise NotFound
    return render(
        request,
        "skills/skill.html",
        refused.status if refused is not None else 200,
        entry=found,
        person=person,
        vouches=vouches,
        mine=next((one for one in vouches if one.member_id == who.member_id), None),
        kinds=names,
        wrong_sentence=refused.sentence if refused is not None else "",
        typed=typed,
        sentence_max=VOUCH_CHARACTERS_MAX,
    )


def vouch(limits: SkillLimits, kinds: Kinds) -> Callable[[Request, Form], Response]:
    """A sentence of a neighbour's."""

    def post(request: Request, form: Form) -> Response:
        """Say something good of a neighbour's skill."""
        who, skill_id = member(request), number_of(request)
        try:
            with house(request).units.begin() as work:
                commands.vouch_for(work, who, skill_id, form["sentence"], limits)
        except NotFound:
            raise
        except Refused as refused:
            return _page(request, kinds, refused, form["sentence"])
        return go(f"/skills/{skill_id}", "vouched")

    return post


def take_back(request: Request, form: Form) -> Response:
    """Take a sentence away: mine, or one about me."""
    who = member(request)
    with house(request).units.begin() as work:
        skill_id = commands.take_vouch_back(work, who, number_of(request))
    return go(f"/skills/{skill_id}", "vouch_taken_back")
