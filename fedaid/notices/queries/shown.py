"""What a notice says to its reader: looked up anew each time, so that nobody reads what they may not see any more."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import Connection

from fedaid.actors import queries as actors
from fedaid.board import queries as board
from fedaid.board.queries import Listing, Response
from fedaid.board.rules import ResponseState, ReviewState
from fedaid.foundation.federation import Federation
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.text import excerpt, one_line
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.wording import day
from fedaid.groups import queries as groups
from fedaid.matching import queries as matching
from fedaid.members import queries as members
from fedaid.members.queries import joining
from fedaid.members.rules.joining import ApplicationState
from fedaid.mentions import queries as mentions
from fedaid.network import queries as network
from fedaid.notices.queries import Notice
from fedaid.notices.rules import Kind
from fedaid.timebank import queries as timebank
from fedaid.timebank.queries import Hour

WORDS_CHARACTERS_MAX = 200  # of a name or a title


@dataclass(frozen=True)
class Reader:
    """Who reads, and in whose house."""

    viewer: Viewer
    our_host: str
    federation: Federation = Federation.OPEN


@dataclass(frozen=True)
class Told:
    """What a notice tells. Never what somebody wrote, a place or a contact: that stands where it belongs.

    path     where the thing is
    who      the other side, or what a search is called
    title    of the listing or the group
    minutes  of hours
    yes      whether what was decided was a yes; whether a listing that ends can still be kept longer
    until    the day on which it does, in the reader's words
    """

    path: str
    who: str = ""
    title: str = ""
    minutes: int = 0
    yes: bool = False
    until: str = ""


@dataclass(frozen=True)
class Shown:
    """A notice as its reader sees it; ``told`` is None where the thing is gone or no longer theirs to see."""

    id: int
    kind: Kind
    made_at: datetime
    is_read: bool
    told: Told | None


Look = Callable[[Connection, Reader, str], Told]


def shown(connection: Connection, reader: Reader, found: Notice) -> Shown:
    """What this notice says to this reader now."""
    try:
        told = _LOOKS[found.kind](connection, reader, found.about)
    except Refused:
        told = None
    return Shown(found.id, found.kind, found.made_at, found.read_at is not None, told)


def _words(text: str) -> str:
    return excerpt(one_line(text), WORDS_CHARACTERS_MAX)


def _name(connection: Connection, reader: Reader, actor: str) -> str:
    if actor != reader.viewer.actor and actors.is_block_between(connection, reader.viewer.actor, actor):
        raise NotFound
    return _words(actors.card(connection, actor, reader.our_host).name)


def _listing_page(found: Listing) -> str:
    return f"/listings/{found.id}"


# about responses


def _response(connection: Connection, reader: Reader, about: str) -> tuple[Response, Listing]:
    found = board.response(connection, reader.viewer, int(about))
    listing = board.any_listing(connection, found.listing_id)
    if listing is None:
        raise NotFound
    return found, listing


def _to_author(connection: Connection, reader: Reader, about: str) -> Told:
    """What a helper did, for whoever posted the listing."""
    found, listing = _response(connection, reader, about)
    if not listing.is_by(reader.viewer):
        raise NotFound
    board.listing(connection, reader.viewer, listing.id, reader.federation)  # it stands there still
    if found.state is not ResponseState.WITHDRAWN:
        seen = board.responses(connection, reader.viewer, listing, reader.federation)
        if all(one.response.id != found.id for one in seen):
            raise NotFound
    who = found.helper_name if found.helper_member_id is None else ""
    name = _name(connection, reader, found.helper_actor)
    return Told(_listing_page(listing), _words(who) or name, _words(listing.title))


def _to_helper(connection: Connection, reader: Reader, about: str) -> Told:
    """What the author's side did, for whoever answered."""
    found, _ = _response(connection, reader, about)
    if not found.is_by(reader.viewer):
        raise NotFound
    listing = board.listing(connection, reader.viewer, found.listing_id, reader.federation)
    return Told(_listing_page(listing), _author(connection, reader, listing), _words(listing.title))


