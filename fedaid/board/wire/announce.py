"""Facts of the board as activities for those elsewhere who are concerned."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
from sqlalchemy import Connection

from activitypub.vocabulary import LISTING_CONTEXT
from fedaid.actors import queries as actors
from fedaid.actors.wire import say
from fedaid.board import commands, queries
from fedaid.board.facts import (
    ListingChanged,
    ListingHidden,
    ListingNarrowed,
    ListingPosted,
    ListingShown,
    ListingWithdrawn,
    MatchCancelled,
    MeetingChanged,
    RemarkMade,
    ResponseAccepted,
    ResponseArrived,
    ResponseDeclined,
    ResponseSent,
    ResponseWithdrawn,
)
from fedaid.board.queries import Listing, Response
from fedaid.board.rules import ListingState, ResponseForm
from fedaid.board.wire import shapes
from fedaid.board.wire.threads import Part, replies_now
from fedaid.foundation.names import Names, origin_of
from fedaid.foundation.work import Announcer, Work
from outbox.collection import recipients_about, stored
from outbox.queue import RECIPIENTS_MAX, Outgoing

ANSWERED_SENTENCE = (
    "{helper} answers “{title}”. Reply to this to write to them; when you agree, tell us and we note it down."
)
AGREED_SENTENCE = "It is agreed: {helper} and you, about “{title}”. You can write to each other directly."
OFF_SENTENCE = "What was agreed with {helper} about “{title}” is called off."
ACCEPTED_SENTENCE = "Thank you! Your answer to “{title}” was accepted."
MEETING_PLACE = "The exact place: {place}"
MEETING_CONTACT = "How to reach each other: {contact}"
DECLINED_SENTENCE = "Thank you for your answer to “{title}”. It is not needed this time."
CALLED_OFF_SENTENCE = "“{title}” was called off. Thank you all the same."


def note_of(connection: Connection, listing: Listing, replies: Part, names: Names) -> dict[str, Any]:
    """A listing of ours as it stands now, as others may fetch it; what is public with the first page of its replies."""
    note = {"@context": LISTING_CONTEXT, **_note(connection, listing, names)}
    return note | {"replies": replies_now(listing, replies)} if listing.is_public else note


def _note(connection: Connection, listing: Listing, names: Names) -> dict[str, Any]:
    board = actors.by_uri(connection, listing.board_actor)
    helpers, photo = queries.helpers_of(connection, listing), queries.photo_of(connection, listing.id)
    neighbours = _neighbours(connection, listing)
    return shapes.listing_object(listing, board.handle if board else "", helpers, names, photo, neighbours)


def _neighbours(connection: Connection, listing: Listing) -> Sequence[str]:
    """The boards of linked networks that are told of it, where nobody else elsewhere is."""
    told = queries.neighbours_to_tell(connection, listing.board_actor) if listing.is_for_neighbours else ()
    return tuple(told)[:RECIPIENTS_MAX]


def _send(work: Work, outgoing: Outgoing) -> None:
    say(work, outgoing)


def _activity_id(work: Work) -> str:
    return work.names.activity(work.new_id())


# listings


def _post(work: Work, fact: object) -> None:
    if isinstance(fact, ListingPosted):
        _tell_of_listing(work, fact.listing_id, "Create")


def _change(work: Work, fact: object) -> None:
    if isinstance(fact, ListingChanged):
        _tell_of_listing(work, fact.listing_id, "Update")


def _tell_of_listing(work: Work, listing_id: int, kind: str) -> None:
    listing = queries.any_listing(work.connection, listing_id)
    if listing is None or not listing.local or listing.hidden or listing.state is ListingState.WITHDRAWN:
        return
    if not listing.leaves:
        return
    body = _note(work.connection, listing, work.names)
    activity = shapes.listing_activity(kind, _activity_id(work), body, work.now)
    if listing.is_public:
        _send_to_all(work, listing, activity)
    else:
        _send_to_neighbours(work, listing, activity)


def _withdraw_listing(work: Work, fact: object) -> None:
    if not isinstance(fact, ListingWithdrawn):
        return
    listing = queries.any_listing(work.connection, fact.listing_id)
    if listing is not None and listing.local:
        _delete(work, listing)


def _hide(work: Work, fact: object) -> None:
    listing = queries.any_listing(work.connection, fact.listing_id) if isinstance(fact, ListingHidden) else None
    if listing is not None and listing.local and listing.state is not ListingState.WITHDRAWN:
        _delete(work, listing)


def _show(work: Work, fact: object) -> None:
    """Some servers keep it deleted all the same; then only a new listing helps."""
    if isinstance(fact, ListingShown):
        _tell_of_listing(work, fact.listing_id, "Create")


def _narrow(work: Work, fact: object) -> None:
    """Fewer may see it now: who had it and may no longer is told to forget it. How it reads, ``_change`` tells.

    Linked networks that may still have it are left out whole: one of their own people may follow us as well, and a
    Delete to them would take it from all. The Delete goes out also where it goes to nobody: by it, what was said in
    public before is read no more.
    """
    listing = queries.any_listing(work.connection, fact.listing_id) if isinstance(fact, ListingNarrowed) else None
    if not isinstance(fact, ListingNarrowed) or listing is None or not listing.local or listing.hidden:
        return
    before = replace(listing, visibility=fact.before)
    if not before.leaves:
        return
    had_it = recipients_about(work.connection, listing.uri)
    if before.is_public:
        authors = dict.fromkeys((listing.author_actor, listing.board_actor))
        had_it += [reader for one in authors for reader in actors.followers_by_inbox(work.connection, one)]
    spared = {origin_of(board) for board in _neighbours(work.connection, listing)}
    _send_delete_to(work, before, [one for one in dict.fromkeys(had_it) if origin_of(one) not in spared])


def _delete(work: Work, listing: Listing) -> None:
    """To all who were ever told of it: of what is public the followers, and who was written to by name."""
    if listing.is_public:
        audience = shapes.audience_of(listing, ())
        _send_to_all(work, listing, shapes.delete_activity(_activity_id(work), listing, work.now, audience))
    elif listing.is_for_neighbours:
        _send_delete_to(work, listing, recipients_about(work.connection, listing.uri))


def _send_delete_to(work: Work, listing: Listing, readers: Sequence[str]) -> None:
    """Who follows somebody is nobody else's to know, so of what was public the Delete does not name them."""
    for start in range(0, max(len(readers), int(listing.is_public)), RECIPIENTS_MAX):
        some = tuple(readers[start : start + RECIPIENTS_MAX])
        audience = shapes.audience_of(listing, some)
        activity = shapes.delete_activity(_activity_id(work), listing, work.now, audience)
        _send(work, Outgoing(activity, listing.author_actor, to=some, public=listing.is_public))


