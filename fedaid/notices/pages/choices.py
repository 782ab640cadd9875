"""What somebody wants to be told, by topic and way; and the way out of mails, which needs no sign-in."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from fedaid.foundation.pages import NOTHING_TYPED, Form, account_holder, go, house, render
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.viewer import Viewer
from fedaid.groups import queries as groups
from fedaid.members import queries as members
from fedaid.notices import commands, queries
from fedaid.notices.queries import mails
from fedaid.notices.rules import Channel, Topic, chosen_channels, member_of_token

TOPIC_WORDS = {
    Topic.ANSWERS: "Answers to my listings, and what became of mine",
    Topic.MESSAGES: "Messages about answers and matches",
    Topic.ASKS: "When somebody asks whether I can help",
    Topic.SEARCHES: "What is new for the searches I keep",
    Topic.HOURS: "Hours",
    Topic.GROUPS: "Groups I joined or asked to join",
    Topic.CARE: "What waits for coordinators",
    Topic.ACCOUNT: "My account",
}
CHANNEL_WORDS = {
    Channel.AT_ONCE: "On my page, and by e-mail at once",
    Channel.WEEKLY: "On my page, and in a weekly e-mail",
    Channel.HERE: "On my page only",
    Channel.NONE: "Not at all",
}
CHOICES = "/me/notices"


def choices_page(request: Request) -> Response:
    """What I am told of, and how."""
    return _page(request)


def _page(request: Request, typed: Mapping[str, str] = NOTHING_TYPED, refused: Refused | None = None) -> Response:
    who = account_holder(request)
    with house(request).database.read() as connection:
        me = members.by_id(connection, who.member_id or 0)
        if me is None:
            raise NotFound
        wanted = queries.channels(connection, me.id)
        cares = who.is_coordinator or bool(groups.coordinated_by(connection, me.id))
        is_refused = mails.is_refused(connection, me.id, me.email)
    return render(
        request,
        "notices/choices.html",
        refused.status if refused is not None else HTTPStatus.OK,
        topics={topic: words for topic, words in TOPIC_WORDS.items() if cares or topic is not Topic.CARE},
        ways=CHANNEL_WORDS,
        chosen={topic: typed.get(topic) or channel for topic, channel in wanted.items()},
        has_address=bool(me.email),
        is_refused=is_refused,
        wrong_sentence=refused.sentence if refused is not None else "",
    )


def choose(request: Request, form: Form) -> Response:
    """Choose what I am told of, and how. A refusal keeps what was chosen."""
    who = account_holder(request)
    try:
        with house(request).units.begin() as work:
            present = queries.channels(work.connection, who.member_id or 0)
            commands.choose(work, who.member_id or 0, chosen_channels(form, present))
    except Refused as refused:
        return _page(request, form, refused)
    return go(CHOICES, "notices_chosen")


# the way out, for whoever has a link


def unsubscribe_page(request: Request) -> Response:
    """A button that ends mails about notices, for whoever has the link. It only asks, as programs open links too."""
    return _unsubscribe_page(request, done=False)


def _unsubscribe_page(request: Request, *, done: bool) -> Response:
    token = request.query_params.get("token", "")
    with house(request).database.read() as connection:
        member_of_token(mails.signing_key(connection) or b"", token)
    answer = render(request, "notices/unsubscribe.html", token=token, done=done)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def unsubscribe(request: Request, form: Form) -> Response:
    """End mails about notices for whoever's link it is: by the button, or by one click in a mail program (RFC 8058)."""
    with house(request).units.begin() as work:
        key = mails.signing_key(work.connection) or b""
        member_id = member_of_token(key, request.query_params.get("token", ""))
        if members.by_id(work.connection, member_id) is not None:
            commands.unsubscribe(work, member_id)
    request.scope["viewer"] = Viewer()  # whoever clicks need not be who is signed in here
    return _unsubscribe_page(request, done=True)
