"""The desk about members: who is here, what they may do, and how somebody who forgot a password comes in again."""

from collections.abc import Callable, Sequence
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fedaid.admin import welcome
from fedaid.admin.pages.reports import DECISION_WORDS, reason_in_words
from fedaid.foundation.codes import picture_of
from fedaid.foundation.pages import Form, admin, coordinator, form_page, go, house, render
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.viewer import Role
from fedaid.members import queries
from fedaid.members.limits import MemberLimits
from fedaid.members.queries import joining as joining_queries
from fedaid.members.rules import SEARCH_CHARACTERS_MAX, chosen_role, may_help_in


def routes(limits: MemberLimits) -> Sequence[Route]:
    """The list, one member, and what can be done for or about them."""
    return [
        Route("/members", members_page(limits), methods=["GET"]),
        Route("/members/{handle}", member_page, methods=["GET"]),
        Route("/members/{handle}/role", form_page(change_role), methods=["POST"]),
        Route("/members/{handle}/link", form_page(make_link(limits)), methods=["POST"]),
    ]


def members_page(limits: MemberLimits) -> Callable[[Request], Response]:
    """The list of members."""

    def page(request: Request) -> Response:
        """Everybody who belongs here, by handle; with a search. For coordinators."""
        coordinator(request)
        asked = request.query_params
        text = asked.get("q", "").strip()[:SEARCH_CHARACTERS_MAX]
        after = asked.get("after", "")[:SEARCH_CHARACTERS_MAX]
        with house(request).database.read() as connection:
            found = queries.page(connection, text, limits.page_rows_max + 1, after if after.isprintable() else "")
            total = queries.count(connection)
        shown = found[: limits.page_rows_max]
        more = urlencode({"q": text, "after": shown[-1].handle}) if len(found) > len(shown) else ""
        return render(request, "admin/members.html", members=shown, total=total, text=text, more=more)

    return page


def member_page(request: Request) -> Response:
    """One member for coordinators: their role, what was decided about them, and a way to let them in again."""
    return _page(request)


def _page(request: Request, refusal: str = "", link: str = "", status: int = 200) -> Response:
    who, home = coordinator(request), house(request)
    with home.database.read() as connection:
        found = queries.by_handle(connection, request.path_params["handle"])
        if found is None:
            raise NotFound
        history = welcome.history(connection, found)
        by = {one.decided_by: queries.by_actor(connection, one.decided_by) for one in history}
        accepted = joining_queries.accepted_version(connection, found.id)
    page = render(
        request,
        "admin/member.html",
        status,
        found=found,
        roles=tuple(Role),
        history=[(one, name.name if (name := by[one.decided_by]) else "") for one in history],
        decision_words=DECISION_WORDS,
        reason=reason_in_words,
        accepted=accepted,
        may_help=may_help_in(who.role or Role.MEMBER, found.role),
        refusal=refusal,
        link=link,
        picture=picture_of(link) if link else "",
    )
    page.headers["Cache-Control"] = "no-store"
    return page


def change_role(request: Request, form: Form) -> Response:
    """Change what a member may do; for admins. A refusal shows the page again."""
    who, handle = admin(request), request.path_params["handle"]
    try:
        with house(request).units.begin() as work:
            welcome.give_role(work, who, handle, chosen_role(form["role"]))
    except (NotFound, NotAllowed):
        raise
    except Refused as refused:
        return _page(request, refused.sentence, status=refused.status)
    return go("/members" if handle == who.handle else f"/members/{handle}", "role_changed")


def make_link(limits: MemberLimits) -> Callable[[Request, Form], Response]:
    """How somebody is let in again."""

    def make(request: Request, form: Form) -> Response:
        """Make a one-time link with which this member chooses a new password, and show it this once."""
        who, home = coordinator(request), house(request)
        with home.units.begin() as work:
            _, secret = welcome.help_in(work, who, request.path_params["handle"], limits)
        return _page(request, link=f"{home.names.origin}/recover?{urlencode({'link': secret})}")

    return make
