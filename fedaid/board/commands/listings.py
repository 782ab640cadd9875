"""Writes about listings of ours: posting, editing, extending, taking down, and letting them expire."""

from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import delete, exists, insert, select
from sqlalchemy.exc import IntegrityError

from fedaid.board import queries
from fedaid.board.commands.beside import (
    NewPhoto,
    forget_for_the_change,
    forget_meeting,
    forget_photo,
    keep_meeting,
    keep_photo,
)
from fedaid.board.commands.looks import ask_for_a_look, forget_look
from fedaid.board.commands.rows import (
    change_listing,
    change_response,
    follow_matches,
    forget_words,
    keep_words,
    locked_listing,
    own_listing,
)
from fedaid.board.facts import (
    ListingChanged,
    ListingEnding,
    ListingExpired,
    ListingHidden,
    ListingNarrowed,
    ListingPosted,
    ListingShown,
    ListingWithdrawn,
    MeetingChanged,
    ResponseDeclined,
)
from fedaid.board.limits import BoardLimits
from fedaid.board.queries import Listing
from fedaid.board.rules import (
    LISTING_MOVES,
    RADIUS_M,
    TAKES_RESPONSES,
    Kind,
    ListingState,
    Mode,
    Posting,
    ResponseState,
    Visibility,
    check_expiry,
    checked,
    helpers_found,
    is_narrower,
    moved,
    state_by_matches,
    warning_due,
)
from fedaid.board.tables import listing, listing_warning, response
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.said import said
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.work import Work
from fedaid.groups import queries as groups
from fedaid.groups.queries import Board
from fedaid.groups.rules import is_looked_at
from fedaid.network.queries import is_open_neighbour

EXPIRED_AT_ONCE_MAX = 200
WARNED_AT_ONCE_MAX = 200


def post_listing(
    work: Work,
    author: Viewer,
    board_actor: str,
    posting: Posting,
    form_key: str | None = None,
    *,
    in_the_name_of: str | None = None,
    photo: NewPhoto | None = None,
) -> int:
    """Put a listing on a board of ours and return its id. Raises Refused; nothing is stored then.

    On the wire the board is the author and who posted it stays inside, unless the member chose their own name.
    ``in_the_name_of`` is somebody elsewhere who asked for it; ``author`` is then the coordinator who lets it in.
    Asked again with the same ``form_key``, a UUID, nothing happens again.
    """
    if author.member_id is None:
        raise NotAllowed
    if (posted := _posted_already(work, author.member_id, form_key)) is not None:
        return posted
    board = groups.board_by_actor(work.connection, board_actor)
    if board is None:
        raise NotFound("There is no such board here.")
    waits = is_looked_at(
        board.posting,
        is_member=groups.is_member(work.connection, board.id, author.member_id),
        coordinates=groups.coordinates(work.connection, author, board.id),
    )
    _check_return(posting, for_elsewhere=in_the_name_of is not None)
    listing_id = work.new_id()
    found = as_listing(work, author, board, posting, listing_id, in_the_name_of=in_the_name_of)
    row = asdict(replace(found, state=ListingState.DRAFT if waits else ListingState.OPEN, form_key=form_key))
    try:
        with work.attempt():
            work.connection.execute(insert(listing).values(row))
    except IntegrityError:  # pressed twice at the same moment
        posted = _posted_already(work, author.member_id, form_key)
        if posted is None:
            raise
        return posted
    _keep_beside(work, found, posting)
    if photo is not None:
        keep_photo(work, listing_id, photo)
    if waits:
        ask_for_a_look(work, listing_id, board_actor)
    else:
        work.record(ListingPosted(listing_id))
    return listing_id


def as_listing(
    work: Work,
    author: Viewer,
    board: Board,
    posting: Posting,
    listing_id: int = 0,
    *,
    in_the_name_of: str | None = None,
) -> Listing:
    """The posting as the listing that it would be; nothing is stored. Raises Refused for what cannot be posted."""
    _check_category(work, posting.category)
    _check_visibility(board, posting.visibility)
    uri = work.names.listing(listing_id)
    return Listing(
        id=listing_id,
        uri=uri,
        board_actor=board.actor,
        author_actor=author.actor if posting.own_name else board.actor,
        author_member_id=author.member_id,
        member_actor=in_the_name_of or author.actor,
        form_key=None,
        host=work.names.host,
        page=uri,
        local=True,
        hidden=False,
        content_html="",
        warning="",
        state=ListingState.OPEN,
        published_at=work.now,
        updated_at=work.now,
        **_values(uri, checked(posting, work.now)),
    )


def _keep_beside(work: Work, found: Listing, posting: Posting) -> None:
    keep_words(work, found.id, found.title, found.description, found.place)
    keep_meeting(work, found.id, checked(posting, work.now))


def _posted_already(work: Work, author: int, form_key: str | None) -> int | None:
    return queries.listing_of_form(work.connection, author, form_key) if form_key is not None else None


