"""Others' activities about listings, responses and answers, as commands; each checks that the sender may say it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from activitypub.accessors import Document, embedded, has_type, instant, link, links, natural_text, types
from activitypub.documents import Activity, is_public
from activitypub.errors import MalformedDocument, MalformedUrl
from activitypub.identifiers import UrlRules
from activitypub.origin import owner_of, speaks_for
from activitypub.vocabulary import ACTIVITY_TYPES
from fedaid.board import commands, queries
from fedaid.board.commands import Terms
from fedaid.board.rules import ForeignListing, ForeignNote, ReactionKind, Visibility
from fedaid.board.tables import EMOJI_CHARACTERS_MAX
from fedaid.board.wire.notes import Fetched, is_answer, object_of, read_note, wanted
from fedaid.board.wire.reader import link_or_none, part, read_listing, stipulated_minutes
from fedaid.foundation.refused import Refused
from fedaid.foundation.text import one_line, plain
from fedaid.foundation.work import Work
from fedaid.network import queries as networks
from inbox.ports import Handler, Letter

# Mitra and Pleroma send EmojiReact; Lemmy's downvote is a Dislike, which changes nothing here but is no error.
_REACTIONS: Final = {
    "Like": ReactionKind.LIKE,
    "Dislike": ReactionKind.DISLIKE,
    "EmojiReact": ReactionKind.EMOJI,
    "Announce": ReactionKind.BOOST,
}
_AGREEMENTS: Final = frozenset({"Agreement", "vf:Agreement", "ValueFlows:Agreement"})


def handlers(
    rules: UrlRules, follows: Callable[[str], bool] = lambda actor: True
) -> Mapping[str, Sequence[Handler[Work]]]:
    """What the board takes, by type of activity.

    ``follows`` says whether one of our boards follows an actor: what anybody else announces is not even fetched.
    """
    return {
        "Create": (CreateHandler(rules),),
        "Update": (UpdateHandler(rules),),
        "Delete": (DeleteHandler(),),
        "Announce": (AnnounceHandler(rules, follows), ReactionHandler()),
        "Like": (ReactionHandler(),),
        "Dislike": (ReactionHandler(),),
        "EmojiReact": (ReactionHandler(),),
        "Offer": (OfferHandler(),),
        "Accept": (AcceptHandler(rules),),
        "Reject": (RejectHandler(),),
        "Undo": (UndoReactionHandler(), UndoHandler()),
    }


@dataclass(frozen=True)
class CreateHandler:
    """A listing of a board we follow, or what anybody writes in answer to a listing or a remark of ours."""

    rules: UrlRules

    def wants(self, activity: Activity) -> Sequence[str]:
        return wanted(activity)

    def apply(self, work: Work, letter: Letter, fetched: Fetched) -> bool:
        doc = object_of(letter, fetched)
        if doc is None:
            return False
        # What answers nothing is not read as a note, which is as dear as reading it as a listing.
        note = read_note(doc, letter.activity, self.rules) if is_answer(doc) else None
        if note is not None and _receive_answer(work, note):
            return True
        sender = letter.sender.actor.text
        seen_by = _seen_by(work, doc, letter.activity)
        if not queries.is_followed_board(work.connection, sender) or seen_by is None:
            return False
        sent = read_listing(doc, self.rules, work.now)
        if sent is None:
            return False
        commands.receive_listing(work, sender, replace(sent, visibility=seen_by))
        return True


def _seen_by(work: Work, doc: Document, activity: Activity | None = None) -> Visibility | None:
    """Who here may see a listing: everybody, or our members where a linked network told it to a board of ours alone.

    None where it is not for us. An object that names no audience has that of its activity.
    """
    to, cc = links(doc, "to"), links(doc, "cc")
    if activity is not None and not (to or cc):
        to, cc = activity.to, activity.cc
    if is_public(to, cc):
        return Visibility.EVERYBODY
    host = urlsplit(owner_of(doc) or "").netloc
    is_to_us = any(queries.is_our_board(work.connection, one) for one in (*to, *cc) if work.names.is_ours(one))
    return Visibility.NEIGHBOURS if is_to_us and networks.is_open_neighbour(work.connection, host) else None


def _receive_answer(work: Work, note: ForeignNote) -> bool:
    """A reply to a listing of ours, or to what was said about one after that."""
    for uri in note.in_reply_to:
        found = queries.listing_by_uri(work.connection, uri) if work.names.is_ours(uri) else None
        if found is not None and found.local and note.author != found.member_actor:
            commands.receive_reply(work, note, uri)
            return True
        about = queries.response_in_thread(work.connection, uri)
        if about is not None:
            return commands.receive_remark(work, about, note) or _receive_comment(work, note, about)
    return False


def _receive_comment(work: Work, note: ForeignNote, about: queries.Response) -> bool:
    """Somebody else joins in below a public reply: that is an answer to the listing, like the reply itself."""
    listing = queries.any_listing(work.connection, about.listing_id)
    if listing is None or not listing.local or not (about.public and note.is_public):
        return False
    commands.receive_reply(work, note, listing.uri)
    return True


@dataclass(frozen=True)
class UpdateHandler:
    """A listing or a reply reads differently now; only its author can say so (attack S40)."""

    rules: UrlRules

    def wants(self, activity: Activity) -> Sequence[str]:
        return wanted(activity) if activity.object_id != activity.actor.text else ()

    def apply(self, work: Work, letter: Letter, fetched: Fetched) -> bool:
        doc = object_of(letter, fetched)
        uri = link(doc) if doc is not None else None
        if doc is None or uri is None:
            return False
        note = read_note(doc, letter.activity, self.rules)
        if note is not None and _receive_edit(work, note):
            return True
        board = self._board(work, uri, letter.sender.actor.text)
        sent = read_listing(doc, self.rules, work.now) if board is not None else None
        seen_by = _seen_by(work, doc, letter.activity)
        if board is None or sent is None or seen_by is None:
            return False
        commands.receive_listing(work, board, replace(_dated(work, doc, sent), visibility=seen_by))
        return True

    def _board(self, work: Work, uri: str, sender: str) -> str | None:
        """The board it stands on: the one we have it from, or the sender if we follow it."""
        known = queries.listing_by_uri(work.connection, uri)
        if known is not None and not known.local:
            return known.board_actor
        return sender if known is not None or queries.is_followed_board(work.connection, sender) else None


def _receive_edit(work: Work, note: ForeignNote) -> bool:
    """A reply or a remark reads differently now; False when it is neither."""
    known = queries.response_by_uri(work.connection, note.uri)
    if known is None:
        return commands.edit_remark(work, note)
    about = queries.any_listing(work.connection, known.listing_id)
    if about is None or not about.local:
        return False
    commands.receive_reply(work, note, about.uri)
    return True


def _dated(work: Work, doc: Document, sent: ForeignListing) -> ForeignListing:
    """An update that does not say when it was made was made now."""
    with suppress(MalformedDocument):
        if instant(doc, "updated") is not None:
            return sent
    return replace(sent, updated_at=work.now)


class DeleteHandler:
    """A listing, a reply or a remark is taken down by its author (attack S41), or its author is gone altogether."""

    def wants(self, activity: Activity) -> Sequence[str]:
        return ()

    def apply(self, work: Work, letter: Letter, fetched: Fetched) -> bool:
        sender, uri = letter.sender.actor.text, letter.activity.object_id
        if uri is None or work.names.is_ours(uri):
            return False
        if uri == sender:
            commands.forget_person(work, sender)
            return False  # the actor itself is another room's
        return commands.forget_remark(work, sender, uri) or commands.receive_delete(work, sender, uri)


@dataclass(frozen=True)
class AnnounceHandler:
    """A board we follow shows a listing that a member of it wrote; it is read at its own server (attack S45)."""

    rules: UrlRules
    follows: Callable[[str], bool]

    def wants(self, activity: Activity) -> Sequence[str]:
        target = _announced(activity)
        return (target,) if target is not None and self.follows(activity.actor.text) else ()

    def apply(self, work: Work, letter: Letter, fetched: Fetched) -> bool:
        target, board = _announced(letter.activity), letter.sender.actor.text
        if target is None or work.names.is_ours(target) or not queries.is_followed_board(work.connection, board):
            return False
        doc = self._inner(fetched.get(target))
        seen_by = _seen_by(work, doc) if doc is not None else None
        if doc is None or seen_by is None:
            return False
        sent = read_listing(doc, self.rules, work.now)
        if sent is None:
            return False
        commands.receive_listing(work, board, replace(sent, visibility=seen_by))
        return True

    def _inner(self, found: Document | None) -> Document | None:
        """The object itself, also out of the activity that made it (FEP-1b12 announces activities)."""
        if found is None or ACTIVITY_TYPES.isdisjoint(types(found)):
            return found
        inner = embedded(found, "object")
        with suppress(MalformedUrl):
            actor = self.rules.parse(link_or_none(found, "actor"))
            return inner if inner is not None and speaks_for(actor, inner) else None
        return None


def _announced(activity: Activity) -> str | None:
    """The id of what is announced; of an announced activity, that of its object."""
    if activity.object is None or ACTIVITY_TYPES.isdisjoint(types(activity.object)):
        return activity.object_id
    return link_or_none(activity.object, "object")


class ReactionHandler:
    """Somebody likes a listing of ours, or shows it to their own followers; kept, and counted nowhere in public."""

    def wants(self, activity: Activity) -> Sequence[str]:
        return ()

    def apply(self, work: Work, letter: Letter, fetched: Fetched) -> bool:
        activity, about = letter.activity, letter.activity.object_id
        if about is None or not work.names.is_ours(about):
            return False
        kind = _REACTIONS[activity.type]
        emoji = _emoji(activity.raw) if kind in (ReactionKind.LIKE, ReactionKind.EMOJI) else ""
        return commands.receive_reaction(work, letter.sender.actor.text, activity.id.text, about, kind, emoji)


def _emoji(raw: Document) -> str:
    """The emoji of an EmojiReact, or of a Like as Misskey sends it."""
    with suppress(MalformedDocument):
        return one_line(plain(natural_text(raw, "content") or ""))[:EMOJI_CHARACTERS_MAX]
    return ""


class UndoReactionHandler:
    """Somebody takes back what they pressed (attack S44)."""

    def wants(self, activity: Activity) -> Sequence[str]:
        return ()

    def apply(self, work: Work, letter: Letter, fetched: Fetched) -> bool:
        undone, uri = letter.activity.object, letter.activity.object_id
        sender = letter.sender.actor.text
        if uri is not None and commands.undo_reaction(work, sender, uri):
            return True
        kind = next((kind for name, kind in _REACTIONS.items() if undone is not None and has_type(undone, name)), None)
        about = link_or_none(undone, "object") if undone is not None else None
        return kind is not None and about is not None and commands.undo_reactions(work, sender, about, kind)


class OfferHandler:
    """Somebody elsewhere offers to help with a listing of ours, or would like what it offers (FEP-0837)."""

    def wants(self, activity: Activity) -> Sequence[str]:
        return ()

    def apply(self, work: Work, letter: Letter, fetched: Fetched) -> bool:
        agreement = letter.activity.object
        if agreement is None or _AGREEMENTS.isdisjoint(types(agreement)):
            return False
        promised = part(agreement, "stipulates")
        about = link_or_none(promised, "satisfies") if promised is not None else None
        if promised is None or about is None or not work.names.is_ours(about):
            return False
        message = plain(natural_text(letter.activity.raw, "content") or "")
        sender, offer = letter.sender.actor.text, letter.activity.id.text
        listing_uri = about.partition("#")[0]
        commands.receive_offer(work, sender, offer, listing_uri, stipulated_minutes(promised), message)
        return True


@dataclass(frozen=True)
class AcceptHandler:
    """A neighbouring board says yes to a response of a member of ours (attack S43)."""

    rules: UrlRules

    def wants(self, activity: Activity) -> Sequence[str]:
        return ()

    def apply(self, work: Work, letter: Letter, fetched: Fetched) -> bool:
        offer = _our_offer(work, letter.activity)
        if offer is None:
            return False
        commands.receive_accept(work, letter.sender.actor.text, offer, self._terms(letter.activity.raw))
        return True

    def _terms(self, raw: Document) -> Terms:
        agreement = embedded(raw, "result")
        promised = part(agreement, "stipulates") if agreement is not None else None
        if agreement is None or promised is None:
            raise Refused("no_agreement", "An accepted offer must come with its agreement.")
        return Terms(
            self.rules.parse(link(agreement)).text,
            self.rules.parse(link_or_none(promised, "provider")).text,
            self.rules.parse(link_or_none(promised, "receiver")).text,
            stipulated_minutes(promised),
        )


class RejectHandler:
    """A neighbouring board says no to a response of a member of ours, or calls off what it accepted (attack S43)."""

    def wants(self, activity: Activity) -> Sequence[str]:
        return ()

    def apply(self, work: Work, letter: Letter, fetched: Fetched) -> bool:
        offer = _our_offer(work, letter.activity)
        if offer is None:
            return False
        reason = plain(natural_text(letter.activity.raw, "content") or "")
        commands.receive_reject(work, letter.sender.actor.text, offer, reason)
        return True


def _our_offer(work: Work, activity: Activity) -> str | None:
    """The response of ours that an answer is about; other answers are for other rooms."""
    uri = activity.object_id
    if uri is None or not work.names.is_ours(uri) or queries.response_by_uri(work.connection, uri) is None:
        return None
    return uri


class UndoHandler:
    """Somebody elsewhere takes their answer back (attack S44)."""

    def wants(self, activity: Activity) -> Sequence[str]:
        return ()

    def apply(self, work: Work, letter: Letter, fetched: Fetched) -> bool:
        undone, uri = letter.activity.object, letter.activity.object_id
        if uri is None or (undone is not None and not has_type(undone, "Offer")):
            return False
        return commands.receive_undo(work, letter.sender.actor.text, uri)