def _send_to_neighbours(work: Work, listing: Listing, activity: Mapping[str, Any]) -> None:
    """To the boards of linked networks that follow its board, and to nobody else."""
    boards = tuple(activity["to"])
    if not boards:
        return
    _send(work, Outgoing(activity, listing.author_actor, to=boards))
    if listing.in_own_name and activity["type"] == "Create":
        told = shapes.announce_activity(_activity_id(work), listing, listing.uri, work.now, boards)
        _send(work, Outgoing(told, listing.board_actor, to=boards))


def _send_to_all(work: Work, listing: Listing, activity: Mapping[str, Any]) -> None:
    """To the followers of its author and of its board, and to those who answered: they may follow neither."""
    helpers = tuple(queries.waiting_helpers(work.connection, listing.id))[:RECIPIENTS_MAX]
    author = listing.author_actor
    if not listing.in_own_name:
        _send(work, Outgoing(activity, author, to=helpers, followers_of=author, public=True))
        return
    # Whoever follows the board alone knows a Create by its announcement; what changes later, servers take from the
    # author's own hand only.
    board = listing.board_actor if activity["type"] != "Create" else None
    _send(work, Outgoing(activity, author, to=helpers, followers_of=author, and_followers_of=board, public=True))
    _announce(work, listing, activity)


def _announce(work: Work, listing: Listing, activity: Mapping[str, Any]) -> None:
    """Both forms of an announcement: FEP-1b12's with the activity as it was sent, and for a new listing Mastodon's.

    The first holds the listing's words, so it is delivered and not kept readable: they may be taken down.
    """
    sent = stored(work.connection, activity["id"])
    if sent is not None:
        whole = shapes.announce_activity(_activity_id(work), listing, orjson.loads(sent.body), work.now)
        _send(work, Outgoing(whole, listing.board_actor, followers_of=listing.board_actor))
    if activity["type"] == "Create":
        short = shapes.announce_activity(_activity_id(work), listing, listing.uri, work.now)
        _send(work, Outgoing(short, listing.board_actor, followers_of=listing.board_actor, public=True))


# responses


