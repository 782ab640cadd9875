"""The composer: one sentence first, the rest folded with sensible defaults; a refusal keeps what was typed."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from fedaid.board import commands, queries
from fedaid.board.limits import BoardLimits
from fedaid.board.pages.show import number_of
from fedaid.board.pages.wording import RETURN_WORDS
from fedaid.board.queries import Listing
from fedaid.board.rules import PEOPLE_MAX, TITLE_CHARACTERS_MAX, Kind, Mode, Posting
from fedaid.foundation.ids import checked_key, new_key
from fedaid.foundation.pages import Form, go, house, member, render
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.said import said
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.wording import in_figures, read_minutes, zone
from fedaid.groups import queries as groups

_LOCAL_TIME = "%Y-%m-%dT%H:%M"


def compose_page(limits: BoardLimits) -> Callable[[Request], Response]:
    """The empty form for a request or an offer."""

    def page(request: Request) -> Response:
        """The form for a request, or with ``kind=offer`` for an offer."""
        who = member(request)
        kind = Kind.OFFER if request.query_params.get("kind") == Kind.OFFER else Kind.REQUEST
        until = _local(house(request).units.clock.now(), who).date() + timedelta(days=_days(limits, kind))
        fresh = {"expires_on": until.isoformat(), "people": "1", "mode": Mode.HOURS, "hours": "1"}
        return _form(request, kind, {**fresh, "board": request.query_params.get("board", "")[:100]})

    return page


def _days(limits: BoardLimits, kind: Kind) -> int:
    return limits.request_days if kind is Kind.REQUEST else limits.offer_days


def _local(moment: datetime, who: Viewer) -> datetime:
    return moment.astimezone(zone(who.time_zone))


def _form(
    request: Request, kind: Kind, typed: Mapping[str, str], status: int = 200, wrong: str = "", editing: int = 0
) -> Response:
    who = member(request)
    with house(request).database.read() as connection:
        boards = _boards_to_choose(connection, who, typed.get("board", ""))
        categories = queries.categories(connection, typed.get("category", "") if editing else "")
    return render(
        request,
        "board/compose.html",
        status,
        kind=kind,
        typed=dict(typed),
        wrong_sentence=wrong,
        boards=boards,
        categories=categories,
        modes=RETURN_WORDS,
        people_max=PEOPLE_MAX,
        title_max=TITLE_CHARACTERS_MAX,
        zone_name=zone(who.time_zone).key,
        editing=editing,
        action=f"/listings/{editing}/edit" if editing else f"/post?kind={kind}",
        key=typed.get("key") or new_key(),
    )


def _boards_to_choose(connection: Connection, who: Viewer, asked: str) -> Sequence[groups.Board]:
    """The boards one belongs to, and the one whose button was pressed."""
    mine = groups.boards_of(connection, who.member_id or 0)
    found = groups.board_by_handle(connection, asked) if asked else None
    return mine if found is None or found in mine else [*mine, found]


def post(limits: BoardLimits) -> Callable[[Request, Form], Response]:
    """Put what was typed on the board; pressing twice posts once."""

    def post_it(request: Request, form: Form) -> Response:
        """Put what was typed on the board. A refusal shows the form again with everything kept."""
        who = member(request)
        kind = Kind.OFFER if request.query_params.get("kind") == Kind.OFFER else Kind.REQUEST
        try:
            posting = read_posting(form, kind, who, house(request).units.clock.now(), _days(limits, kind))
            with house(request).units.begin() as work:
                board = _chosen_board(groups.boards(work.connection), form["board"])
                listing_id = commands.post_listing(work, who, board, posting, _posting_key(form))
                waits = queries.review_of(work.connection, listing_id) is not None
        except Refused as refused:
            return _form(request, kind, form, refused.status, refused.sentence)
        return go(f"/listings/{listing_id}", "look_asked" if waits else "posted")

    return post_it


def _posting_key(form: Form) -> str | None:
    """The same when the button is pressed twice; another when the words were changed before. Raises Refused."""
    if not form["key"]:
        return None
    return str(uuid.uuid5(uuid.UUID(checked_key(form["key"])), repr(sorted(form.items()))))


def _chosen_board(boards: Sequence[groups.Board], handle: str) -> str:
    chosen = next((one for one in boards if (one.handle == handle if handle else one.is_default)), None)
    if chosen is None:
        raise Refused("board", "Please choose one of the boards here.")
    return chosen.actor


def edit_page(request: Request) -> Response:
    """The form with what stands on the board now; for its author."""
    who = member(request)
    with house(request).database.read() as connection:
        found = queries.listing(connection, who, number_of(request))
    if not found.is_by(who):
        raise NotFound
    return _form(request, found.kind, _as_typed(found, who), editing=found.id)


def edit(request: Request, form: Form) -> Response:
    """Keep what was changed."""
    who, listing_id = member(request), number_of(request)
    with house(request).database.read() as connection:
        found = queries.listing(connection, who, listing_id)
    try:
        posting = read_posting(form, found.kind, who, house(request).units.clock.now(), BoardLimits.request_days)
        with house(request).units.begin() as work:
            commands.edit_listing(work, who, listing_id, posting)
    except Refused as refused:
        return _form(request, found.kind, form, refused.status, refused.sentence, editing=listing_id)
    return go(f"/listings/{listing_id}", "changed")


def _as_typed(found: Listing, who: Viewer) -> dict[str, str]:
    def local(moment: datetime | None) -> str:
        return _local(moment, who).strftime(_LOCAL_TIME) if moment is not None else ""

    return {
        "title": found.title,
        "description": found.description,
        "category": found.category,
        "starts_at": local(found.starts_at),
        "ends_at": local(found.ends_at),
        "place": found.place,
        "lat": "" if found.lat is None else str(found.lat),
        "lon": "" if found.lon is None else str(found.lon),
        "people": str(found.people),
        "hours": "" if found.minutes is None else in_figures(found.minutes),
        "mode": found.mode,
        "expires_on": local(found.expires_at)[:10],
    }


def read_posting(form: Form, kind: Kind, who: Viewer, now: datetime, stay_days: int) -> Posting:
    """What was typed as a posting, times read in the viewer's zone. Raises Refused, naming the field."""
    return Posting(
        kind=kind,
        title=form["title"],
        description=form["description"],
        category=form["category"],
        starts_at=_read_time(form["starts_at"], who),
        ends_at=_read_time(form["ends_at"], who),
        place=form["place"],
        lat=_read_degrees(form["lat"]),
        lon=_read_degrees(form["lon"]),
        minutes=_read_hours(form["hours"]),
        people=_read_people(form["people"]),
        mode=_read_mode(form["mode"]),
        expires_at=_read_expiry(form["expires_on"], who, now, stay_days),
        own_name=form["own_name"] == "1",
        time_zone=who.time_zone,
    )


