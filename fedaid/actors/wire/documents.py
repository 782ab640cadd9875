"""The one place where the documents of our actors are built."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from activitypub.capabilities import our_capabilities
from activitypub.keys import SigningKey, public_to_multibase, public_to_pem
from activitypub.vocabulary import ACTOR_CONTEXT, PLAIN_CONTEXT
from fedaid.actors.commands import BOARD_TERM, LEDGER_TERM, SERVER_TERM
from fedaid.actors.queries import LocalActor, OwnKeys
from fedaid.actors.rules import DEFAULT_BOARD, Kind
from fedaid.foundation.names import Names
from fedaid.foundation.text import paragraphs

TYPES: Mapping[Kind, str] = {
    Kind.PERSON: "Person",
    Kind.GROUP: "Group",
    Kind.SERVER: "Application",
    Kind.LEDGER: "Service",
}


def actor_document(actor: LocalActor, keys: OwnKeys, names: Names) -> dict[str, Any]:
    """What an actor of ours says about itself: keys (FEP-521a), collections, and what Mastodon asks for.

    The server says where its ledger and board are, and the ledger where its server and board are.
    """
    return {"@context": ACTOR_CONTEXT, **actor_object(actor, keys, names)}


def tombstone(uri: str, former_type: str, gone_at: datetime | None = None) -> dict[str, Any]:
    """What stands where an actor or an activity of ours was (ActivityPub 6.4)."""
    deleted = {"deleted": f"{gone_at:%Y-%m-%d}T00:00:00Z"} if gone_at is not None else {}
    return {"@context": PLAIN_CONTEXT, "id": uri, "type": "Tombstone", "formerType": former_type, **deleted}


def key_document(actor: LocalActor, keys: OwnKeys) -> dict[str, Any]:
    """As little of an actor as is needed to check its signatures: who it is, where its inbox is, its keys."""
    return {
        "@context": ACTOR_CONTEXT,
        "id": actor.uri,
        "type": TYPES[actor.kind],
        "preferredUsername": actor.handle,
        "inbox": f"{actor.uri}/inbox",
        **_public_keys(keys),
    }


def actor_object(actor: LocalActor, keys: OwnKeys, names: Names) -> dict[str, Any]:
    """The same without a context, for embedding in an activity that brings its own."""
    return {
        "id": actor.uri,
        "type": TYPES[actor.kind],
        "preferredUsername": actor.handle,
        "name": actor.name,
        "summary": paragraphs(actor.summary),
        "url": page_of(actor, names),
        "inbox": f"{actor.uri}/inbox",
        "outbox": f"{actor.uri}/outbox",
        "followers": f"{actor.uri}/followers",
        "following": f"{actor.uri}/following",
        "endpoints": {"sharedInbox": names.shared_inbox},
        # The day is enough: the hour at which somebody joined is nobody's business.
        "published": f"{actor.created_at:%Y-%m-%d}T00:00:00Z",
        "manuallyApprovesFollowers": actor.manually_approves,
        "webfinger": f"{actor.handle}@{names.host}",
        **_elsewhere(actor),
        **_generator(actor, names),
        **_of_kind(actor, names),
        **_public_keys(keys),
    }


def page_of(actor: LocalActor, names: Names) -> str:
    """The page people see for an actor of ours; the server and the ledger show the front page."""
    return names.page_of(actor.handle) if actor.kind in (Kind.PERSON, Kind.GROUP) else f"{names.origin}/"


def _elsewhere(actor: LocalActor) -> dict[str, Any]:
    """Who else it is, and who it is now."""
    aliases = {"alsoKnownAs": list(actor.also_known_as)} if actor.also_known_as else {}
    return {**aliases, "movedTo": actor.moved_to} if actor.moved_to is not None else aliases


def _generator(actor: LocalActor, names: Names) -> dict[str, Any]:
    """What our server can do, said with each actor, so that nobody must ask for the server's (FEP-844e)."""
    if actor.kind is Kind.SERVER:
        return {}
    return {"generator": {"type": "Application", "id": names.server, "implements": our_capabilities()}}


def _of_kind(actor: LocalActor, names: Names) -> dict[str, Any]:
    board = names.group(DEFAULT_BOARD)
    if actor.kind is Kind.SERVER:
        return {LEDGER_TERM: names.ledger, BOARD_TERM: board, "implements": our_capabilities()}
    if actor.kind is Kind.LEDGER:
        return {SERVER_TERM: names.server, BOARD_TERM: board}
    shown = actor.kind is Kind.GROUP  # people are found through their board, not through directories
    common = {"featured": f"{actor.uri}/featured", "discoverable": shown, "indexable": shown}
    # FEP-1b12: the moderators' collection is what a group is attributed to.
    return {**common, "attributedTo": f"{actor.uri}/moderators"} if shown else common


def _public_keys(keys: OwnKeys) -> dict[str, Any]:
    main = keys.main.private_key
    if not isinstance(main, RSAPrivateKey):
        raise TypeError("an actor of ours signs its requests with an RSA key")
    return {
        "publicKey": {
            "id": keys.main.key_id,
            "owner": keys.main.owner,
            "publicKeyPem": public_to_pem(main.public_key()),
        },
        "assertionMethod": [_multikey(keys.assertion), *_old_multikey(keys)],
    }


def _multikey(key: SigningKey) -> dict[str, Any]:
    if not isinstance(key.private_key, Ed25519PrivateKey):
        raise TypeError("an actor of ours proves what it says with an Ed25519 key")
    return {
        "id": key.key_id,
        "type": "Multikey",
        "controller": key.owner,
        "publicKeyMultibase": public_to_multibase(key.private_key.public_key()),
    }


def _old_multikey(keys: OwnKeys) -> list[dict[str, Any]]:
    """The key before, by which older proofs can be checked until its time is over (FEP-521a)."""
    if keys.old_assertion is None or keys.old_until is None:
        return []
    return [{**_multikey(keys.old_assertion), "expires": f"{keys.old_until:%Y-%m-%dT%H:%M:%SZ}"}]
