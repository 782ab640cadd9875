"""The coordinators' page of what people elsewhere wrote to our boards: answer, close, let in, decline."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fedaid.board import queries as board
from fedaid.board.limits import BoardLimits
from fedaid.board.pages.wording import KIND_WORDS, with_emoji
from fedaid.board.queries import StoredPicture
from fedaid.board.rules import TITLE_CHARACTERS_MAX
from fedaid.foundation.pages import Form, coordinator, form_page, go, house, number_of, render
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.text import paragraphs
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.wording import day_and_time
from fedaid.media.proxy import PictureProxy
from fedaid.mentions import commands, queries
from fedaid.mentions.queries import Written

PAGE: Final = "/mentions"
NOTHING_TYPED: Final[Mapping[str, str]] = {}


def routes(limits: BoardLimits, pictures: PictureProxy) -> Sequence[Route]:
    """One page, its pictures, and one address for each button on it."""
    return [
        Route(PAGE, mentions_page, methods=["GET"]),
        Route(f"{PAGE}/pictures/{{number:int}}", picture_page(pictures), methods=["GET"]),
        Route(f"{PAGE}/messages/{{number:int}}/answer", form_page(answer), methods=["POST"]),
        Route(f"{PAGE}/messages/{{number:int}}/close", form_page(close), methods=["POST"]),
        Route(f"{PAGE}/suggestions/{{number:int}}/approve", form_page(approve(limits)), methods=["POST"]),
        Route(f"{PAGE}/suggestions/{{number:int}}/decline", form_page(decline), methods=["POST"]),
    ]


def mentions_page(request: Request) -> Response:
    """What waits, oldest first, then what was seen to last."""
    return _page(request)


def _page(
    request: Request, status: int = 200, wrong: str = "", about: int = 0, typed: Mapping[str, str] = NOTHING_TYPED
) -> Response:
    """The page; after a refusal with what was wrong and what was typed, beside the one it is about."""
    who, home = coordinator(request), house(request)
    with home.database.read() as connection:
        desk = queries.desk(connection, who, home.names.host)
        categories = board.categories(connection)
    return render(
        request,
        "mentions/mentions.html",
        status,
        desk=desk,
        categories=categories,
        kind_words=KIND_WORDS,
        title_max=TITLE_CHARACTERS_MAX,
        wrong_sentence=wrong,
        about=about,
        typed=dict(typed),
        proposed=commands.proposed_words,
        as_html=_as_html,
        said_when=lambda moment: day_and_time(moment, who.time_zone),
    )


def picture_page(pictures: PictureProxy) -> Callable[[Request], Awaitable[Response]]:
    """The pictures and emoji of messages and suggestions."""

    def find(request: Request) -> StoredPicture:
        who = coordinator(request)
        with house(request).database.read() as connection:
            return queries.picture(connection, who, number_of(request))

    async def page(request: Request) -> Response:
        """A picture or an emoji of what waits there as WebP, for coordinators."""
        found = await run_in_threadpool(find, request)
        return await pictures.show(found.url, is_emoji=found.emoji)

    return page


def _as_html(one: Written) -> Markup:
    html = Markup(paragraphs(one.what.text))  # noqa: S704 - escaped by paragraphs
    return with_emoji(html, one.pictures, f"{PAGE}/pictures")


def _do(request: Request, form: Form, step: Callable[[Viewer, int], None], said: str) -> Response:
    who, number = coordinator(request), number_of(request)
    try:
        step(who, number)
    except (NotFound, NotAllowed):
        raise
    except Refused as refused:
        return _page(request, refused.status, refused.sentence, number, form)
    return go(PAGE, said)


def answer(request: Request, form: Form) -> Response:
    """Answer a message in the board's name."""

    def step(who: Viewer, number: int) -> None:
        with house(request).units.begin() as work:
            commands.answer_message(work, who, number, form["answer"])

    return _do(request, form, step, "message_answered")


def close(request: Request, form: Form) -> Response:
    """Nothing is to be said to a message."""

    def step(who: Viewer, number: int) -> None:
        with house(request).units.begin() as work:
            commands.close_message(work, who, number)

    return _do(request, form, step, "message_closed")


def approve(limits: BoardLimits) -> Callable[[Request, Form], Response]:
    """The button that lets a suggestion in."""

    def approve_it(request: Request, form: Form) -> Response:
        """Put a suggestion on the board, in its author's name. A refusal keeps what was typed."""

        def step(who: Viewer, number: int) -> None:
            with house(request).units.begin() as work:
                commands.approve(work, who, number, form["title"], form["details"], form["category"], limits)

        return _do(request, form, step, "suggestion_approved")

    return approve_it


def decline(request: Request, form: Form) -> Response:
    """Say no to a suggestion, and why."""

    def step(who: Viewer, number: int) -> None:
        with house(request).units.begin() as work:
            commands.decline(work, who, number, form["reason"])

    return _do(request, form, step, "suggestion_declined")
