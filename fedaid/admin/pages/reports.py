"""The pages about what is not right: a member reports or blocks somebody, and moderators judge what was reported."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fedaid.actors import commands as actors
from fedaid.actors import queries as actor_queries
from fedaid.admin import blocks, moderation
from fedaid.admin.moderation import Judgement
from fedaid.foundation.i18n import gettext as _
from fedaid.foundation.i18n import ngettext
from fedaid.foundation.pages import Form, coordinator, form_page, go, house, member, number_of, render
from fedaid.foundation.refused import NotFound, Refused
from fedaid.network import commands, queries
from fedaid.network.commands import Decision
from fedaid.network.queries.restrictions import LogLine
from fedaid.network.rules.reports import COMMENT_CHARACTERS_MAX
from fedaid.network.rules.restrictions import REASON_CHARACTERS_MAX

STATE_WORDS = {"open": "Waiting", "dismissed": "Nothing was to be done", "settled": "Settled"}
DECISION_WORDS = {
    "block": "Blocked",
    "limit": "Limited",
    "restrict": "Restricted",
    "lift": "Lifted",
    "import": "Imported a list",
    "dismiss": "Dismissed a report",
    "hide": "Hid a listing",
    "show": "Showed a listing again",
    "forward": "Passed a report on",
    "admit": "Let somebody join",
    "turn_down": "Declined an application",
    "help_in": "Made a link to choose a new password",
    "role": "Changed a role",
}
ROLE_WORDS = {"member": "Member", "coordinator": "Coordinator", "admin": "Admin"}


def target_in_words(line: LogLine) -> str:
    """About whom or what; of a list how many hosts were taken over."""
    is_count = line.decision == Decision.IMPORT and line.target.isdigit()
    return ngettext("%(num)s host", "%(num)s hosts", int(line.target)) if is_count else line.target


def reason_in_words(line: LogLine) -> str:
    """Why, as it was written; what the house noted by itself is said in the reader's language."""
    if line.decision == Decision.IMPORT:
        return blocks.counts_in_words(line.reason)
    if line.decision == Decision.ROLE:
        return " → ".join(_(ROLE_WORDS.get(one, one)) for one in line.reason.split(" → "))
    return line.reason


def routes() -> Sequence[Route]:
    """Reporting and blocking for members, the queue and the log for moderators."""
    return [
        Route("/report", report_page, methods=["GET"]),
        Route("/report", form_page(report), methods=["POST"]),
        Route("/me/blocked", blocked_page, methods=["GET"]),
        Route("/me/blocked", form_page(block), methods=["POST"]),
        Route("/me/blocked/end", form_page(unblock), methods=["POST"]),
        Route("/reports", queue_page, methods=["GET"]),
        Route("/reports/log", log_page, methods=["GET"]),
        Route("/reports/{number:int}", case_page, methods=["GET"]),
        Route("/reports/{number:int}/{decision}", form_page(decide), methods=["POST"]),
    ]


# members


def report_page(request: Request) -> Response:
    """The form, about a listing, an answer or a person. Raises NotFound for what we never met."""
    return _report_form(request, request.query_params.get("about", ""))


def _report_form(request: Request, about: str, typed: str = "", refusal: str = "", status: int = 200) -> Response:
    who, home = member(request), house(request)
    with home.database.read() as connection:
        owner = moderation.reportable_owner(connection, who, about, home.federation)
        if owner is None:
            raise NotFound
        card = actor_queries.card(connection, owner, home.names.host)
        is_blocked = actor_queries.block_between(connection, who.actor, owner) is not None
    return render(
        request,
        "admin/report.html",
        status,
        about=about,
        owner=card,
        is_blocked=is_blocked,
        typed=typed,
        refusal=refusal,
        characters_max=COMMENT_CHARACTERS_MAX,
    )


def report(request: Request, form: Form) -> Response:
    """Keep it for the moderators; a refusal keeps what was typed."""
    who, home, about = member(request), house(request), form["about"]
    try:
        with home.units.begin() as work:
            owner = moderation.reportable_owner(work.connection, who, about, home.federation)
            if owner is None:
                raise NotFound
            commands.make_report(work, who, about, owner, form["comment"])
            if form["block"] == "yes":
                actors.block(work, who.actor, owner)
    except NotFound:
        raise
    except Refused as refused:
        return _report_form(request, about, form["comment"], refused.sentence, refused.status)
    return go("/", "reported")


def blocked_page(request: Request) -> Response:
    """Whom I block, each with the way back."""
    who, home = member(request), house(request)
    with home.database.read() as connection:
        blocked = [one.blocked for one in actor_queries.blocks_by(connection, who.actor)]
        cards = [actor_queries.card(connection, uri, home.names.host) for uri in blocked]
    return render(request, "admin/blocked.html", cards=cards)


def block(request: Request, form: Form) -> Response:
    """I want nothing more to do with somebody we have met. Raises NotFound, Refused."""
    who = member(request)
    with house(request).units.begin() as work:
        actor = form["actor"]
        if not actor.isprintable() or moderation.owner_of(work.connection, actor) != actor:
            raise NotFound
        actors.block(work, who.actor, actor)
    return go("/me/blocked", "blocked")


def unblock(request: Request, form: Form) -> Response:
    """I take it back."""
    who = member(request)
    with house(request).units.begin() as work:
        actors.unblock(work, who.actor, form["actor"])
    return go("/me/blocked", "unblocked")


# moderators


def queue_page(request: Request) -> Response:
    """What waits to be judged, or what was."""
    coordinator(request)
    home, are_open = house(request), request.query_params.get("decided") != "1"
    with home.database.read() as connection:
        found = moderation.cases(connection, home.names.host, home.federation, are_open=are_open)
        waiting = queries.count_open_reports(connection)
    return render(
        request, "admin/reports.html", cases=found, are_open=are_open, waiting=waiting, state_words=STATE_WORDS
    )


def log_page(request: Request) -> Response:
    """What moderators decided, newest first."""
    coordinator(request)
    home = house(request)
    with home.database.read() as connection:
        lines = moderation.log(connection, home.names.host)
    return render(
        request,
        "admin/moderation_log.html",
        lines=lines,
        decision_words=DECISION_WORDS,
        target=target_in_words,
        reason=reason_in_words,
    )


def case_page(request: Request) -> Response:
    """One report with all that one must know, and the decisions. Raises NotFound."""
    return _case_page(request)


def _case_page(request: Request, refusal: str = "", status: int = 200) -> Response:
    coordinator(request)
    home = house(request)
    with home.database.read() as connection:
        found = moderation.case(connection, number_of(request), home.names.host, home.federation)
    return render(
        request,
        "admin/report_case.html",
        status,
        case=found,
        refusal=refusal,
        state_words=STATE_WORDS,
        reason_max=REASON_CHARACTERS_MAX,
    )


def decide(request: Request, form: Form) -> Response:
    """Carry out what was decided; a refusal shows the report again."""
    who, home = coordinator(request), house(request)
    judgement = Judgement(number_of(request), request.path_params["decision"], form["words"])
    try:
        with home.units.begin() as work:
            moderation.decide(work, who, judgement, home.federation)
    except NotFound:
        raise
    except Refused as refused:
        return _case_page(request, refused.sentence, refused.status)
    return go(f"/reports/{judgement.report_id}", "decided")
