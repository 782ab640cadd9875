"""The buttons of the board, each a plain form: answer, accept, decline, take back, extend, done, call off."""

from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from fedaid.board import commands, queries
from fedaid.board.limits import BoardLimits
from fedaid.board.pages.show import show_listing
from fedaid.foundation.pages import Form, go, house, member, number_of
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.wording import read_minutes
from fedaid.foundation.work import Work

BACK: Final = {"me": "/me", "notices": "/notices"}  # from where a listing was kept longer


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
            commands.keep_longer(work, who, listing_id, limits)
        return go(BACK.get(form["back"], f"/listings/{listing_id}"), "extended")

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


def mark_done(limits: BoardLimits) -> Callable[[Request, Form], Response]:
    """How it is said that the help was given."""

    def done(request: Request, form: Form) -> Response:
        """The help was given; whoever was helped may thank in the same step. A refusal keeps their words."""

        def act(work: Work, who: Viewer, match_id: int) -> None:
            commands.mark_done(work, who, match_id)
            if form["thanks"]:
                commands.thank(work, who, match_id, form["thanks"], limits)

        return _thanking(request, form, act, "done")

    return done


def thank(limits: BoardLimits) -> Callable[[Request, Form], Response]:
    """How somebody says thank you."""

    def say_thanks(request: Request, form: Form) -> Response:
        """Whoever was helped thanks in their own words. A refusal keeps them."""

        def act(work: Work, who: Viewer, match_id: int) -> None:
            commands.thank(work, who, match_id, form["thanks"], limits)

        return _thanking(request, form, act, "thanked")

    return say_thanks


def _thanking(request: Request, form: Form, act: Callable[[Work, Viewer, int], object], said: str) -> Response:
    who, match_id = member(request), number_of(request)
    with house(request).database.read() as connection:
        found = queries.match(connection, who, match_id)
    try:
        return _about_match(request, act, said)
    except (NotFound, NotAllowed):
        raise
    except Refused as refused:
        if not form["thanks"]:
            raise
        thanks = {match_id: form["thanks"]}
        return show_listing(request, found.listing_id, refused.status, refused.sentence, thanks=thanks)


def cancel_match(request: Request, form: Form) -> Response:
    """It is called off."""
    return _about_match(request, commands.cancel_match, "cancelled")
