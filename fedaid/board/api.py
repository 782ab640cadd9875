"""The board for programs: the same listings, answers and matches as on its pages, by the same commands and queries."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Connection

from fedaid.actors.api import Person, person
from fedaid.board import commands, queries
from fedaid.board.limits import BoardLimits
from fedaid.board.queries import Agreed, Answered, Filters, Noticed
from fedaid.board.rules import (
    CONTACT_CHARACTERS_MAX,
    DESCRIPTION_CHARACTERS_MAX,
    EXACT_PLACE_CHARACTERS_MAX,
    MESSAGE_CHARACTERS_MAX,
    MINUTES_MAX,
    PEOPLE_MAX,
    PLACE_CHARACTERS_MAX,
    REASON_CHARACTERS_MAX,
    SEARCH_CHARACTERS_MAX,
    SLUG_CHARACTERS_MAX,
    TITLE_CHARACTERS_MAX,
    Kind,
    ListingState,
    MatchState,
    Mode,
    Posting,
    ResponseState,
    Rhythm,
    Visibility,
    stays_until,
)
from fedaid.foundation.api import (
    Asked,
    Digits,
    Id,
    Listed,
    Model,
    Moment,
    NoQuery,
    Nothing,
    Operation,
    Operations,
    Paging,
    Whole,
    YesNo,
    given,
    or_empty,
)
from fedaid.foundation.refused import NotFound
from fedaid.foundation.text import one_line
from fedaid.foundation.wording import zone
from fedaid.foundation.work import Work
from fedaid.groups import queries as groups

READ, WRITE, ABOUT = "board:read", "board:write", "board"
SLUG_PATTERN = "^[a-z0-9]+(-[a-z0-9]+)*$"
Minutes = Annotated[int, Field(ge=1, le=MINUTES_MAX), Whole]


# listings


class ListingShown(Model):
    """A listing of here or of a neighbouring board, as far as whoever asks may see it."""

    id: Id
    address: str = Field(description="Its id on the wire.")
    page: str = Field(description="Where people see it.")
    kind: Kind
    title: str
    description: str
    warning: str = Field(description="What to say before it is shown; mostly empty.")
    category: str
    starts_at: Moment | None
    ends_at: Moment | None
    time_zone: str
    place: str = Field(description="Roughly where, in words.")
    lat: float | None = Field(description="In degrees, blurred to about 500 m.")
    lon: float | None
    minutes: int | None = Field(description="For one helper.")
    people: int = Field(description="How many are wanted.")
    helpers: int = Field(description="How many were found, for listings of here.")
    mode: Mode
    state: ListingState
    urgent: bool
    rhythm: Rhythm
    visibility: Visibility
    expires_at: Moment | None
    published_at: Moment
    updated_at: Moment
    board: Person
    author: Person | None = Field(description="Null where whoever asks may not know.")
    is_local: bool
    is_mine: bool
    is_hidden: bool


class Meeting(Model):
    """Where it is exactly, and how to reach its author."""

    exact_place: str
    contact: str


class ListingInFull(ListingShown):
    """One listing, with what only some may know."""

    meeting: Meeting | None = Field(description="For its author, and for those they accepted.")
    photo: str | None = Field(description="What its photo shows, in words; null where it has none.")
    waits_for_look: bool = Field(description="Whether a coordinator looks at it before it stands on the board.")


class Listings(Listed):
    """Listings, the newest here first."""

    items: list[ListingShown]


class BoardQuery(Paging):
    """Which listings."""

    kind: Kind | None = None
    category: str = Field("", max_length=SLUG_CHARACTERS_MAX, pattern=or_empty(SLUG_PATTERN))
    q: str = Field("", max_length=SEARCH_CHARACTERS_MAX, description="Words that title, details or place have.")
    near: str = Field(
        "",
        max_length=SEARCH_CHARACTERS_MAX,
        description="Degrees as 51.5,-0.1, a place of the board, or me for where I live.",
    )
    km: Annotated[int, Field(ge=1, le=500), Digits] = 5
    urgent: YesNo = False
    mine: YesNo = Field(False, description="What I posted myself, whatever became of it, but for what I took down.")
    board: str = Field("", max_length=64, pattern="^[a-z0-9_.-]*$", description="The handle of a group here.")


def _shown(one: Noticed, asked: Asked[Any, Any]) -> dict[str, Any]:
    found = one.listing
    return {
        "id": str(found.id),
        "address": found.uri,
        "page": found.page,
        "kind": found.kind,
        "title": found.title,
        "description": found.description,
        "warning": found.warning,
        "category": found.category,
        "starts_at": found.starts_at,
        "ends_at": found.ends_at,
        "time_zone": found.time_zone,
        "place": found.place,
        "lat": found.lat,
        "lon": found.lon,
        "minutes": found.minutes,
        "people": found.people,
        "helpers": one.helpers,
        "mode": found.mode,
        "state": found.state,
        "urgent": found.urgent,
        "rhythm": found.rhythm,
        "visibility": found.visibility,
        "expires_at": found.expires_at,
        "published_at": found.published_at,
        "updated_at": found.updated_at,
        "board": person(one.board),
        "author": person(one.author) if one.author is not None else None,
        "is_local": found.local,
        "is_mine": found.is_by(asked.who),
        "is_hidden": found.hidden,
    }


def list_listings(connection: Connection, asked: Asked[BoardQuery, Nothing]) -> Listings:
    """The board, newest here first; without a token what somebody signed out sees."""
    query, home, who = asked.query, asked.home, asked.who
    group = groups.board_by_handle(connection, query.board) if query.board else None
    if query.board and group is None:
        raise NotFound
    filters = Filters(
        kind=query.kind,
        category=query.category,
        text=one_line(query.q),
        mine=query.mine and who.signed_in,
        board_actor=group.actor if group is not None else "",
        before=query.before,
        near_said=one_line(query.near),
        km=query.km,
        urgent=query.urgent,
    )
    filters = queries.with_position(connection, who, filters, home.position_of)
    rows = min(query.limit, asked.rows_max)
    page = queries.board(connection, who, filters, home.units.clock.now(), home.names.host, home.federation, rows)
    more = str(page.next_before) if page.next_before is not None else None
    return Listings(next=more, items=[ListingShown(**_shown(one, asked)) for one in page.listings])


def show_listing(connection: Connection, asked: Asked[Any, Any]) -> ListingInFull:
    """One listing; what is hidden from whoever asks is not found."""
    return _in_full(connection, asked, asked.row("listing"))


def _in_full(connection: Connection, asked: Asked[Any, Any], listing_id: int) -> ListingInFull:
    home, who = asked.home, asked.who
    found = queries.listing(connection, who, listing_id, home.federation)
    (noticed,) = queries.noticed(connection, who, [found], home.names.host)
    meeting = queries.meeting(connection, who, found)
    photo = queries.photo_of(connection, found.id)
    return ListingInFull(
        **_shown(noticed, asked),
        meeting=Meeting(exact_place=meeting.exact_place, contact=meeting.contact) if meeting is not None else None,
        photo=photo.alt if photo is not None else None,
        waits_for_look=found.state is ListingState.DRAFT and found.is_by(who),
    )


class ChangedListing(Model):
    """What a listing is to say from now on."""

    title: str = Field(min_length=1, max_length=TITLE_CHARACTERS_MAX, examples=["Moving a sofa"])
    description: str = Field("", max_length=DESCRIPTION_CHARACTERS_MAX)
    category: str = Field(
        "", max_length=SLUG_CHARACTERS_MAX, description="The slug of one of the categories, or empty."
    )
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    place: str = Field("", max_length=PLACE_CHARACTERS_MAX, description="Roughly where; never an address.")
    lat: float | None = Field(None, ge=-90, le=90)
    lon: float | None = Field(None, ge=-180, le=180)
    minutes: Minutes | None = Field(None, description="For one helper.")
    people: Annotated[int, Field(ge=1, le=PEOPLE_MAX), Whole] = 1
    mode: Mode = Mode.HOURS
    urgent: bool = False
    rhythm: Rhythm = Rhythm.ONCE
    expires_at: Moment | None = Field(None, description="Until when it stays; null for as long as a new one would.")
    exact_place: str = Field("", max_length=EXACT_PLACE_CHARACTERS_MAX, description="For those you accept.")
    contact: str = Field("", max_length=CONTACT_CHARACTERS_MAX, description="For those you accept.")
    visibility: Visibility | None = Field(None, description="Who may see it: fewer than before; null for the same.")


class NewListing(ChangedListing):
    """A request or an offer to be posted."""

    kind: Kind
    visibility: Visibility = Visibility.EVERYBODY
    own_name: bool = Field(False, description="Whether you are its author for everybody; otherwise the board is.")
    board: str = Field(
        "", max_length=64, description="The handle of a group here; empty for the neighbourhood's board."
    )


def _posting(
    asked: Asked[Any, Any], typed: ChangedListing, kind: Kind, visibility: Visibility, now: datetime, days: int
) -> Posting:
    return Posting(
        kind=kind,
        title=typed.title,
        expires_at=typed.expires_at or stays_until(now, zone(asked.who.time_zone), days),
        description=typed.description,
        category=typed.category,
        starts_at=typed.starts_at,
        ends_at=typed.ends_at,
        place=typed.place,
        lat=typed.lat,
        lon=typed.lon,
        minutes=typed.minutes,
        people=typed.people,
        mode=typed.mode,
        time_zone=asked.who.time_zone,
        urgent=typed.urgent,
        rhythm=typed.rhythm,
        exact_place=typed.exact_place,
        contact=typed.contact,
        own_name=isinstance(typed, NewListing) and typed.own_name,
        visibility=visibility,
    )


def post_listing(limits: BoardLimits, work: Work, asked: Asked[NoQuery, NewListing]) -> ListingInFull:
    """Put a request or an offer on a board; some groups look at it first."""
    typed = asked.body
    board = commands.chosen_board(work, typed.board)
    posting = _posting(asked, typed, typed.kind, typed.visibility, work.now, commands.stay_days(limits, typed.kind))
    listing_id = commands.post_listing(work, asked.who, board.actor, posting, asked.form_key)
    return _in_full(work.connection, asked, listing_id)


def edit_listing(limits: BoardLimits, work: Work, asked: Asked[NoQuery, ChangedListing]) -> ListingInFull:
    """Change a listing of yours; what is left out becomes as in a new one."""
    found = queries.listing(work.connection, asked.who, asked.row("listing"))
    posting = _posting(
        asked,
        asked.body,
        found.kind,
        asked.body.visibility or found.visibility,
        work.now,
        commands.stay_days(limits, found.kind),
    )
    commands.edit_listing(work, asked.who, found.id, posting)
    return _in_full(work.connection, asked, found.id)


def withdraw_listing(work: Work, asked: Asked[Any, Any]) -> Model:
    """Take a listing of yours off the board, here and elsewhere."""
    commands.withdraw_listing(work, asked.who, asked.row("listing"))
    return Nothing()


def extend_listing(limits: BoardLimits, work: Work, asked: Asked[Any, Any]) -> ListingInFull:
    """Let a listing of yours stay as long again as a new one would; one whose time was over comes back."""
    listing_id = asked.row("listing")
    commands.keep_longer(work, asked.who, listing_id, limits)
    return _in_full(work.connection, asked, listing_id)


# answers


class Message(Model):
    """What one side of a response wrote to the other after it."""

    id: Id
    author: str = Field(description="The id on the wire of whoever wrote it, who may be the board.")
    text: str
    warning: str
    at: Moment


class ResponseShown(Model):
    """An answer to a listing, for the one who sent it and the listing's author."""

    id: Id
    listing: Id
    listing_title: str
    helper: Person
    message: str
    warning: str
    minutes: int | None
    state: ResponseState
    reason: str = Field(description="Why it was declined.")
    created_at: Moment
    answered_at: Moment | None
    is_mine: bool = Field(description="Whether you sent it.")
    match: Id | None = Field(description="What came of it.")
    messages: list[Message]