def _to_either(connection: Connection, reader: Reader, about: str) -> Told:
    _, listing = _response(connection, reader, about)
    return (_to_author if listing.is_by(reader.viewer) else _to_helper)(connection, reader, about)


def _author(connection: Connection, reader: Reader, listing: Listing) -> str:
    """The author as the board shows them: the board itself where they are not named."""
    (seen,) = board.noticed(connection, reader.viewer, [listing], reader.our_host)
    return _words((seen.author or seen.board).name)


# about listings


def _own_listing(connection: Connection, reader: Reader, about: str) -> Told:
    found = board.listing(connection, reader.viewer, int(about), reader.federation)
    if not found.is_by(reader.viewer):
        raise NotFound
    look = board.review_of(connection, found.id)
    yes = look is not None and look.state is ReviewState.APPROVED
    return Told(_listing_page(found), title=_words(found.title), yes=yes)


def _ending(connection: Connection, reader: Reader, about: str) -> Told:
    """One that was kept longer, or is over, only was about to end."""
    told = _own_listing(connection, reader, about)
    found = board.listing(connection, reader.viewer, int(about), reader.federation)
    until = day(found.expires_at, reader.viewer.time_zone) if found.expires_at is not None else ""
    return replace(told, yes=board.is_ending(connection, found), until=until)


def _to_look_at(connection: Connection, reader: Reader, about: str) -> Told:
    found = board.listing(connection, reader.viewer, int(about), reader.federation)
    group = groups.board_by_actor(connection, found.board_actor)
    if group is None or not groups.coordinates(connection, reader.viewer, group.id):
        raise NotFound
    return Told(f"/groups/{group.handle}/queue", title=_words(group.name))


def _asked(connection: Connection, reader: Reader, about: str) -> Told:
    found = matching.ask_of(connection, reader.viewer, int(about))
    if found is None:
        raise NotFound
    listing = board.listing(connection, reader.viewer, found.listing_id, reader.federation)
    return Told(_listing_page(listing), _author(connection, reader, listing), _words(listing.title))


def _found(connection: Connection, reader: Reader, about: str) -> Told:
    search_id, _, listing_id = about.partition("/")
    search = matching.search_of(connection, reader.viewer, int(search_id))
    if search is None:
        raise NotFound
    listing = board.listing(connection, reader.viewer, int(listing_id), reader.federation)
    return Told(_listing_page(listing), _words(search.name), _words(listing.title))


# about hours


def _hours(connection: Connection, reader: Reader, about: str) -> Told:
    """Of one's own account, or one that the reader may spend from."""
    found = timebank.transfer_for(connection, about, reader.viewer.actor, reader.our_host)
    if found is not None:
        return _of_hour(found, "/hours")
    for purse in timebank.purses(connection, reader.viewer):
        found = timebank.transfer_for(connection, about, purse.actor, reader.our_host)
        if found is not None:
            return _of_hour(found, f"/hours?for={purse.handle}")
    raise NotFound


def _of_hour(found: Hour, path: str) -> Told:
    return Told(path, _words(found.other.name), minutes=found.minutes)


def _stuck(_connection: Connection, _reader: Reader, _about: str) -> Told:
    return Told("/hours")


# about groups


def _group_asked(connection: Connection, reader: Reader, about: str) -> Told:
    group, found = _group_application(connection, about)
    if not groups.coordinates(connection, reader.viewer, group.id):
        raise NotFound
    if found.state is not ApplicationState.WAITING:
        raise NotFound
    name = members.names(connection, [found.member_id]).get(found.member_id, "")
    return Told(f"/groups/{group.handle}/queue", _words(name), _words(group.name))


def _group_application(connection: Connection, about: str) -> tuple[groups.Board, groups.GroupApplication]:
    group_id, _, application_id = about.partition("/")
    group = groups.board_by_id(connection, int(group_id))
    found = groups.application_by_id(connection, int(group_id), int(application_id))
    if group is None or found is None:
        raise NotFound
    return group, found


