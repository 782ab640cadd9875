"""Mentions of our boards as they come in, and what their authors are told, by private mentions that go no further."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from activitypub.accessors import links
from activitypub.documents import Activity
from activitypub.identifiers import UrlRules
from activitypub.vocabulary import AS2
from fedaid.actors import queries as actors
from fedaid.actors.rules import Kind as ActorKind
from fedaid.board import queries as board
from fedaid.board.rules import ForeignNote, Kind
from fedaid.board.wire import object_of, read_note, send_private_note, wanted
from fedaid.foundation.clock import milliseconds
from fedaid.foundation.work import Announcer, Work
from fedaid.mentions import commands, queries
from fedaid.mentions.facts import (
    MessageAnswered,
    SuggestionApproved,
    SuggestionDeclined,
    SuggestionRepeated,
)
from fedaid.mentions.rules import title_of
from inbox.ports import Handler, Letter
from outbox.queue import Outgoing, post

Fetched = Mapping[str, Mapping[str, Any]]

KIND_WORDS = {Kind.REQUEST: "request", Kind.OFFER: "offer"}
APPROVED_SENTENCE = "Your {kind} “{title}” is on our board now. Answers to it reach you here."
DECLINED_SENTENCE = "Thank you for your {kind}. It was not put on our board: {reason}"


def handlers(rules: UrlRules) -> Mapping[str, Sequence[Handler[Work]]]:
    """Who handles what, by the type of the activity. Answers to listings are taken by the board before."""
    return {"Create": (MentionHandler(rules),), "Update": (EditHandler(rules),), "Delete": (DeleteHandler(),)}


@dataclass(frozen=True)
class MentionHandler:
    """Somebody elsewhere writes to a board of ours, in public or to it alone."""

    rules: UrlRules

    def wants(self, activity: Activity) -> Sequence[str]:
        return wanted(activity)

    def apply(self, work: Work, letter: Letter, fetched: Fetched) -> bool:
        doc = object_of(letter, fetched)
        note = read_note(doc, letter.activity, self.rules) if doc is not None else None
        if doc is None or note is None:
            return False
        addressed = _board_addressed(work, note, (*letter.activity.to, *letter.activity.cc, *links(doc, "to")))
        if addressed is None:
            return False
        commands.receive_note(work, addressed, note)
        return True


def _board_addressed(work: Work, note: ForeignNote, audience: Sequence[str]) -> str | None:
    """The board of ours that is written to: one that is mentioned, else one that it is addressed to."""
    for uri in (*note.mentions, *audience):
        found = actors.by_uri(work.connection, uri) if work.names.is_ours(uri) else None
        if found is not None and found.kind is ActorKind.GROUP and found.gone_at is None:
            return found.uri
    return None


@dataclass(frozen=True)
class EditHandler:
    """What somebody wrote to a board of ours reads differently now (attack S40)."""

    rules: UrlRules

    def wants(self, activity: Activity) -> Sequence[str]:
        return ()

    def apply(self, work: Work, letter: Letter, fetched: Fetched) -> bool:
        doc = object_of(letter, fetched)
        note = read_note(doc, letter.activity, self.rules) if doc is not None else None
        return note is not None and commands.receive_edit(work, note)


class DeleteHandler:
    """What somebody wrote to a board of ours is deleted (attack S41), or its author is gone altogether."""

    def wants(self, activity: Activity) -> Sequence[str]:
        return ()

    def apply(self, work: Work, letter: Letter, fetched: Fetched) -> bool:
        sender, uri = letter.sender.actor.text, letter.activity.object_id
        if uri is None or work.names.is_ours(uri):
            return False
        if uri == sender:
            commands.forget_person(work, sender)
            return False  # the actor itself is another room's
        return commands.receive_delete(work, sender, uri)


# what their authors are told


def _tell_answer(work: Work, fact: object) -> None:
    found = queries.any_message(work.connection, fact.message_id) if isinstance(fact, MessageAnswered) else None
    if found is not None:
        _tell(work, found.board_actor, found.author_actor, found.answer, in_reply_to=found.uri)


def _tell_approval(work: Work, fact: object) -> None:
    found = (
        queries.any_suggestion(work.connection, fact.suggestion_id) if isinstance(fact, SuggestionApproved) else None
    )
    listing = board.any_listing(work.connection, found.listing_id or 0) if found is not None else None
    if found is not None and listing is not None:
        told = APPROVED_SENTENCE.format(kind=KIND_WORDS[found.kind], title=listing.title)
        _tell(work, found.board_actor, found.author_actor, told, in_reply_to=found.uri, link=listing.page)


def _tell_refusal(work: Work, fact: object) -> None:
    found = (
        queries.any_suggestion(work.connection, fact.suggestion_id) if isinstance(fact, SuggestionDeclined) else None
    )
    if found is not None:
        told = DECLINED_SENTENCE.format(kind=f"{KIND_WORDS[found.kind]} “{title_of(found.text)}”", reason=found.reason)
        _tell(work, found.board_actor, found.author_actor, told, in_reply_to=found.uri)


def _tell(work: Work, board_actor: str, author: str, text: str, *, in_reply_to: str, link: str = "") -> None:
    uri = work.names.note(work.new_id())
    send_private_note(work, board_actor, author, text, uri, link=link, in_reply_to=in_reply_to)


def _tell_repetition(work: Work, fact: object) -> None:
    """FEP-d36d: the answer to what is there already names it as its target."""
    if not isinstance(fact, SuggestionRepeated):
        return
    activity = {
        "@context": AS2,
        "id": work.names.activity(work.new_id()),
        "type": "Reject",
        "actor": fact.board_actor,
        "to": [fact.author_actor],
        "object": fact.uri,
        "target": fact.known_uri,
    }
    post(work.connection, Outgoing(activity, fact.board_actor, to=(fact.author_actor,)), milliseconds(work.now))


ANNOUNCERS: Mapping[type, Sequence[Announcer]] = {
    MessageAnswered: (_tell_answer,),
    SuggestionApproved: (_tell_approval,),
    SuggestionDeclined: (_tell_refusal,),
    SuggestionRepeated: (_tell_repetition,),
}
