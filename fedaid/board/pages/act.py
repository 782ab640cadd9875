"""The buttons of the board, each a plain form: answer, accept, decline, take back, extend, done, call off."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from fedaid.board import commands, queries
from fedaid.board.limits import BoardLimits
from fedaid.board.pages.show import number_of, show_listing
from fedaid.foundation.pages import Form, go, house, member
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.wording import read_minutes
from fedaid.foundation.work import Work


def respond(request: Request, form: Form) -> Response:
    """I can help, or: I would like this. A refusal shows the listing again with the message kept."""
    who, listing_id = member(request), number_of(request)
    try:
        minutes = read_minutes(form["hours"]) if form["hours"] else None
        with house(request).units.begin() as work:
            commands.respond(work, who, listing_id, form["message"], minutes)
    except (NotFound, NotAllowed, queries.Gone):
        raise
    except Refused as refused:
        return show_listing(request, listing_id, refused.status, refused.sentence, form["message"])
    return go(f"/listings/{listing_id}", "response_sent")


def withdraw_listing(request: Request, form: Form) -> Response:
    """Take it off the board."""
    who = member(request)
    with house(request).units.begin() as work:
        commands.withdraw_listing(work, who, number_of(request))
    return go("/", "withdrawn")


def extend_listing(limits: BoardLimits) -> Callable[[Request, Form], Response]:
    """Let it stay as long again as a new one would."""

    def extend(request: Request, form: Form) -> Response:
        """Let it stay as long again as a new one would."""
        who, listing_id = member(request), number_of(request)
        with house(request).units.begin() as work:
            commands.extend_again(work, who, listing_id, limits)
        return go("/me" if form["back"] == "me" else f"/listings/{listing_id}", "extended")

    return extend


def _about_response(request: Request, act: Callable[[Work, Viewer, int], object], said: str) -> Response:
    who, response_id = member(request), number_of(request)
    with house(request).units.begin() as work:
        found = queries.response(work.connection, who, response_id)
        act(work, who, response_id)
    return go(f"/listings/{found.listing_id}", said)


def accept_response(request: Request, form: Form) -> Response:
    """The author says yes."""
    return _about_response(request, commands.accept_response, "accepted")


def decline_response(request: Request, form: Form) -> Response:
    """The author says no, thank you; a reason is optional."""

    def decline(work: Work, who: Viewer, response_id: int) -> None:
        commands.decline_response(work, who, response_id, form["reason"])

    return _about_response(request, decline, "declined")


def withdraw_response(request: Request, form: Form) -> Response:
    """The helper takes an answer back."""
    return _about_response(request, commands.withdraw_response, "response_withdrawn")


def say(request: Request, form: Form) -> Response:
    """One side of an answer writes to the other. A refusal shows the listing again with the words kept."""
    who, response_id = member(request), number_of(request)
    with house(request).database.read() as connection:
        found = queries.response(connection, who, response_id)
    try:
        with house(request).units.begin() as work:
            commands.make_remark(work, who, response_id, form["text"])
    except (NotFound, NotAllowed):
        raise
    except Refused as refused:
        return show_listing(
            request, found.listing_id, refused.status, refused.sentence, said={response_id: form["text"]}
        )
    return go(f"/listings/{found.listing_id}", "remark_sent")


def _about_match(request: Request, act: Callable[[Work, Viewer, int], object], said: str) -> Response:
    who, match_id = member(request), number_of(request)
    with house(request).units.begin() as work:
        found = queries.match(work.connection, who, match_id)
        act(work, who, match_id)
    return go(f"/listings/{found.listing_id}", said)


def mark_done(request: Request, form: Form) -> Response:
    """The help was given."""
    return _about_match(request, commands.mark_done, "done")


def cancel_match(request: Request, form: Form) -> Response:
    """It is called off."""
    return _about_match(request, commands.cancel_match, "cancelled")
