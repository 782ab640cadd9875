"""The composer: one sentence first, the rest folded with sensible defaults; a refusal keeps what was typed.

It is looked at before it is posted, and kept as a draft meanwhile; nothing of it needs a script.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from markupsafe import Markup
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from fedaid.actors.queries import Card
from fedaid.board import commands, queries
from fedaid.board.limits import BoardLimits
from fedaid.board.pages.photos import Handler, Sent
from fedaid.board.pages.typed import as_typed, local, read_posting, written
from fedaid.board.pages.wording import RETURN_WORDS, RHYTHM_CHOICE_WORDS, VISIBILITY_CHOICE_WORDS, Shown, shown
from fedaid.board.queries import Listing, Noticed
from fedaid.board.rules import (
    ALT_CHARACTERS_MAX,
    PEOPLE_MAX,
    TITLE_CHARACTERS_MAX,
    Kind,
    ListingState,
    Mode,
    Visibility,
    is_narrower,
)
from fedaid.board.wire.shapes import listing_object
from fedaid.foundation.ids import checked_key, new_key, row_id
from fedaid.foundation.pages import Form, go, house, member, number_of, render
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.work import Work
from fedaid.groups import queries as groups
from fedaid.media.rules import size_of

POST, PREVIEW, KEEP = "post", "preview", "keep"  # the three buttons
_TIMES: Final = ("starts_at", "ends_at")


@dataclass(frozen=True)
class Preview:
    """How neighbours will see what was typed, and how others elsewhere will.

    content   None where it is told nobody elsewhere
    leaves_to_neighbours   whether of those elsewhere only linked networks are told
    """

    one: Shown
    content: Markup | None
    speaker: str
    leaves_to_neighbours: bool = False


@dataclass(frozen=True)
class Page:
    """What the form shows beside what was typed.

    photo_at    where the photo is shown that goes with it; empty for none
    photo_from  the listing whose photo it is, which is posted again, or whose change it waits for
    begun       whether it is what somebody had begun to write before
    seen_by     of what stands already: who may see it
    board       of what stands already: the handle of its board
    """

    editing: int = 0
    preview: Preview | None = None
    photo_at: str = ""
    photo_from: int = 0
    begun: bool = False
    seen_by: Visibility | None = None
    board: str = ""


NEW: Final = Page()


def kind_of(request: Request) -> Kind:
    """What the address asks for: a request, or with ``kind=offer`` an offer."""
    return Kind.OFFER if request.query_params.get("kind") == Kind.OFFER else Kind.REQUEST


def compose_page(limits: BoardLimits) -> Callable[[Request], Response]:
    """The empty form for a request or an offer, or with what was begun, or with what was posted before."""

    def page(request: Request) -> Response:
        """The form: what was begun before, ``repeat`` with a listing of one's own, else empty with defaults."""
        who = member(request)
        if request.query_params.get("repeat"):
            return _repeat(request, limits)
        kind, asked = kind_of(request), request.query_params.get("board", "")[:100]
        with house(request).database.read() as connection:
            draft = queries.draft(connection, who, kind)
        typed = {**_fresh(request, limits, kind), **(draft.typed if draft is not None else {})}
        photo_at = _draft_photo(kind) if draft is not None and draft.photo is not None else ""
        shown_as = replace(NEW, begun=draft is not None, photo_at=photo_at)
        return _form(request, kind, {**typed, "board": asked or typed.get("board", "")}, page=shown_as)

    return page


def _fresh(request: Request, limits: BoardLimits, kind: Kind) -> dict[str, str]:
    until = local(house(request).units.clock.now(), member(request)).date() + timedelta(
        days=commands.stay_days(limits, kind)
    )
    return {"expires_on": until.isoformat(), "people": "1", "mode": Mode.HOURS, "hours": "1"}


def _repeat(request: Request, limits: BoardLimits) -> Response:
    """What one posted before, to be posted again; its times are over, so they are said anew."""
    who, listing_id = member(request), row_id(request.query_params["repeat"])
    with house(request).database.read() as connection:
        found = queries.any_listing(connection, listing_id)
        if found is None or not found.local or found.is_for_elsewhere or not found.is_by(who):
            raise NotFound
        board = groups.board_by_actor(connection, found.board_actor)
        typed = as_typed(found, queries.any_meeting(connection, listing_id), who)
        photo = queries.photo_of(connection, listing_id)
    until = _fresh(request, limits, found.kind)["expires_on"]
    again = {**typed, **dict.fromkeys(_TIMES, ""), "expires_on": until, "board": board.handle if board else ""}
    if photo is None:
        return _form(request, found.kind, again)
    shown_as = replace(NEW, photo_at=_photo_of(listing_id), photo_from=listing_id)
    return _form(request, found.kind, {**again, "alt": photo.alt}, page=shown_as)


def _draft_photo(kind: Kind) -> str:
    return f"/post/photo?kind={kind}"


def _photo_of(listing_id: int) -> str:
    return f"/listings/{listing_id}/photo"


