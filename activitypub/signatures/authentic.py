"""What a verified sender is: a value that only this package can make, so that unverified mail cannot be applied."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from activitypub.identifiers import Url

_SEAL = object()


class Proof(StrEnum):
    """How the sender was proved: by the request that brought it, by a proof inside it, or by asking its own server."""

    DRAFT_CAVAGE = "draft-cavage"
    RFC_9421 = "rfc9421"
    FEP_8B32 = "fep-8b32"
    ORIGIN = "origin"  # no signature: the sender's own server gave it to us when we asked (FEP-fe34)


@dataclass(frozen=True)
class Authentic:
    """The sender of a message, proved by a signature over it.

    actor       the id of the actor that owns the key
    key_id      the key that verified
    proof       the kind of signature
    signed_at   when the sender says it was signed, UTC
    """

    actor: Url
    key_id: str
    proof: Proof
    signed_at: datetime
    seal: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.seal is not _SEAL:
            raise TypeError("only activitypub.signatures can say that somebody is authentic")


def _sealed(actor: Url, key_id: str, proof: Proof, signed_at: datetime) -> Authentic:
    return Authentic(actor, key_id, proof, signed_at, _SEAL)


def restored(actor: Url, key_id: str, proof: Proof, signed_at: datetime) -> Authentic:
    """A sender that this server proved when the letter came in, read back from its own journal.

    Only the journal of the inbox may call this, with what it stored after a verification: for anything that
    came from outside it would be a claim without a proof.
    """
    return _sealed(actor, key_id, proof, signed_at)


def found_at_origin(actor: Url, address: Url, fetched_at: datetime) -> Authentic:
    """The author of a document that we ourselves fetched from its own address, at the author's origin (FEP-fe34).

    Only whoever fetched it, by ``activitypub.client``, may call this: to a document that somebody sent it would lend
    an authority that it has not.
    """
    if address.origin != actor.origin:
        raise TypeError("only an actor's own origin speaks for it")
    return _sealed(actor, address.text, Proof.ORIGIN, fetched_at)
