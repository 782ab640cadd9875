"""Signatures of requests (draft-cavage, RFC 9421) and documents (FEP-8b32); alone can make an Authentic."""

from activitypub.signatures.authentic import Authentic, Proof
from activitypub.signatures.dialects import FIRST, Dialect, sign_request
from activitypub.signatures.draft_cavage import sign_draft_cavage
from activitypub.signatures.message import Claim, Request, SignatureLimits
from activitypub.signatures.requests import check_claim, read_signature, verify
from activitypub.signatures.rfc9421 import sign_rfc9421

__all__ = [
    "FIRST",
    "Authentic",
    "Claim",
    "Dialect",
    "Proof",
    "Request",
    "SignatureLimits",
    "check_claim",
    "read_signature",
    "sign_draft_cavage",
    "sign_request",
    "sign_rfc9421",
    "verify",
]
