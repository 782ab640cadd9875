"""The settings of the neighbourhood in the browser, and the first-run wizard, which leads through the same forms."""

from collections.abc import Callable, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fedaid.actors.commands import make_keys
from fedaid.actors.rules import NAME_CHARACTERS_MAX, SUMMARY_CHARACTERS_MAX
from fedaid.board import commands as board
from fedaid.board import queries as board_queries
from fedaid.board.rules import CATEGORY_CHARACTERS_MAX
from fedaid.foundation.pages import NOTHING_TYPED, Form, admin, form_page, go, house, render
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.work import Work
from fedaid.groups import commands as groups
from fedaid.groups import queries as group_queries
from fedaid.groups.limits import GroupLimits
from fedaid.groups.rules import GroupTerms
from fedaid.members import queries as members
from fedaid.members.commands import neighbourhood
from fedaid.members.queries import joining as queries
from fedaid.members.rules.joining import (
    ABOUT_CHARACTERS_MAX,
    AGREEMENT_CHARACTERS_MAX,
    AREA_CHARACTERS_MAX,
    QUESTIONS_MAX,
    Joining,
    chosen_joining,
)
from fedaid.notices.sending import Postman

VERSIONS_SHOWN_MAX = 50
SETUP = "/setup"

# The steps of the wizard, in their order: the last word of the address, and what it is about.
STEPS: Mapping[str, str] = {
    "name": "Name and area",
    "joining": "How people join",
    "categories": "Kinds of help",
    "agreement": "Our agreement",
    "group": "A first group",
    "mail": "A test of mail",
}
JOINING_WORDS: Mapping[Joining, tuple[str, str]] = {
    Joining.CLOSED: ("Nobody", "Only an admin adds members, at the terminal."),
    Joining.INVITATION: ("By invitation", "Coordinators give links to people they know."),
    Joining.APPLICATION: (
        "By application",
        "Anybody asks and answers your questions; coordinators decide. Or by a link.",
    ),
    Joining.OPEN: ("Everybody", "Whoever comes is in at once. Watch who comes, and change it when it is too much."),
}
SAMPLE_QUESTIONS = (
    "Where do you live, roughly?\nWhat would you like to give or to ask for?\nWho here knows you, if anybody?"
)
SAMPLE_AGREEMENT = """We are neighbours who help each other.

1. Everybody gives and everybody receives. One hour is one hour, whoever gives it.
2. We ask for what we need, and it is always fine to say no.
3. We keep what we promise, and say early when we cannot.
4. What we learn of each other's homes, health and needs stays with us.
5. Nobody is pushed, insulted or left out for who they are.
6. With children and people who need care, we are never alone unless those responsible agree.
7. Each of us takes care and is responsible for what we do. The network brings us together; it does not answer for us.
8. When something goes wrong, we talk to each other, then to a coordinator. Whoever harms others can be asked to leave.
"""


def routes(limits: GroupLimits, postman: Postman) -> Sequence[Route]:
    """The forms, and the wizard over them."""
    return [
        Route("/setup", setup_page, methods=["GET"]),
        Route("/setup", form_page(leave_out), methods=["POST"]),
        Route("/neighbourhood", overview_page, methods=["GET"]),
        Route("/neighbourhood/categories/{step}", form_page(change_categories), methods=["POST"]),
        *(Route(f"/neighbourhood/{step}", show, methods=["GET"]) for step, show in _SHOWN.items()),
        *(Route(f"/neighbourhood/{step}", form_page(keep), methods=["POST"]) for step, keep in _KEPT.items()),
        Route("/neighbourhood/group", form_page(_keep_group(limits)), methods=["POST"]),
        Route("/neighbourhood/mail", form_page(_try_mail(postman)), methods=["POST"]),
    ]


# the wizard


def setup_page(request: Request) -> Response:
    """The first-run wizard: its steps, which are done, and the way on. It can be left and continued."""
    admin(request)
    with house(request).database.read() as connection:
        done = queries.our_neighbourhood(connection).steps_done
    return render(request, "admin/setup.html", steps=STEPS, done=done, coming=_coming(done))


def leave_out(request: Request, form: Form) -> Response:
    """Go on to the next step; the one before can be done later."""
    who = admin(request)
    if form["step"] not in STEPS:
        raise NotFound
    with house(request).units.begin() as work:
        neighbourhood.note_step(work, who, form["step"])
        coming = _coming(queries.our_neighbourhood(work.connection).steps_done)
    return go(_address(coming, in_setup=True) if coming else SETUP)


def _coming(done: frozenset[str]) -> str:
    return next((step for step in STEPS if step not in done), "")