def _pair(work: Work, response_id: int) -> tuple[Response, Listing] | None:
    response = queries.any_response(work.connection, response_id)
    listing = queries.any_listing(work.connection, response.listing_id) if response is not None else None
    return (response, listing) if response is not None and listing is not None else None


def _respond(work: Work, fact: object) -> None:
    pair = _pair(work, fact.response_id) if isinstance(fact, ResponseSent) else None
    if pair is not None and not pair[1].local:
        _send_from_member(work, pair[0], shapes.offer_document(*pair))


def _withdraw_response(work: Work, fact: object) -> None:
    pair = _pair(work, fact.response_id) if isinstance(fact, ResponseWithdrawn) else None
    if pair is not None and not pair[1].local:
        _send_from_member(work, pair[0], shapes.undo_activity(_activity_id(work), pair[0]))


def _send_from_member(work: Work, response: Response, activity: Mapping[str, Any]) -> None:
    _send(work, Outgoing(activity, response.helper_actor, to=(response.asked_actor,)))


# answers


def _accept(work: Work, fact: object) -> None:
    pair = _pair(work, fact.response_id) if isinstance(fact, ResponseAccepted) else None
    if not isinstance(fact, ResponseAccepted) or pair is None or not _is_from_elsewhere(*pair):
        return
    response, listing = pair
    match = queries.any_match(work.connection, fact.match_id)
    if response.form is ResponseForm.MESSAGE:
        _reply(work, response, listing, ACCEPTED_SENTENCE)
    elif match is not None:
        _send_answer(work, response, shapes.accept_activity(_activity_id(work), response, match, listing))
    _tell_where(work, response, listing)


def _tell_where_now(work: Work, fact: object) -> None:
    """Those elsewhere who are to come are told the new place, as they were told the first."""
    if not isinstance(fact, MeetingChanged):
        return
    for response_id in queries.awaited_response_ids(work.connection, fact.listing_id):
        pair = _pair(work, response_id)
        if pair is not None and _is_from_elsewhere(*pair):
            _tell_where(work, *pair)


def _tell_where(work: Work, response: Response, listing: Listing) -> None:
    """The exact place and how to reach the author go to the one who was accepted, in a private Note only."""
    meeting = queries.any_meeting(work.connection, listing.id)
    if meeting is not None:
        lines = (MEETING_PLACE.format(place=meeting.exact_place), MEETING_CONTACT.format(contact=meeting.contact))
        said = [line for line, value in zip(lines, (meeting.exact_place, meeting.contact), strict=True) if value]
        _reply(work, response, listing, "\n\n".join(said))


def _decline(work: Work, fact: object) -> None:
    pair = _pair(work, fact.response_id) if isinstance(fact, ResponseDeclined) else None
    if isinstance(fact, ResponseDeclined) and pair is not None and _is_from_elsewhere(*pair):
        _say_no(work, *pair, DECLINED_SENTENCE, fact.reason)


def _call_off(work: Work, fact: object) -> None:
    if not isinstance(fact, MatchCancelled) or not fact.by_author:
        return
    match = queries.any_match(work.connection, fact.match_id)
    pair = _pair(work, match.response_id) if match is not None else None
    if pair is not None and _is_from_elsewhere(*pair):
        _say_no(work, *pair, CALLED_OFF_SENTENCE, pair[0].reason)


def _is_from_elsewhere(response: Response, listing: Listing) -> bool:
    """Whether the answer to a response has to travel: our listing, their helper."""
    return listing.local and response.helper_member_id is None


def _say_no(work: Work, response: Response, listing: Listing, sentence: str, reason: str) -> None:
    if response.form is ResponseForm.MESSAGE:
        _reply(work, response, listing, f"{sentence} {reason}".strip())
    else:
        _send_answer(work, response, shapes.reject_activity(_activity_id(work), response, listing, reason))


def _reply(work: Work, response: Response, listing: Listing, sentence: str) -> None:
    told = sentence.replace("{title}", listing.title)
    uri = commands.note_said(work, response, told)
    send_private_note(
        work, response.asked_actor, response.helper_actor, told, uri, link=listing.page, in_reply_to=response.uri
    )


def send_private_note(
    work: Work, sender: str, recipient: str, text: str, uri: str, *, link: str = "", in_reply_to: str = ""
) -> None:
    """Send somebody elsewhere a private mention from an actor of ours; ``uri`` is the new Note's id."""
    card = actors.card(work.connection, recipient, work.names.host)
    note = shapes.PrivateNote(uri, sender, recipient, card.handle, card.page, text, link, in_reply_to)
    activity = shapes.private_note_activity(_activity_id(work), note, work.now)
    _send(work, Outgoing(activity, sender, to=(recipient,)))