def _values(uri: str, posting: Posting) -> dict[str, Any]:
    return {
        "kind": posting.kind,
        "title": posting.title,
        "description": posting.description,
        "category": posting.category,
        "starts_at": posting.starts_at,
        "ends_at": posting.ends_at,
        "time_zone": posting.time_zone,
        "place": posting.place,
        "lat": posting.lat,
        "lon": posting.lon,
        "radius_m": RADIUS_M if posting.lat is not None else None,
        "minutes": posting.minutes,
        "people": posting.people,
        "mode": posting.mode,
        "primary_uri": f"{uri}#primary",
        "reciprocal_uri": f"{uri}#reciprocal" if posting.mode in (Mode.HOURS, Mode.SWAP) else "",
        "expires_at": posting.expires_at,
        "urgent": posting.urgent,
        "rhythm": posting.rhythm,
        "visibility": posting.visibility,
    }


def _check_category(work: Work, slug: str, kept: str = "") -> None:
    if slug and slug != kept and slug not in {one.slug for one in queries.categories(work.connection)}:
        raise Refused("category", "Please choose one of the categories.")


def _check_visibility(board: Board, visibility: Visibility) -> None:
    if board.is_default and visibility is Visibility.GROUP:
        raise Refused("visibility", "This board is everybody's. Choose the board of a group, or let members see it.")


def _check_return(posting: Posting, *, for_elsewhere: bool) -> None:
    if for_elsewhere and posting.mode is Mode.HOURS:
        raise Refused("no_account", "Somebody without an account of hours can ask for a gift, a loan or a swap.")


def edit_listing(work: Work, author: Viewer, listing_id: int, posting: Posting) -> None:
    """Change the words, times or numbers of one's listing. What it asks in return stays once somebody was accepted.

    Fewer may see it later, never more: those who had it elsewhere are told to forget it.
    """
    found = own_listing(work, author, listing_id)
    if found.state is not ListingState.DRAFT:
        moved_from_open(found)
    _check_category(work, posting.category, found.category)
    _check_return(posting, for_elsewhere=found.is_for_elsewhere)
    accepted, done = queries.matches_by_state(work.connection, listing_id)
    tidy = checked(posting, work.now)
    _check_narrowing(work, found, tidy.visibility)
    if accepted + done and (tidy.kind, tidy.mode, tidy.minutes) != (found.kind, found.mode, found.minutes):
        raise Refused("agreed_already", "Somebody agreed to this already; hours and kind can no longer change.", 409)
    helpers = helpers_found(tidy.rhythm, accepted, done)
    if tidy.people < helpers:
        raise Refused("people", said("%(value)s helpers are found already; it cannot ask for fewer.", value=helpers))
    change_listing(work, listing_id, **_values(found.uri, tidy))
    before = queries.any_meeting(work.connection, listing_id)
    _keep_beside(work, replace(found, title=tidy.title, description=tidy.description, place=tidy.place), tidy)
    if found.state is ListingState.DRAFT:
        ask_for_a_look(work, listing_id, found.board_actor)
        return
    if tidy.visibility is not found.visibility:
        work.record(ListingNarrowed(listing_id, found.visibility))
    if queries.any_meeting(work.connection, listing_id) != before:
        work.record(MeetingChanged(listing_id))
    follow_matches(work, locked_listing(work, listing_id))


def _check_narrowing(work: Work, found: Listing, wanted: Visibility) -> None:
    """Raises Refused where more would see it than before, or somebody who is to help would lose it."""
    board = groups.board_by_actor(work.connection, found.board_actor)
    if board is not None:
        _check_visibility(board, wanted)
    if found.state is ListingState.DRAFT or wanted is found.visibility:
        return
    if not is_narrower(wanted, found.visibility):
        raise Refused("wider", "Fewer people can be let see it, but not more. Post it again for more people.", 409)
    keeps = wanted is Visibility.NEIGHBOURS
    helpers = queries.helpers_elsewhere(work.connection, found.id, work.names.host)
    if any(not (keeps and is_open_neighbour(work.connection, urlsplit(one).netloc)) for one in helpers):
        raise Refused(
            "answered_elsewhere",
            "Somebody who would no longer see it has answered. Say yes or no first, or finish it with them.",
            409,
        )


def moved_from_open(found: Listing) -> None:
    """Raises Refused for a listing that can no longer be edited."""
    if found.state is not ListingState.FILLED and found.state not in TAKES_RESPONSES:
        raise Refused("not_open", "This is no longer open; post a new one.", 409)


def extend_listing(work: Work, author: Viewer, listing_id: int, until: datetime) -> None:
    """Let a listing stay on the board until then; one that expired comes back."""
    found = own_listing(work, author, listing_id)
    if found.state not in (*TAKES_RESPONSES, ListingState.FILLED, ListingState.EXPIRED):
        raise Refused("listing_state", "This is done already.", 409)
    check_expiry(until, work.now)
    state = found.state
    if state is ListingState.EXPIRED:
        accepted, done = queries.matches_by_state(work.connection, listing_id)
        state = state_by_matches(ListingState.OPEN, found.people, accepted, done, found.rhythm)
    change_listing(work, listing_id, expires_at=until, state=state)
    work.record(ListingChanged(listing_id))


