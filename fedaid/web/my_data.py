"""What is mine here: taking it along as files, and leaving for good with what is open said before."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

import orjson
import structlog
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fedaid.actors import queries as actors
from fedaid.admin.leaving import remove_member
from fedaid.board import queries as board
from fedaid.board.rules import TAKES_RESPONSES, MatchState, ResponseState
from fedaid.foundation.pages import Form, House, account_holder, form_page, go, house, render
from fedaid.foundation.refused import Refused
from fedaid.foundation.viewer import Viewer
from fedaid.groups import queries as groups
from fedaid.matching import queries as matching
from fedaid.members import queries as members
from fedaid.members.commands import access
from fedaid.members.limits import MemberLimits
from fedaid.members.pages.account import check_it_is_them
from fedaid.members.pages.sign_in import without_session
from fedaid.members.queries import joining
from fedaid.notices import queries as notices
from fedaid.skills import queries as skills
from fedaid.timebank import queries as timebank
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.pages.statement import written_as_csv
from fedaid.timebank.queries import DatedStatement

A_SECOND = timedelta(seconds=1)
EVER = timedelta(days=36_500)
_log = structlog.get_logger()


def routes(limits: MemberLimits, timebank_limits: TimebankLimits) -> Sequence[Route]:
    """My data, and the way out."""
    return [
        Route("/me/data", data_page, methods=["GET"]),
        Route("/me/data.zip", data_file, methods=["GET"]),
        Route("/me/leave", leave_page, methods=["GET"]),
        Route("/me/leave", form_page(_leave(limits, timebank_limits)), methods=["POST"]),
    ]


# taking it along


def data_page(request: Request) -> Response:
    """What is in the file with my data."""
    account_holder(request)
    return render(request, "web/my_data.html", parts=PARTS)


def data_file(request: Request) -> Response:
    """All that is mine here, as a zip of JSON files with the statement of my hours as CSV."""
    who, home = account_holder(request), house(request)
    with home.database.read() as connection:
        files = _files(connection, who, home)
    headers = {
        "Content-Disposition": f'attachment; filename="{who.handle}-{home.names.host.replace(":", "-")}.zip"',
        "Cache-Control": "private, no-store",
    }
    return Response(_zipped(files), media_type="application/zip", headers=headers)


@dataclass(frozen=True)
class Part:
    """One file: its name, and what stands in it."""

    name: str
    meaning: str


PARTS = (
    Part("account.json", "your account: name, e-mail address, role, sessions, programs, the agreements you accepted"),
    Part("board.json", "what you posted, answered and agreed on, with what others wrote to you about it"),
    Part("groups.json", "the groups you belong to"),
    Part("blocks.json", "whom you block"),
    Part("skills.json", "what you can do, when you are free, and what you prefer"),
    Part("searches.json", "the searches of the board that you keep"),
    Part("notices.json", "what you were told, when you read it, and how you want to be told"),
    Part("hours.json", "every movement on your account of hours, signed by the network, without names and notes"),
    Part("hours.csv", "the same for a spreadsheet, with names and notes"),
)


def _files(connection: Connection, who: Viewer, home: House) -> Mapping[str, bytes]:
    now = home.units.clock.now()
    ever = timebank.dated(connection, who.actor, home.names.host, None, now + A_SECOND)
    made: Mapping[str, Callable[[], bytes]] = {
        "account.json": lambda: _json(_account(connection, who, home)),
        "board.json": lambda: _json(asdict(board.belongings(connection, who))),
        "groups.json": lambda: _json([asdict(one) for one in groups.memberships_of(connection, who.member_id or 0)]),
        "blocks.json": lambda: _json([asdict(one) for one in actors.blocks_by(connection, who.actor)]),
        "skills.json": lambda: _json(_skills(connection, who)),
        "searches.json": lambda: _json([asdict(one) for one in matching.searches_of(connection, who.member_id or 0)]),
        "notices.json": lambda: _json(_notices(connection, who)),
        "hours.json": lambda: _json(timebank.signed_statement(connection, home.names.ledger, who.actor, ever, now)),
        "hours.csv": lambda: _csv(ever, who),
    }
    words = "\n".join(f"{part.name}: {part.meaning}" for part in PARTS)
    readme = f"What @{who.handle}@{home.names.host} has at {home.called}, {home.names.origin}\n\n{words}\n"
    return {"README.txt": readme.encode(), **{part.name: made[part.name]() for part in PARTS}}


def _account(connection: Connection, who: Viewer, home: House) -> Mapping[str, object]:
    member_id, now = who.member_id or 0, home.units.clock.now()
    me = members.by_id(connection, member_id)
    return {
        "member": asdict(me) if me is not None else None,
        "sessions": [
            {"since": one.created_at, "until": one.expires_at, "device": one.device}
            for one in members.sessions(connection, member_id, now)
        ],
        "tokens": [
            {"name": one.name, "scopes": one.scopes, "since": one.created_at, "last_used": one.last_used_at}
            for one in members.tokens(connection, member_id)
        ],
        "agreements_accepted": [
            {"version": version, "at": at} for version, at in joining.acceptances(connection, member_id)
        ],
        "links_to_choose_a_password": [
            {"made_at": one.made_at, "used_at": one.used_at}
            for one in joining.recoveries_for(connection, member_id, EVER, now)
        ],
    }


def _skills(connection: Connection, who: Viewer) -> Mapping[str, object]:
    mine = who.member_id or 0
    wishes = skills.preferences_of(connection, [mine])[mine]
    return {
        "entries": [asdict(one) for one in skills.entries_of(connection, who, [mine])[mine]],
        "free": [asdict(one) for one in skills.windows_of(connection, [mine])[mine]],
        "preferences": {**asdict(wishes), "languages": sorted(wishes.languages)},
    }


def _notices(connection: Connection, who: Viewer) -> Mapping[str, object]:
    """A notice holds no words: its kind, and the id of what it is about."""
    mine = who.member_id or 0
    told = [
        {"kind": one.kind, "about": one.about, "made_at": one.made_at, "read_at": one.read_at}
        for one in notices.all_of(connection, mine)
    ]
    return {
        "notices": told,
        "choices": {str(topic): channel for topic, channel in notices.channels(connection, mine).items()},
    }


def _csv(ever: DatedStatement, who: Viewer) -> bytes:
    return written_as_csv(ever, who.time_zone).encode()


def _json(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _zipped(files: Mapping[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return written.getvalue()


# leaving


@dataclass(frozen=True)
class OpenMatters:
    """What somebody should settle, or tell others, before they leave. Each is a title with the place where it is."""

    listings: Sequence[board.Listing]
    matches: Sequence[board.Agreed]
    answers: Sequence[board.Answered]
    to_confirm: Sequence[timebank.Hour]
    under_way: Sequence[timebank.Hour]
    alone_in: Sequence[groups.Board]
    balance_minutes: int


def leave_page(request: Request) -> Response:
    """What leaving means: what is open, what goes and what stays; and the form to do it."""
    return _leave_page(request)


def _leave_page(request: Request, refusal: str = "", status: int = 200) -> Response:
    who, home = account_holder(request), house(request)
    with home.database.read() as connection:
        matters = _open_matters(connection, who, home.names.host)
    return render(request, "web/leave.html", status, matters=matters, refusal=refusal)


def _open_matters(connection: Connection, who: Viewer, host: str) -> OpenMatters:
    return OpenMatters(
        [one for one in board.my_listings(connection, who) if one.state in TAKES_RESPONSES],
        [one for one in board.my_matches(connection, who) if one.match.state is MatchState.ACCEPTED],
        [one for one in board.my_responses(connection, who) if one.response.state is ResponseState.OFFERED],
        timebank.waiting_for(connection, who.actor, host),
        timebank.under_way(connection, who.actor, host),
        groups.coordinated_alone(connection, who.member_id or 0),
        timebank.statement(connection, who.actor, host, lines_max=0).balance_minutes,
    )


def _leave(limits: MemberLimits, timebank_limits: TimebankLimits) -> Callable[[Request, Form], Response]:
    def leave(request: Request, form: Form) -> Response:
        """Leave for good, the password at hand. A refusal shows the page again."""
        who, home = account_holder(request), house(request)
        try:
            if form["sure"] != "yes":
                raise Refused("not_sure", "Please say that you are sure.")
            check_it_is_them(request, form.exact("password"), limits)
            with home.units.begin() as work:
                access.check_may_leave(work, who.member_id or 0)
                remove_member(work, who.handle, timebank_limits)
        except Refused as refused:
            return _leave_page(request, refused.sentence, refused.status)
        _log.info("member_left", member=who.member_id)
        return without_session(request, go("/", "left"))

    return leave
