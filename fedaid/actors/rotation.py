"""New keys for an actor of ours; the old ones go on for a while, where others have not looked again yet."""

from datetime import timedelta

from sqlalchemy import select, update

from fedaid.actors.commands import ActorChanged, ActorKeys
from fedaid.actors.limits import ActorLimits
from fedaid.actors.rules import Kind
from fedaid.actors.tables import local_actor
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.said import said
from fedaid.foundation.work import Work

NO_OLD_KEYS = {"old_rsa_pem": None, "old_ed25519_pem": None, "old_keys_until": None}


def rotate(work: Work, uri: str, keys: ActorKeys, limits: ActorLimits, *, compromised: bool = False) -> None:
    """Give an actor of ours new keys, under new names, and tell its followers.

    The old Ed25519 key stays in its document until the grace is over, so that what it proved can still be checked, and
    the old RSA key is tried where a server refuses the new one. Keys that somebody else has (``compromised``) end now.
    Raises NotFound, and Refused for the ledger and while older keys than the present ones are still in use.
    """
    table = local_actor.c
    row = work.connection.execute(select(local_actor).where(table.uri == uri).with_for_update()).one_or_none()
    if row is None or row.gone_at is not None:
        raise NotFound
    if row.kind == Kind.LEDGER:
        raise Refused("key_pinned", "The ledger's key is pinned by the neighbours it has an account with.")
    if row.old_keys_until is not None and row.old_keys_until > work.now and not compromised:
        until = f"{row.old_keys_until:%Y-%m-%d %H:%M} UTC"
        raise Refused(
            "rotated_lately", said("The keys before these are still in use until %(until)s.", until=until), 409
        )
    old = {
        "old_rsa_pem": row.rsa_pem,
        "old_ed25519_pem": row.ed25519_pem,
        "old_keys_until": work.now + timedelta(days=limits.key_grace_days),
    }
    new = {"rsa_pem": keys.rsa_pem, "ed25519_pem": keys.ed25519_pem, "key_number": row.key_number + 1}
    values = {**new, **(NO_OLD_KEYS if compromised else old)}
    work.connection.execute(update(local_actor).where(table.uri == uri).values(values))
    work.record(ActorChanged(uri))


def forget_old_keys(work: Work) -> int:
    """Drop the old keys whose grace is over, and say of how many actors; harmless when done twice."""
    over = local_actor.c.old_keys_until <= work.now
    return work.connection.execute(update(local_actor).where(over).values(NO_OLD_KEYS)).rowcount