def _group_answered(connection: Connection, reader: Reader, about: str) -> Told:
    group, found = _group_application(connection, about)
    if found.member_id != reader.viewer.member_id:
        raise NotFound
    yes = found.state is ApplicationState.ACCEPTED
    return Told(f"/groups/{group.handle}/about", title=_words(group.name), yes=yes)


def _taken_in(connection: Connection, reader: Reader, about: str) -> Told:
    group = groups.board_by_id(connection, int(about))
    if group is None or not groups.is_member(connection, group.id, reader.viewer.member_id or 0):
        raise NotFound
    return Told(f"/groups/{group.handle}/about", title=_words(group.name))


# for those who look after the neighbourhood


def _coordinator(reader: Reader) -> None:
    if not reader.viewer.is_coordinator:
        raise NotFound


def _to_explain(_connection: Connection, reader: Reader, _about: str) -> Told:
    _coordinator(reader)
    return Told("/hours/questions")


def _applied(connection: Connection, reader: Reader, about: str) -> Told:
    _coordinator(reader)
    found = joining.application_by_id(connection, int(about))
    if found is None or found.state is not ApplicationState.WAITING:
        raise NotFound
    return Told("/applications", _words(found.name))


def _reported(connection: Connection, reader: Reader, about: str) -> Told:
    _coordinator(reader)
    found = network.report_by_id(connection, int(about))
    if found is None:
        raise NotFound
    return Told(f"/reports/{found.id}")


def _message(connection: Connection, reader: Reader, about: str) -> Told:
    found = mentions.message(connection, reader.viewer, int(about))
    return Told("/mentions", _name(connection, reader, found.author_actor))


def _suggestion(connection: Connection, reader: Reader, about: str) -> Told:
    found = mentions.suggestion(connection, reader.viewer, int(about))
    return Told("/mentions", _name(connection, reader, found.author_actor))


def _network(_connection: Connection, reader: Reader, about: str) -> Told:
    if not reader.viewer.is_admin:
        raise NotFound
    return Told("/networks", about)


def _account(_connection: Connection, _reader: Reader, _about: str) -> Told:
    return Told("/me/account")


_LOOKS: Mapping[Kind, Look] = MappingProxyType(
    {
        Kind.ANSWERED: _to_author,
        Kind.TAKEN_BACK: _to_author,
        Kind.ACCEPTED: _to_helper,
        Kind.DECLINED: _to_helper,
        Kind.CALLED_OFF: _to_either,
        Kind.DONE: _to_either,
        Kind.REMARK: _to_either,
        Kind.THANKED: _to_either,
        Kind.ENDING: _ending,
        Kind.EXPIRED: _own_listing,
        Kind.HIDDEN: _own_listing,
        Kind.LOOKED_AT: _own_listing,
        Kind.TO_LOOK_AT: _to_look_at,
        Kind.ASKED: _asked,
        Kind.FOUND: _found,
        Kind.HOURS_CLAIMED: _hours,
        Kind.HOURS_CREDITED: _hours,
        Kind.HOURS_REFUSED: _hours,
        Kind.HOURS_STUCK: _stuck,
        Kind.HOURS_QUESTIONED: _hours,
        Kind.HOURS_EXPLAINED: _hours,
        Kind.HOURS_TO_EXPLAIN: _to_explain,
        Kind.GROUP_ASKED: _group_asked,
        Kind.GROUP_ANSWERED: _group_answered,
        Kind.TAKEN_IN: _taken_in,
        Kind.APPLIED: _applied,
        Kind.REPORTED: _reported,
        Kind.MESSAGE: _message,
        Kind.SUGGESTION: _suggestion,
        Kind.PEERING_ASKED: _network,
        Kind.LEDGER_ALARM: _network,
        Kind.RECOVERY: _account,
    }
)