def stay_days(limits: BoardLimits, kind: Kind) -> int:
    """For how many days a new listing of this kind stays, where its author does not say."""
    return limits.request_days if kind is Kind.REQUEST else limits.offer_days


def keep_longer(work: Work, author: Viewer, listing_id: int, limits: BoardLimits) -> datetime:
    """Let a listing stay as long again as a new one would; until when it does. Raises NotFound, Refused."""
    found = own_listing(work, author, listing_id)
    until = max(work.now, found.expires_at or work.now) + timedelta(days=stay_days(limits, found.kind))
    extend_listing(work, author, listing_id, until)
    return until


def chosen_board(work: Work, handle: str) -> Board:
    """The board that somebody chose to post on; the whole neighbourhood's where they chose none. Raises Refused."""
    boards = groups.boards(work.connection)
    chosen = next((one for one in boards if (one.handle == handle if handle else one.is_default)), None)
    if chosen is None:
        raise Refused("board", "Please choose one of the boards here.")
    return chosen


def withdraw_listing(work: Work, author: Viewer, listing_id: int) -> None:
    """Take one's listing off the board, here and elsewhere. Those still waiting for an answer are told."""
    _take_down(work, own_listing(work, author, listing_id))


def withdraw_for(work: Work, actor: str, listing_id: int) -> None:
    """Somebody elsewhere who asked for a listing no longer wants it; harmless when it is over already."""
    found = locked_listing(work, listing_id)
    if found.member_actor != actor or not found.is_for_elsewhere:
        raise NotAllowed
    if ListingState.WITHDRAWN in LISTING_MOVES[found.state]:
        _take_down(work, found)


def _take_down(work: Work, found: Listing) -> None:
    listing_id = found.id
    change_listing(work, listing_id, state=moved(found.state, ListingState.WITHDRAWN))
    forget_words(work, listing_id)
    forget_meeting(work, listing_id)
    forget_photo(work, listing_id)
    forget_for_the_change(work, listing_id)
    waiting = (response.c.listing_id == listing_id) & (response.c.state == ResponseState.OFFERED)
    for row in work.connection.execute(select(response).where(waiting)).all():
        one = queries.response_of(row)
        change_response(work, one, ResponseState.DECLINED)
        work.record(ResponseDeclined(one.id))
    if found.state is ListingState.DRAFT:  # nobody has seen it
        forget_look(work, listing_id)
    else:
        work.record(ListingWithdrawn(listing_id))


def hide_listing(work: Work, listing_id: int, *, hidden: bool = True) -> None:
    """A moderator takes a listing out of sight, or puts it back; its author still sees it. The same again is harmless.

    One of ours is deleted elsewhere too, as it must not go on standing there. Raises NotFound.
    """
    found = locked_listing(work, listing_id)
    if found.state is ListingState.DRAFT:
        raise NotFound
    if found.hidden is hidden:
        return
    change_listing(work, listing_id, hidden=hidden)
    work.record(ListingHidden(listing_id) if hidden else ListingShown(listing_id))


def expire_due(work: Work) -> int:
    """Let listings whose time is over leave the board, and say how many; harmless when two processes do it."""
    table = listing.c
    over = table.state.in_(sorted(TAKES_RESPONSES)) & (table.expires_at <= work.now) & table.local.is_(True)
    query = select(table.id).where(over).order_by(table.id).limit(EXPIRED_AT_ONCE_MAX)
    due = work.connection.execute(query.with_for_update(skip_locked=True)).scalars().all()
    for listing_id in due:
        change_listing(work, listing_id, state=ListingState.EXPIRED)
        work.record(ListingChanged(listing_id))
        work.record(ListingExpired(listing_id))
    return len(due)


def warn_ending(work: Work, limits: BoardLimits) -> int:
    """Tell of listings that leave the board soon, of each end once, and say of how many. A chore of the house."""
    table = listing.c
    same_end = (listing_warning.c.listing_id == table.id) & (listing_warning.c.expires_at == table.expires_at)
    soon = (table.expires_at > work.now) & (table.expires_at <= work.now + timedelta(days=limits.expiry_notice_days))
    wanted = (table.state.in_(sorted(TAKES_RESPONSES)), table.local.is_(True), soon, ~exists().where(same_end))
    query = select(table.id, table.published_at, table.expires_at).where(*wanted).order_by(table.expires_at)
    rows = work.connection.execute(query.limit(WARNED_AT_ONCE_MAX).with_for_update(skip_locked=True)).all()
    due = [row for row in rows if warning_due(row.published_at, row.expires_at, limits.expiry_notice_days) <= work.now]
    for row in due:
        work.connection.execute(delete(listing_warning).where(listing_warning.c.listing_id == row.id))
        work.connection.execute(insert(listing_warning).values(listing_id=row.id, expires_at=row.expires_at))
        work.record(ListingEnding(row.id))
    return len(due)