class Responses(Model):
    """Answers."""

    items: list[ResponseShown]


class NewResponse(Model):
    """I can help, or: I would like this."""

    message: str = Field("", max_length=MESSAGE_CHARACTERS_MAX, examples=["I can come at ten."])
    minutes: Minutes | None = Field(None, description="Where you would need another time than it says.")


class Reason(Model):
    """Why not; it is read by the other."""

    reason: str = Field("", max_length=REASON_CHARACTERS_MAX)


class NewMessage(Model):
    """What to write to the other side."""

    text: str = Field(min_length=1, max_length=MESSAGE_CHARACTERS_MAX)


def _response(one: Answered, asked: Asked[Any, Any]) -> ResponseShown:
    found = one.response
    return ResponseShown(
        id=str(found.id),
        listing=str(found.listing_id),
        listing_title=one.listing.title,
        helper=person(one.helper),
        message=found.message,
        warning=found.warning,
        minutes=found.minutes,
        state=found.state,
        reason=found.reason,
        created_at=found.created_at,
        answered_at=found.answered_at,
        is_mine=found.is_by(asked.who),
        match=str(one.match.id) if one.match is not None else None,
        messages=[
            Message(id=str(said.id), author=said.author_actor, text=said.text, warning=said.warning, at=said.created_at)
            for said in one.remarks
        ],
    )