def _read_time(text: str, who: Viewer) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone(who.time_zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused("times", "A time looks like 2026-09-05 10:00.") from None


def _read_expiry(text: str, who: Viewer, now: datetime, stay_days: int) -> datetime:
    """The end of that day where the viewer lives."""
    try:
        day = date.fromisoformat(text) if text else _local(now, who).date() + timedelta(days=stay_days)
        return datetime.combine(day, time(23, 59, 59), zone(who.time_zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused("expiry", "A day looks like 2026-09-05.") from None


def _read_hours(text: str) -> int | None:
    if not text:
        return None
    minutes = read_minutes(text)
    if minutes is None:
        raise Refused("minutes", "How long it takes is written like 1:30 or 1.5, in hours.")
    return minutes


def _read_people(text: str) -> int:
    if not text:
        return 1
    if not text.isascii() or not text.isdigit() or len(text) > 3:
        raise Refused("people", said("How many people: from 1 to %(count)s.", count=PEOPLE_MAX))
    return int(text)


def _read_mode(text: str) -> Mode:
    if text and text not in set(Mode):
        raise Refused("mode", "Please choose what you would give or take in return.")
    return Mode(text or Mode.HOURS)


def _read_degrees(text: str) -> float | None:
    try:
        return float(text.replace(",", ".")) if text else None
    except ValueError:
        raise Refused("position", "A position is written in degrees, like 51.52.") from None