def _form(
    request: Request,
    kind: Kind,
    typed: Mapping[str, str],
    status: int = 200,
    wrong: str = "",
    page: Page = NEW,
) -> Response:
    who = member(request)
    with house(request).database.read() as connection:
        boards = _boards_to_choose(connection, who, page.board or typed.get("board", ""))
        categories = queries.categories(connection, typed.get("category", "") if page.editing else "")
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
        rhythms=RHYTHM_CHOICE_WORDS,
        visibilities=_visibilities([one for one in boards if page.board in ("", one.handle)], page.seen_by),
        people_max=PEOPLE_MAX,
        title_max=TITLE_CHARACTERS_MAX,
        alt_max=ALT_CHARACTERS_MAX,
        zone_name=local(house(request).units.clock.now(), who).tzinfo,
        editing=page.editing,
        page=page,
        action=f"/listings/{page.editing}/edit" if page.editing else f"/post?kind={kind}",
        key=typed.get("key") or new_key(),
    )


def _visibilities(boards: Sequence[groups.Board], before: Visibility | None) -> Mapping[Visibility, str]:
    """A board that is everybody's has no group that could see something alone; what stands is let see by no more."""
    in_groups = any(not one.is_default for one in boards)
    found = {one: words for one, words in VISIBILITY_CHOICE_WORDS.items() if in_groups or one is not Visibility.GROUP}
    return {one: words for one, words in found.items() if before is None or not is_narrower(before, one)}


def _boards_to_choose(connection: Connection, who: Viewer, asked: str) -> Sequence[groups.Board]:
    """The boards one belongs to, and the one whose button was pressed."""
    mine = groups.boards_of(connection, who.member_id or 0)
    found = groups.board_by_handle(connection, asked) if asked else None
    return mine if found is None or found in mine else [*mine, found]


# the buttons


def post(limits: BoardLimits, button: str = POST) -> Handler:
    """Post, look at it first, or keep it for later, as the button says; pressing twice posts once."""

    def pressed(request: Request, form: Form, sent: Sent) -> Response:
        """Put what was typed on the board, show how it will look, or keep it. A refusal keeps everything."""
        who, kind = member(request), kind_of(request)
        photo = _photo_kept(request, form, kind)
        try:
            photo = sent.made_harmless(limits) or photo
            if button == KEEP:
                _save(request, kind, form, photo)
                return go("/me", "draft_kept")
            if button == PREVIEW:
                return _previewed(request, form, kind, photo, limits)
            listing_id, waits = _post(request, who, form, kind, photo, limits)
        except Refused as refused:
            if photo is not None or button != POST:
                _save(request, kind, form, photo)  # or the photo would have to be chosen again
            shown_as = replace(NEW, photo_at=_draft_photo(kind) if photo is not None else "")
            return _form(request, kind, form, refused.status, refused.sentence, shown_as)
        return go(f"/listings/{listing_id}", "look_asked" if waits else "posted")

    return pressed


def _photo_kept(request: Request, form: Form, kind: Kind) -> bytes | None:
    """The photo that the form showed already: of the draft, or of what is posted again."""
    if form["photo_drop"] == "1":
        return None
    who = member(request)
    with house(request).database.read() as connection:
        if form["photo_from"]:
            listing_id = row_id(form["photo_from"])
            found = queries.any_listing(connection, listing_id)
            if found is None or not found.is_by(who) or queries.photo_of(connection, listing_id) is None:
                return None
            return queries.photo_body(connection, who, listing_id, house(request).federation)
        draft = queries.draft(connection, who, kind) if form["photo_kept"] == "1" else None
    return draft.photo if draft is not None else None


def _save(request: Request, kind: Kind, form: Form, photo: bytes | None) -> None:
    with house(request).units.begin() as work:
        commands.save_draft(work, member(request), kind, written(form), photo)


def _post(
    request: Request, who: Viewer, form: Form, kind: Kind, photo: bytes | None, limits: BoardLimits
) -> tuple[int, bool]:
    posting = read_posting(form, kind, who, house(request).units.clock.now(), commands.stay_days(limits, kind))
    with house(request).units.begin() as work:
        board = commands.chosen_board(work, form["board"])
        key, new = _posting_key(form), _new_photo(photo, form)
        listing_id = commands.post_listing(work, who, board.actor, posting, key, photo=new)
        commands.forget_draft(work, who, kind)
        return listing_id, queries.review_of(work.connection, listing_id) is not None


def _new_photo(photo: bytes | None, form: Form) -> commands.NewPhoto | None:
    return commands.NewPhoto(photo, *size_of(photo), form["alt"]) if photo is not None else None


def _previewed(request: Request, form: Form, kind: Kind, photo: bytes | None, limits: BoardLimits) -> Response:
    who, home = member(request), house(request)
    _save(request, kind, form, photo)
    posting = read_posting(form, kind, who, home.units.clock.now(), commands.stay_days(limits, kind))
    with home.units.begin() as work:  # which is asked only, and keeps nothing
        board = commands.chosen_board(work, form["board"])
        found = commands.as_listing(work, who, board, posting)
        preview = _preview(work, who, found, board, _new_photo(photo, form))
    shown_as = replace(NEW, preview=preview, photo_at=_draft_photo(kind) if photo is not None else "")
    return _form(request, kind, form, page=shown_as)