def list_responses(connection: Connection, asked: Asked[Any, Any]) -> Responses:
    """What you answered, the newest hundred."""
    return Responses(items=[_response(one, asked) for one in queries.my_responses(connection, asked.who)])


def list_answers(connection: Connection, asked: Asked[Any, Any]) -> Responses:
    """The answers to a listing: all of them for its author, your own for you."""
    found = queries.listing(connection, asked.who, asked.row("listing"), asked.home.federation)
    received = queries.responses(connection, asked.who, found, asked.home.federation)
    sent = queries.my_responses(connection, asked.who, found)
    return Responses(items=[_response(one, asked) for one in (*received, *sent)])


def _shown_response(connection: Connection, asked: Asked[Any, Any], response_id: int) -> ResponseShown:
    return _response(queries.answered(connection, asked.who, response_id), asked)


def show_response(connection: Connection, asked: Asked[Any, Any]) -> ResponseShown:
    """One answer with what was written after it, for its two sides."""
    return _shown_response(connection, asked, asked.row("response"))


def respond(work: Work, asked: Asked[NoQuery, NewResponse]) -> ResponseShown:
    """Answer a listing of here or of a neighbouring board."""
    made = commands.respond(work, asked.who, asked.row("listing"), asked.body.message, asked.body.minutes)
    return _shown_response(work.connection, asked, made)


