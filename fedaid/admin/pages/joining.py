"""The desks about people who want to come: applications, and invitations."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fedaid.actors.commands import make_keys
from fedaid.admin import welcome
from fedaid.foundation.codes import picture_of
from fedaid.foundation.ids import row_id
from fedaid.foundation.pages import (
    NOTHING_TYPED,
    Form,
    coordinator,
    form_page,
    go,
    house,
    render,
)
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.viewer import Role
from fedaid.members import queries as members
from fedaid.members.commands import joining
from fedaid.members.commands.joining import Terms
from fedaid.members.limits import MemberLimits
from fedaid.members.queries import joining as queries
from fedaid.members.queries.joining import Application, Invitation
from fedaid.members.rules import chosen_role
from fedaid.members.rules.joining import SENTENCE_CHARACTERS_MAX, read_number

Numbered = TypeVar("Numbered", Application, Invitation)
STATE_WORDS = {"accepted": "Let in", "declined": "Declined", "withdrawn": "Taken back"}


def routes(limits: MemberLimits) -> Sequence[Route]:
    """Who asks to join, and whom we ask to."""
    return [
        Route("/applications", applications_page(limits), methods=["GET"]),
        Route("/applications/{number}/accept", form_page(accept(limits)), methods=["POST"]),
        Route("/applications/{number}/decline", form_page(decline(limits)), methods=["POST"]),
        Route("/invitations", invitations_page(limits), methods=["GET"]),
        Route("/invitations", form_page(invite(limits)), methods=["POST"]),
        Route("/invitations/{number}/revoke", form_page(revoke), methods=["POST"]),
    ]


# applications


def applications_page(limits: MemberLimits) -> Callable[[Request], Response]:
    """The queue of applications."""

    def page(request: Request) -> Response:
        """Who asks to join, the oldest first; or what was decided."""
        return _applications(request, limits)

    return page


def _first(
    found: Sequence[Numbered], rows_max: int, path: str, mark: str, side: Mapping[str, str]
) -> tuple[Sequence[Numbered], str]:
    """What stands on one page, and where the rest does: one row more was looked for than a page has."""
    shown = found[:rows_max]
    rest = {mark: str(shown[-1].id), **side} if len(found) > len(shown) else {}
    return shown, f"{path}?{urlencode(rest)}" if rest else ""


def _kept_by_nobody(request: Request, template: str, status: int, **values: object) -> Response:
    page = render(request, template, status, **values)
    page.headers["Cache-Control"] = "no-store"
    return page


def _applications(
    request: Request, limits: MemberLimits, wrong: int = 0, refusal: str = "", typed: str = "", status: int = 200
) -> Response:
    coordinator(request)
    home, asked = house(request), request.query_params
    are_waiting, beyond = asked.get("decided") != "1", asked.get("beyond", "")
    with home.database.read() as connection:
        found = queries.applications(
            connection,
            are_waiting=are_waiting,
            rows_max=limits.page_rows_max + 1,
            beyond=row_id(beyond) if beyond else None,
        )
        waiting = queries.count_applications(connection)
        names = members.names(connection, [one.decided_by for one in found if one.decided_by is not None])
        here = queries.our_neighbourhood(connection)
        newest = queries.agreement(connection)
    side = {} if are_waiting else {"decided": "1"}
    shown, more = _first(found, limits.page_rows_max, "/applications", "beyond", side)
    return _kept_by_nobody(
        request,
        "admin/applications.html",
        status,
        applications=shown,
        more=more,
        are_waiting=are_waiting,
        waiting=waiting,
        names=names,
        here=here,
        newest=newest,
        state_words=STATE_WORDS,
        wrong_at=wrong,
        refusal=refusal,
        typed=typed,
        sentence_max=SENTENCE_CHARACTERS_MAX,
    )


def accept(limits: MemberLimits) -> Callable[[Request, Form], Response]:
    """How somebody is let in."""

    def let_in(request: Request, form: Form) -> Response:
        """Let somebody in. A refusal shows the queue again."""
        who, number = coordinator(request), row_id(request.path_params["number"])
        keys = make_keys()
        try:
            with house(request).units.begin() as work:
                welcome.admit(work, who, number, keys)
        except (NotFound, NotAllowed):
            raise
        except Refused as refused:
            return _applications(request, limits, number, refused.sentence, "", refused.status)
        return go("/applications", "admitted")

    return let_in


def decline(limits: MemberLimits) -> Callable[[Request, Form], Response]:
    """How somebody is not let in."""

    def turn_down(request: Request, form: Form) -> Response:
        """Decline with a sentence that they will read. A refusal keeps what was typed."""
        who, number = coordinator(request), row_id(request.path_params["number"])
        try:
            with house(request).units.begin() as work:
                welcome.turn_down(work, who, number, form["sentence"])
        except (NotFound, NotAllowed):
            raise
        except Refused as refused:
            return _applications(request, limits, number, refused.sentence, form["sentence"], refused.status)
        return go("/applications", "turned_down")

    return turn_down


# invitations


def invitations_page(limits: MemberLimits) -> Callable[[Request], Response]:
    """The invitations, and the form for another."""

    def page(request: Request) -> Response:
        """The invitations that are good, or those that are not any more, and the form to make another."""
        return _invitations(request, limits)

    return page


def _invitations(
    request: Request,
    limits: MemberLimits,
    typed: Mapping[str, str] = NOTHING_TYPED,
    refusal: str = "",
    link: str = "",
    status: int = 200,
) -> Response:
    coordinator(request)
    home, asked = house(request), request.query_params
    now, are_good, before = home.units.clock.now(), asked.get("over") != "1", asked.get("before", "")
    with home.database.read() as connection:
        found = queries.invitations(
            connection,
            now,
            are_good=are_good,
            rows_max=limits.page_rows_max + 1,
            before=row_id(before) if before else None,
        )
        names = members.names(connection, [one.made_by for one in found if one.made_by is not None])
        here = queries.our_neighbourhood(connection)
    side = {} if are_good else {"over": "1"}
    shown, more = _first(found, limits.page_rows_max, "/invitations", "before", side)
    return _kept_by_nobody(
        request,
        "admin/invitations.html",
        status,
        invitations=shown,
        more=more,
        are_good=are_good,
        now=now,
        names=names,
        here=here,
        typed=typed,
        refusal=refusal,
        link=link,
        picture=picture_of(link) if link else "",
        limits=limits,
        roles=tuple(Role),
    )


def invite(limits: MemberLimits) -> Callable[[Request, Form], Response]:
    """How an invitation is made."""

    def make(request: Request, form: Form) -> Response:
        """Make an invitation, and show its link and code this once. A refusal keeps what was typed."""
        who, home = coordinator(request), house(request)
        try:
            role = chosen_role(form["role"] or Role.MEMBER)
            terms = Terms(form["note"], read_number(form["uses"]), read_number(form["days"]), role)
            with home.units.begin() as work:
                secret = joining.invite(work, who, terms, limits)
        except NotAllowed:
            raise
        except Refused as refused:
            return _invitations(request, limits, form, refused.sentence, status=refused.status)
        link = f"{home.names.origin}/join?{urlencode({'invitation': secret})}"
        return _invitations(request, limits, link=link)

    return make


def revoke(request: Request, form: Form) -> Response:
    """Nobody comes with this invitation any more."""
    who = coordinator(request)
    with house(request).units.begin() as work:
        joining.revoke_invitation(work, who, row_id(request.path_params["number"]))
    return go("/invitations", "invitation_revoked")
