"""Making a group and looking after it: what it says of itself, who joins, who posts, and who belongs to it."""

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from fedaid.actors.commands import make_keys
from fedaid.foundation.ids import row_id
from fedaid.foundation.pages import Form, go, house, member, render
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.work import Work
from fedaid.groups import commands, queries
from fedaid.groups.commands import belonging
from fedaid.groups.limits import GroupLimits
from fedaid.groups.pages.show import JOINING_WORDS, POSTING_WORDS, board_of, show_members
from fedaid.groups.queries import Board
from fedaid.groups.rules import GroupJoining, GroupTerms, Posting, chosen_group_joining, chosen_posting
from fedaid.members.rules import chosen_role
from fedaid.members.rules.joining import QUESTIONS_MAX

FRESH = Form({"joining": GroupJoining.OPEN, "posting": Posting.EVERYBODY})


def new_page(request: Request) -> Response:
    """The form for a new group."""
    return _form(request, FRESH)


def _form(
    request: Request, typed: Mapping[str, str], refusal: str = "", status: int = 200, board: Board | None = None
) -> Response:
    member(request)
    return render(
        request,
        "groups/form.html",
        status,
        group=board,
        typed=typed,
        refusal=refusal,
        joining_words=JOINING_WORDS,
        posting_words=POSTING_WORDS,
        questions_max=QUESTIONS_MAX,
    )


def _terms(form: Form) -> GroupTerms:
    return GroupTerms(
        form["name"],
        form["about"],
        form["place"],
        chosen_group_joining(form["joining"] or GroupJoining.OPEN),
        chosen_posting(form["posting"] or Posting.EVERYBODY),
        form["questions"],
    )


def found(limits: GroupLimits) -> Callable[[Request, Form], Response]:
    """How a group is made."""

    def make(request: Request, form: Form) -> Response:
        """Make a group, and become its first coordinator. A refusal keeps what was typed."""
        who = member(request)
        keys = make_keys()
        try:
            with house(request).units.begin() as work:
                made = commands.found_group(work, who, form["handle"].removeprefix("@"), _terms(form), limits, keys)
        except NotAllowed:
            raise
        except Refused as refused:
            return _form(request, form, refused.sentence, refused.status)
        return go(f"/groups/{made.handle}/about", "group_made")

    return make


def settings_page(request: Request) -> Response:
    """What a group says of itself, who joins and who posts; for its coordinators."""
    who = member(request)
    with house(request).database.read() as connection:
        board = board_of(connection, request)
        if not queries.coordinates(connection, who, board.id):
            raise NotAllowed("This is for the coordinators of this group.")
    typed = {
        "name": board.name,
        "about": board.topic,
        "place": board.place,
        "joining": board.joining,
        "posting": board.posting,
        "questions": "\n".join(board.questions),
    }
    return _form(request, Form(typed), board=board)


def keep_settings(request: Request, form: Form) -> Response:
    """Keep them; followers are told. A refusal keeps what was typed."""
    who = member(request)
    with house(request).database.read() as connection:
        board = board_of(connection, request)
    try:
        with house(request).units.begin() as work:
            commands.describe_group(work, who, board, _terms(form))
    except (NotFound, NotAllowed):
        raise
    except Refused as refused:
        return _form(request, form, refused.sentence, refused.status, board)
    return go(f"/groups/{board.handle}/about", "changed")


# who belongs to it

Act = Callable[[Work, Viewer, Board], None]


def _with_members(request: Request, limits: GroupLimits, act: Act, typed: str = "") -> Response:
    who = member(request)
    try:
        with house(request).units.begin() as work:
            board = board_of(work.connection, request)
            act(work, who, board)
    except (NotFound, NotAllowed):
        raise
    except Refused as refused:
        return show_members(request, limits, refused.sentence, typed, refused.status)
    return go(f"/groups/{board.handle}/members", "changed")


def take_in(limits: GroupLimits) -> Callable[[Request, Form], Response]:
    """How a coordinator takes somebody in."""

    def take(request: Request, form: Form) -> Response:
        """Take a member of the neighbourhood into the group. A refusal keeps what was typed."""
        return _with_members(
            request,
            limits,
            lambda work, who, board: belonging.take_in(work, who, board, form["handle"]),
            form["handle"],
        )

    return take


def take_out(limits: GroupLimits) -> Callable[[Request, Form], Response]:
    """How a coordinator takes somebody out."""

    def take(request: Request, form: Form) -> Response:
        """Take somebody out of the group."""
        number = row_id(request.path_params["number"])
        return _with_members(request, limits, lambda work, who, board: belonging.take_out(work, who, board, number))

    return take


def give_role(limits: GroupLimits) -> Callable[[Request, Form], Response]:
    """How somebody becomes a coordinator of the group."""

    def give(request: Request, form: Form) -> Response:
        """Make somebody in the group its coordinator, or a member again."""
        number = row_id(request.path_params["number"])

        def act(work: Work, who: Viewer, board: Board) -> None:
            belonging.give_role(work, who, board, number, chosen_role(form["role"]))

        return _with_members(request, limits, act)

    return give
