"""The community agreement: anybody reads it, members accept it; what they were about to do is then carried out."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fedaid.foundation.pages import NOTHING_TYPED, Form, account_holder, go, house, render, viewer
from fedaid.foundation.refused import NotFound, Refused
from fedaid.members import rules
from fedaid.members.commands import neighbourhood
from fedaid.members.queries import joining as queries


def agreement_page(request: Request) -> Response:
    """The agreement as it holds, or an earlier version of it. Raises NotFound where there is none."""
    return _page(request)


def _page(request: Request, refusal: str = "", typed: Mapping[str, str] = NOTHING_TYPED, status: int = 200) -> Response:
    who, asked = viewer(request), request.query_params.get("version", "")
    version = int(asked) if asked.isascii() and asked.isdigit() and len(asked) <= 9 else None
    with house(request).database.read() as connection:
        found = queries.agreement(connection, version)
        accepted = queries.accepted_version(connection, who.member_id) if who.member_id is not None else None
        newest = queries.agreement(connection)
    if found is None or newest is None:
        raise NotFound
    return render(
        request,
        "members/agreement.html",
        status,
        agreement=found,
        is_newest=found.version == newest.version,
        accepted=accepted,
        wrong_sentence=refusal,
        then=rules.safe_return_path(request.query_params.get("then", "/")),
        typed=typed,
    )


def accept(request: Request, form: Form) -> Response:
    """Accept the agreement; what was typed into another form before is then sent on as it was. Raises Refused."""
    who = account_holder(request)
    typed = form["agreement_version"]
    try:
        with house(request).units.begin() as work:
            version = int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= 9 else 0
            neighbourhood.accept_agreement(work, who.member_id or 0, version)
    except Refused as refused:
        kept = form if form["agreement_sends_on"] == "1" else NOTHING_TYPED
        return _page(request, refused.sentence, kept, refused.status)
    then = rules.safe_return_path(request.query_params.get("then", "/"))
    if form["agreement_sends_on"] == "1":
        return RedirectResponse(then, 307)  # the browser posts the same fields again (RFC 9110, 15.4.8)
    return go(then, "agreement_accepted")