def _preview(work: Work, who: Viewer, found: Listing, board: groups.Board, photo: commands.NewPhoto | None) -> Preview:
    """Made by the code that shows a card and by the code that makes the object for other servers."""
    if photo is not None:
        commands.checked_alt(photo.alt)
    (noticed,) = queries.noticed(work.connection, who, [found], work.names.host)
    as_card = shown(Noticed(found, noticed.author, noticed.board, 0), who, work.now)
    speaker: Card | None = noticed.author if found.in_own_name else noticed.board
    html = listing_object(found, board.handle, 0, work.names)["content"] if found.leaves else None
    if html is not None:
        html = html.replace(f"/listings/{found.id}", "/listings/…")  # it has its number once it is posted
    content = Markup(html) if html is not None else None  # noqa: S704 - built by us, every text in it escaped
    said_by = speaker.name if speaker is not None else board.name
    return Preview(replace(as_card, is_mine=True), content, said_by, found.is_for_neighbours)


def forget(request: Request, form: Form) -> Response:
    """Throw away what one has begun to write."""
    who, kind = member(request), kind_of(request)
    with house(request).units.begin() as work:
        commands.forget_draft(work, who, kind)
    return go(f"/post?kind={kind}", "draft_forgotten")


def _posting_key(form: Form) -> str | None:
    """The same when the button is pressed twice; another when the words were changed before. Raises Refused."""
    if not form["key"]:
        return None
    return str(uuid.uuid5(uuid.UUID(checked_key(form["key"])), repr(sorted(form.items()))))


# changing what stands on the board


def edit_page(request: Request) -> Response:
    """The form with what stands on the board now; for its author."""
    who = member(request)
    with house(request).database.read() as connection:
        found = _own(connection, request, who)
        typed = as_typed(found, queries.any_meeting(connection, found.id), who)
        photo = queries.photo_of(connection, found.id)
        shown_as = _editing(connection, found)
    return _form(request, found.kind, {**typed, "alt": photo.alt if photo is not None else ""}, page=shown_as)


def _editing(connection: Connection, found: Listing) -> Page:
    """What the form shows beside a listing that stands."""
    photo_at = _photo_of(found.id) if queries.photo_of(connection, found.id) is not None else ""
    board = groups.board_by_actor(connection, found.board_actor)
    seen_by = None if found.state is ListingState.DRAFT else found.visibility
    return Page(editing=found.id, photo_at=photo_at, seen_by=seen_by, board=board.handle if board is not None else "")


def _own(connection: Connection, request: Request, who: Viewer) -> Listing:
    found = queries.listing(connection, who, number_of(request))
    if not found.is_by(who):
        raise NotFound
    return found


def edit(limits: BoardLimits) -> Handler:
    """Keep what was changed."""

    def pressed(request: Request, form: Form, sent: Sent) -> Response:
        """Keep what was changed. A refusal keeps everything, a new photo too."""
        who = member(request)
        with house(request).database.read() as connection:
            found = _own(connection, request, who)
            shown_as = _editing(connection, found)
            photo = _photo_waiting(connection, who, found, form)
        try:
            photo = sent.made_harmless(limits) or photo
            posting = read_posting(
                form, found.kind, who, house(request).units.clock.now(), commands.stay_days(limits, found.kind)
            )
            if not form["visibility"]:
                posting = replace(posting, visibility=found.visibility)
            with house(request).units.begin() as work:
                _change_photo(work, who, found, form, photo)
                commands.edit_listing(work, who, found.id, posting)
                commands.forget_for_the_change(work, found.id)
        except Refused as refused:
            if photo is not None:
                with house(request).units.begin() as work:
                    commands.keep_for_the_change(work, found.id, photo)
                shown_as = replace(shown_as, photo_at=f"/listings/{found.id}/edit/photo", photo_from=found.id)
            return _form(request, found.kind, form, refused.status, refused.sentence, shown_as)
        return go(f"/listings/{found.id}", "changed")

    return pressed


def _photo_waiting(connection: Connection, who: Viewer, found: Listing, form: Form) -> bytes | None:
    """The new photo that the form showed already, after a refusal."""
    if form["photo_from"] != str(found.id) or form["photo_drop"] == "1":
        return None
    return queries.photo_of_change(connection, who, found.id)


def _change_photo(work: Work, who: Viewer, found: Listing, form: Form, photo: bytes | None) -> None:
    known = queries.photo_of(work.connection, found.id)
    if photo is not None:
        commands.keep_photo(work, found.id, commands.NewPhoto(photo, *size_of(photo), form["alt"]))
    elif known is not None and form["photo_drop"] == "1":
        commands.forget_photo(work, found.id)
    elif known is not None and "alt" in form:
        commands.say_alt(work, found.id, form["alt"])