def accept_response(work: Work, asked: Asked[Any, Any]) -> "MatchShown":
    """Say yes to an answer to your listing."""
    response_id = asked.row("response")
    queries.response(work.connection, asked.who, response_id)
    made = commands.accept_response(work, asked.who, response_id)
    return _match(queries.agreed(work.connection, asked.who, made))


def decline_response(work: Work, asked: Asked[NoQuery, Reason]) -> ResponseShown:
    """Say no, thank you, to an answer to your listing."""
    response_id = asked.row("response")
    queries.response(work.connection, asked.who, response_id)
    commands.decline_response(work, asked.who, response_id, asked.body.reason)
    return _shown_response(work.connection, asked, response_id)


def withdraw_response(work: Work, asked: Asked[Any, Any]) -> ResponseShown:
    """Take back an answer of yours; when it was accepted already, the match is called off."""
    response_id = asked.row("response")
    queries.response(work.connection, asked.who, response_id)
    commands.withdraw_response(work, asked.who, response_id)
    return _shown_response(work.connection, asked, response_id)


def write_message(work: Work, asked: Asked[NoQuery, NewMessage]) -> ResponseShown:
    """Write to the other side of an answer."""
    response_id = asked.row("response")
    commands.make_remark(work, asked.who, response_id, asked.body.text)
    return _shown_response(work.connection, asked, response_id)


# matches


class MatchShown(Model):
    """What two agreed on, as one of them sees it."""

    id: Id
    agreement: str = Field(description="Its id on the wire, which hours can name.")
    listing: Id
    listing_title: str
    response: Id
    other: Person
    you_help: bool = Field(description="Whether you are the one who helps.")
    minutes: int | None
    state: MatchState
    accepted_at: Moment
    hours_logged_at: Moment | None
    done_at: Moment | None


class Matches(Model):
    """Matches, the newest first."""

    items: list[MatchShown]


def _match(one: Agreed) -> MatchShown:
    found = one.match
    return MatchShown(
        id=str(found.id),
        agreement=found.agreement_uri,
        listing=str(found.listing_id),
        listing_title=one.listing.title,
        response=str(found.response_id),
        other=person(one.other),
        you_help=one.gives,
        minutes=found.minutes,
        state=found.state,
        accepted_at=found.accepted_at,
        hours_logged_at=found.hours_logged_at,
        done_at=found.done_at,
    )


def list_matches(connection: Connection, asked: Asked[Any, Any]) -> Matches:
    """What you agreed on with others, the newest hundred."""
    return Matches(items=[_match(one) for one in queries.my_matches(connection, asked.who)])


def show_match(connection: Connection, asked: Asked[Any, Any]) -> MatchShown:
    """One match, for its two parties."""
    return _match(queries.agreed(connection, asked.who, asked.row("match")))


def mark_done(work: Work, asked: Asked[Any, Any]) -> MatchShown:
    """Say that the help was given."""
    commands.mark_done(work, asked.who, asked.row("match"))
    return show_match(work.connection, asked)


def cancel_match(work: Work, asked: Asked[Any, Any]) -> MatchShown:
    """Call it off; the other is told."""
    commands.cancel_match(work, asked.who, asked.row("match"))
    return show_match(work.connection, asked)