def _address(step: str, *, in_setup: bool) -> str:
    return f"/neighbourhood/{step}" + ("?setup=1" if in_setup else "")


# the forms


def overview_page(request: Request) -> Response:
    """What an admin can change about the neighbourhood, with how it is now."""
    admin(request)
    with house(request).database.read() as connection:
        return render(
            request,
            "admin/neighbourhood.html",
            here=queries.our_neighbourhood(connection),
            joining_words=JOINING_WORDS,
            categories=board_queries.categories(connection),
            agreement=queries.agreement(connection),
            groups=group_queries.boards(connection),
            coming=_coming(queries.our_neighbourhood(connection).steps_done),
        )


def _page(
    request: Request, step: str, typed: Mapping[str, str] | None = None, refusal: str = "", status: int = 200
) -> Response:
    admin(request)
    in_setup = request.query_params.get("setup") == "1"
    values, filled = _READ[step](request)
    return render(
        request,
        f"admin/neighbourhood_{step}.html",
        status,
        **values,
        typed=filled if typed is None else typed,
        refusal=refusal,
        in_setup=in_setup,
        step=step,
        steps=list(STEPS),
        step_words=STEPS,
        here_again=_address(step, in_setup=in_setup),
    )


def _read_name(request: Request) -> tuple[Mapping[str, object], Mapping[str, str]]:
    home = house(request)
    with home.database.read() as connection:
        here = queries.our_neighbourhood(connection)
    limits = {"name_max": NAME_CHARACTERS_MAX, "area_max": AREA_CHARACTERS_MAX, "about_max": ABOUT_CHARACTERS_MAX}
    return limits, {"name": here.name or home.name, "area": here.area, "about": here.about}


def _read_joining(request: Request) -> tuple[Mapping[str, object], Mapping[str, str]]:
    with house(request).database.read() as connection:
        here = queries.our_neighbourhood(connection)
    is_new = "joining" not in here.steps_done and here.joining is Joining.CLOSED and not here.questions
    chosen = Joining.APPLICATION if is_new else here.joining
    questions = SAMPLE_QUESTIONS if is_new else "\n".join(here.questions)
    values = {"joining_words": JOINING_WORDS, "questions_max": QUESTIONS_MAX}
    return values, {"joining": chosen, "questions": questions}


def _read_categories(request: Request) -> tuple[Mapping[str, object], Mapping[str, str]]:
    with house(request).database.read() as connection:
        found = board_queries.all_categories(connection)
    return {"categories": found, "name_max": CATEGORY_CHARACTERS_MAX}, NOTHING_TYPED


def _read_agreement(request: Request) -> tuple[Mapping[str, object], Mapping[str, str]]:
    with house(request).database.read() as connection:
        newest = queries.agreement(connection)
        versions = queries.agreements(connection, VERSIONS_SHOWN_MAX)
    values = {"newest": newest, "versions": versions, "text_max": AGREEMENT_CHARACTERS_MAX}
    return values, {"text": newest.text if newest is not None else SAMPLE_AGREEMENT, "asks_again": "1"}


def _read_group(request: Request) -> tuple[Mapping[str, object], Mapping[str, str]]:
    return {"name_max": NAME_CHARACTERS_MAX, "about_max": SUMMARY_CHARACTERS_MAX}, NOTHING_TYPED


def _read_mail(request: Request) -> tuple[Mapping[str, object], Mapping[str, str]]:
    who, home = admin(request), house(request)
    with home.database.read() as connection:
        me = members.by_id(connection, who.member_id or 0)
    return {}, {"address": me.email if me is not None else ""}


_READ: Mapping[str, Callable[[Request], tuple[Mapping[str, object], Mapping[str, str]]]] = {
    "name": _read_name,
    "joining": _read_joining,
    "categories": _read_categories,
    "agreement": _read_agreement,
    "group": _read_group,
    "mail": _read_mail,
}


def name_page(request: Request) -> Response:
    """What the neighbourhood is called, where it is, and what it is in a sentence."""
    return _page(request, "name")


def joining_page(request: Request) -> Response:
    """How people join, and what they are asked."""
    return _page(request, "joining")


def categories_page(request: Request) -> Response:
    """The kinds of help, to add to, rename and retire."""
    return _page(request, "categories")


def agreement_page(request: Request) -> Response:
    """The community agreement, to write anew, and its earlier versions."""
    return _page(request, "agreement")


def group_page(request: Request) -> Response:
    """A first group, as a step of the wizard."""
    return _page(request, "group")


