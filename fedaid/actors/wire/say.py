"""What our actors say goes out through here: with a proof (FEP-8b32), made once, so that all see the same bytes."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from activitypub.signatures.proofs import add_proof
from fedaid.actors import queries
from fedaid.foundation.clock import milliseconds
from fedaid.foundation.work import Work
from outbox.queue import Outgoing, post


def proved(connection: Connection, document: Mapping[str, Any], actor: str, at: datetime) -> dict[str, Any]:
    """A document of ours with the proof of the actor it belongs to, as of ``at``: the same each time it is asked for.

    Whoever passes it on passes on that it is true. Raises LookupError when the actor is not ours.
    """
    return add_proof(document, queries.ed25519_key(connection, actor), at)


def say(work: Work, outgoing: Outgoing) -> None:
    """Store an activity of ours for delivery, proved by the Ed25519 key of the actor that says it (about 0.1 ms).

    What is stored is what is sent, signed and served. Raises LookupError when the actor is not ours, and what
    ``outbox.queue.post`` raises.
    """
    activity = proved(work.connection, outgoing.activity, outgoing.actor, work.now)
    post(work.connection, replace(outgoing, activity=activity), milliseconds(work.now))
