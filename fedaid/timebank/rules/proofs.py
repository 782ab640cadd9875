"""Whose signature a message of a ledger must bear: that of a key which was agreed on, not of one fetched today."""

from collections.abc import Iterable, Mapping

from activitypub.errors import SignatureRefused
from activitypub.keys import VerificationKey, public_from_multibase
from activitypub.signatures.proofs import verify_proof
from fedaid.timebank.rules.messages import ANY_TIME, Document
from fedaid.timebank.rules.terms import PinnedKey


def check_signed(document: Document, actor: str, keys: Iterable[PinnedKey]) -> None:
    """Raises SignatureRefused unless one of these keys of the actor signed this document."""
    proof = document.get("proof")
    named = proof.get("verificationMethod") if isinstance(proof, Mapping) else None
    for key in dict.fromkeys(keys):
        if key.id == named and _verifies(document, actor, key):
            return
    raise SignatureRefused("proof_invalid", "No key that was agreed on made the proof of this message.")


def _verifies(document: Document, actor: str, key: PinnedKey) -> bool:
    try:
        verify_proof(document, VerificationKey(key.id, actor, public_from_multibase(key.multibase), ANY_TIME), ANY_TIME)
    except SignatureRefused:
        return False
    return True