def mail_page(request: Request) -> Response:
    """A mail to the admin, to see whether mails arrive."""
    return _page(request, "mail")


def _keep(
    step: str, form: Form, request: Request, act: Callable[[Work, Viewer], object], saying: str = "changed"
) -> Response:
    """Carry out what a form says; in the wizard the step is done then, and the next one comes."""
    who = admin(request)
    in_setup = request.query_params.get("setup") == "1"
    try:
        with house(request).units.begin() as work:
            act(work, who)
            neighbourhood.note_step(work, who, step)
            done = queries.our_neighbourhood(work.connection).steps_done
    except (NotFound, NotAllowed):
        raise
    except Refused as refused:
        return _page(request, step, form, refused.sentence, refused.status)
    if not in_setup:
        return go(f"/neighbourhood/{step}" if step != "group" else "/neighbourhood", saying)
    coming = _coming(done)
    return go(_address(coming, in_setup=True) if coming else SETUP, saying)


def keep_name(request: Request, form: Form) -> Response:
    """Keep name, area and sentence; other networks are told the name. A refusal keeps what was typed."""

    def act(work: Work, who: Viewer) -> None:
        neighbourhood.describe(work, who, form["name"], form["area"], form["about"])

    answer = _keep("name", form, request, act)
    if (renamed := house(request).renamed) is not None:
        renamed.forget()
    return answer


def keep_joining(request: Request, form: Form) -> Response:
    """Keep how people join, and the questions. A refusal keeps what was typed."""

    def act(work: Work, who: Viewer) -> None:
        neighbourhood.choose_joining(work, who, chosen_joining(form["joining"]), form["questions"])

    return _keep("joining", form, request, act)


def keep_agreement(request: Request, form: Form) -> Response:
    """Publish a new version of the agreement. A refusal keeps what was typed."""

    def act(work: Work, who: Viewer) -> None:
        neighbourhood.publish_agreement(work, who, form["text"], asks_again=form["asks_again"] == "1")

    return _keep("agreement", form, request, act)


def _keep_group(limits: GroupLimits) -> Callable[[Request, Form], Response]:
    def keep_group(request: Request, form: Form) -> Response:
        """Make the first group, with its admin as its coordinator. A refusal keeps what was typed."""
        return _make_group(request, form, limits)

    return keep_group


def _make_group(request: Request, form: Form, limits: GroupLimits) -> Response:
    keys = make_keys()

    def act(work: Work, who: Viewer) -> None:
        terms = GroupTerms(form["name"], form["about"], form["place"])
        groups.found_group(work, who, form["handle"].removeprefix("@"), terms, limits, keys)

    return _keep("group", form, request, act)


def _try_mail(postman: Postman) -> Callable[[Request, Form], Response]:
    def try_mail(request: Request, form: Form) -> Response:
        """Send one mail at once. A refusal keeps what was typed, and says what the mail server said."""
        admin(request)
        try:
            postman.test(form["address"])  # before anything is written: no transaction is open over the network
        except Refused as refused:
            return _page(request, "mail", form, refused.sentence, refused.status)
        return _keep("mail", form, request, lambda _work, _who: None, "mail_tried")

    return try_mail


def change_categories(request: Request, form: Form) -> Response:
    """Add, rename, retire a kind of help, or bring it back. A refusal keeps what was typed."""
    who = admin(request)
    step = _CATEGORY_STEPS.get(request.path_params["step"])
    if step is None:
        raise NotFound
    again = _address("categories", in_setup=request.query_params.get("setup") == "1")
    try:
        with house(request).units.begin() as work:
            step(work, who, form)
    except (NotFound, NotAllowed):
        raise
    except Refused as refused:
        return _page(request, "categories", form, refused.sentence, refused.status)
    return go(again, "changed")


_CATEGORY_STEPS: Mapping[str, Callable[[Work, Viewer, Form], object]] = {
    "add": lambda work, who, form: board.add_category(work, who, form["name"]),
    "rename": lambda work, who, form: board.rename_category(work, who, form["slug"], form["name"]),
    "retire": lambda work, who, form: board.retire_category(work, who, form["slug"]),
    "bring-back": lambda work, who, form: board.retire_category(work, who, form["slug"], retired=False),
}
_SHOWN: Mapping[str, Callable[[Request], Response]] = {
    "name": name_page,
    "joining": joining_page,
    "categories": categories_page,
    "agreement": agreement_page,
    "group": group_page,
    "mail": mail_page,
}
_KEPT: Mapping[str, Callable[[Request, Form], Response]] = {
    "name": keep_name,
    "joining": keep_joining,
    "agreement": keep_agreement,
}