def _send_answer(work: Work, response: Response, activity: Mapping[str, Any]) -> None:
    _send(work, Outgoing(activity, response.asked_actor, to=(response.helper_actor,)))


# what both sides write after it


def _remark(work: Work, fact: object) -> None:
    said = queries.any_remark(work.connection, fact.remark_id) if isinstance(fact, RemarkMade) else None
    pair = _pair(work, said.response_id) if said is not None else None
    if said is None or pair is None:
        return
    response, listing = pair
    recipient = _other_side(response, listing, said.author_actor)
    if work.names.is_ours(recipient):
        return
    # A helper of ours writes to whoever asked us for the listing by way of the board, like everything about it.
    sender = listing.author_actor if listing.is_for_elsewhere else said.author_actor
    latest = queries.latest_remark_by(work.connection, response.id, recipient)
    answered = latest.uri if latest is not None else response.told_uri if listing.is_for_elsewhere else response.uri
    send_private_note(work, sender, recipient, said.text, said.uri, link=listing.page, in_reply_to=answered or "")


def _other_side(response: Response, listing: Listing, speaker: str) -> str:
    """Who is written to: the helper, or whoever was asked; in their place somebody elsewhere whose listing it is."""
    if speaker != response.helper_actor:
        return response.helper_actor
    return listing.member_actor or response.asked_actor if listing.is_for_elsewhere else response.asked_actor


# somebody elsewhere asked us to post a listing, and is told what becomes of it


def _tell_author_of_answer(work: Work, fact: object) -> None:
    pair = _pair(work, fact.response_id) if isinstance(fact, ResponseSent | ResponseArrived) else None
    if pair is None or not pair[1].is_for_elsewhere:
        return
    response, listing = pair
    told = _about_helper(ANSWERED_SENTENCE, work, response, listing)
    # What somebody elsewhere wrote to the board alone is not carried on to a third server.
    words = response.message if response.public or work.names.is_ours(response.helper_actor) else ""
    _tell_author(work, listing, f"{told}\n\n{words}".strip(), commands.tell_of(work, response))


def _tell_author_of_match(work: Work, fact: object) -> None:
    pair = _pair(work, fact.response_id) if isinstance(fact, ResponseAccepted) else None
    if pair is None or not pair[1].is_for_elsewhere:
        return
    response, listing = pair
    told = _about_helper(AGREED_SENTENCE, work, response, listing)
    _tell_author(work, listing, told, work.names.note(work.new_id()), response.told_uri or "")


def _tell_author_of_end(work: Work, fact: object) -> None:
    match = queries.any_match(work.connection, fact.match_id) if isinstance(fact, MatchCancelled) else None
    pair = _pair(work, match.response_id) if match is not None else None
    if pair is None or not pair[1].is_for_elsewhere:
        return
    response, listing = pair
    told = _about_helper(OFF_SENTENCE, work, response, listing)
    _tell_author(work, listing, told, work.names.note(work.new_id()), response.told_uri or "")


def _about_helper(sentence: str, work: Work, response: Response, listing: Listing) -> str:
    card = actors.card(work.connection, response.helper_actor, work.names.host)
    return sentence.replace("{helper}", f"{card.name} ({card.handle})").replace("{title}", listing.title)


def _tell_author(work: Work, listing: Listing, text: str, uri: str, in_reply_to: str = "") -> None:
    if listing.member_actor is not None:
        send_private_note(
            work, listing.author_actor, listing.member_actor, text, uri, link=listing.page, in_reply_to=in_reply_to
        )


ANNOUNCERS: Mapping[type, Sequence[Announcer]] = {
    ListingPosted: (_post,),
    ListingChanged: (_change,),
    ListingWithdrawn: (_withdraw_listing,),
    ListingHidden: (_hide,),
    ListingShown: (_show,),
    ListingNarrowed: (_narrow,),
    MeetingChanged: (_tell_where_now,),
    ResponseSent: (_respond, _tell_author_of_answer),
    ResponseArrived: (_tell_author_of_answer,),
    ResponseWithdrawn: (_withdraw_response,),
    ResponseAccepted: (_accept, _tell_author_of_match),
    RemarkMade: (_remark,),
    ResponseDeclined: (_decline,),
    MatchCancelled: (_call_off, _tell_author_of_end),
}