# categories


class CategoryShown(Model):
    """A kind of help."""

    slug: str
    name: str


class Categories(Model):
    """The kinds of help to choose from."""

    items: list[CategoryShown]


def list_categories(connection: Connection, _asked: Asked[Any, Any]) -> Categories:
    """The kinds of help, in their order."""
    return Categories(items=[CategoryShown(slug=one.slug, name=one.name) for one in queries.categories(connection)])


def operations(limits: BoardLimits) -> Operations:
    """Everything that a program can do on the board."""
    return [
        *_of_listings(limits),
        *_of_responses(),
        *_of_matches(),
        Operation(
            "list_categories", "GET", "/categories", "", ABOUT, read=list_categories, answer=Categories, public=True
        ),
    ]


def _of_listings(limits: BoardLimits) -> Sequence[Operation[Any, Any]]:
    one = "/listings/{listing:row}"
    return [
        Operation(
            "list_listings",
            "GET",
            "/listings",
            READ,
            ABOUT,
            read=list_listings,
            query=BoardQuery,
            answer=Listings,
            public=True,
        ),
        Operation(
            "post_listing",
            "POST",
            "/listings",
            WRITE,
            ABOUT,
            write=given(post_listing, limits),
            body=NewListing,
            answer=ListingInFull,
            status=201,
            made_at="/listings/{id}",
            leads_to=("show_listing", "edit_listing", "extend_listing", "list_answers", "withdraw_listing"),
        ),
        Operation(
            "show_listing",
            "GET",
            one,
            READ,
            ABOUT,
            read=show_listing,
            answer=ListingInFull,
            public=True,
            refusals=(410,),
        ),
        Operation(
            "edit_listing",
            "PUT",
            one,
            WRITE,
            ABOUT,
            write=given(edit_listing, limits),
            body=ChangedListing,
            answer=ListingInFull,
            refusals=(410,),
        ),
        Operation("withdraw_listing", "DELETE", one, WRITE, ABOUT, write=withdraw_listing, refusals=(410,)),
        Operation(
            "extend_listing",
            "POST",
            f"{one}/extend",
            WRITE,
            ABOUT,
            write=given(extend_listing, limits),
            answer=ListingInFull,
            refusals=(410,),
        ),
    ]


def _of_responses() -> Sequence[Operation[Any, Any]]:
    one = "/responses/{response:row}"
    return [
        Operation(
            "list_answers",
            "GET",
            "/listings/{listing:row}/responses",
            READ,
            ABOUT,
            read=list_answers,
            answer=Responses,
            refusals=(410,),
        ),
        Operation(
            "respond",
            "POST",
            "/listings/{listing:row}/responses",
            WRITE,
            ABOUT,
            write=respond,
            body=NewResponse,
            answer=ResponseShown,
            status=201,
            made_at="/responses/{id}",
            leads_to=("show_response", "withdraw_response", "write_message"),
            refusals=(410,),
        ),
        Operation("list_responses", "GET", "/responses", READ, ABOUT, read=list_responses, answer=Responses),
        Operation("show_response", "GET", one, READ, ABOUT, read=show_response, answer=ResponseShown),
        Operation(
            "accept_response",
            "POST",
            f"{one}/accept",
            WRITE,
            ABOUT,
            write=accept_response,
            answer=MatchShown,
            leads_to=("show_match", "mark_done", "cancel_match"),
        ),
        Operation(
            "decline_response",
            "POST",
            f"{one}/decline",
            WRITE,
            ABOUT,
            write=decline_response,
            body=Reason,
            answer=ResponseShown,
        ),
        Operation(
            "withdraw_response", "POST", f"{one}/withdraw", WRITE, ABOUT, write=withdraw_response, answer=ResponseShown
        ),
        Operation(
            "write_message",
            "POST",
            f"{one}/messages",
            WRITE,
            ABOUT,
            write=write_message,
            body=NewMessage,
            answer=ResponseShown,
        ),
    ]


def _of_matches() -> Sequence[Operation[Any, Any]]:
    one = "/matches/{match:row}"
    return [
        Operation("list_matches", "GET", "/matches", READ, ABOUT, read=list_matches, answer=Matches),
        Operation("show_match", "GET", one, READ, ABOUT, read=show_match, answer=MatchShown),
        Operation("mark_done", "POST", f"{one}/done", WRITE, ABOUT, write=mark_done, answer=MatchShown),
        Operation("cancel_match", "POST", f"{one}/cancel", WRITE, ABOUT, write=cancel_match, answer=MatchShown),
    ]
