"""What our actors say goes out through here: with a proof (FEP-8b32), made once, so that all see the same bytes."""

from dataclasses import replace

from activitypub.signatures.proofs import add_proof
from fedaid.actors import queries
from fedaid.foundation.clock import milliseconds
from fedaid.foundation.work import Work
from outbox.queue import Outgoing, post


def say(work: Work, outgoing: Outgoing) -> None:
    """Store an activity of ours for delivery, proved by the Ed25519 key of the actor that says it (about 0.1 ms).

    What is stored is what is sent, signed and served. Raises LookupError when the actor is not ours, and what
    ``outbox.queue.post`` raises.
    """
    key = queries.ed25519_key(work.connection, outgoing.actor)
    proved = replace(outgoing, activity=add_proof(outgoing.activity, key, work.now))
    post(work.connection, proved, milliseconds(work.now))
