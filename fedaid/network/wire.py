"""Reports on the wire: a Flag that comes in becomes a report, and a report that is passed on goes out as a Flag."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from activitypub.accessors import links, natural_text
from activitypub.documents import Activity
from activitypub.vocabulary import PLAIN_CONTEXT
from fedaid.actors.wire import say
from fedaid.foundation.text import plain
from fedaid.foundation.work import Announcer, Work
from fedaid.network import commands
from fedaid.network.commands import ReportForwarded
from inbox.ports import Handler, Letter
from outbox.queue import Outgoing

OwnersOf = Callable[[Connection, Sequence[str]], Mapping[str, str]]


def handlers(owners_of: OwnersOf) -> Mapping[str, Sequence[Handler[Work]]]:
    """Who takes a Flag. ``owners_of`` says, of those ids that are things or people of ours, who answers for each."""
    return {"Flag": (FlagHandler(owners_of),)}


@dataclass(frozen=True)
class FlagHandler:
    """Another server reports something of ours. It is stored for moderators, and never passed on (attack S50)."""

    owners_of: OwnersOf

    def wants(self, activity: Activity) -> Sequence[str]:
        return ()

    def apply(self, work: Work, letter: Letter, fetched: Mapping[str, Mapping[str, Any]]) -> bool:
        reported = [uri for uri in links(letter.activity.raw, "object") if work.names.is_ours(uri)]
        owners = self.owners_of(work.connection, reported)
        if not owners:
            return False
        comment = plain(natural_text(letter.activity.raw, "content") or "")
        commands.receive_report(work, letter.sender.actor.text, reported, owners, comment)
        return True


def flag_activity(activity_id: str, server: str, fact: ReportForwarded) -> dict[str, Any]:
    """A report as Mastodon sends and reads it: by the server, about the person and what they wrote."""
    return {
        "@context": PLAIN_CONTEXT,
        "id": activity_id,
        "type": "Flag",
        "actor": server,
        "object": list(dict.fromkeys((fact.owner, fact.subject))),
        "content": fact.comment,
    }


def _forward(work: Work, fact: object) -> None:
    if isinstance(fact, ReportForwarded):
        server = work.names.server
        activity = flag_activity(work.names.activity(work.new_id()), server, fact)
        say(work, Outgoing(activity, server, to=(fact.owner,)))


ANNOUNCERS: Mapping[type, Sequence[Announcer]] = {ReportForwarded: (_forward,)}
