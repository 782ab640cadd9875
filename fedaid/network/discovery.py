"""Finds out what stands at a host: its server actor by WebFinger of the origin (FEP-d556), its ledger, its board."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from activitypub import webfinger
from activitypub.client import Client
from activitypub.documents import Actor, parse_actor
from activitypub.errors import MalformedDocument
from activitypub.identifiers import Origin, UrlRules
from activitypub.keys import SigningKey
from fedaid.actors.commands import BOARD_TERM, LEDGER_TERM
from fedaid.foundation.refused import Refused
from fedaid.network.queries import NeighbourFacts
from fedaid.network.rules import origin_of


async def discover(
    client: Client, typed: str, rules: UrlRules, now: datetime, signer: SigningKey | None = None
) -> NeighbourFacts:
    """What stands at ``riverside.example``. Raises Refused when it is no fedaid, FetchFailed when nobody answers."""
    origin = origin_of(typed, rules)
    server = await _actor(client, await _server_id(client, origin, rules), rules, now, signer)
    ledger = await _actor(client, _named(server, LEDGER_TERM, origin, rules), rules, now, signer)
    board = await _actor(client, _named(server, BOARD_TERM, origin, rules), rules, now, signer)
    if not any(isinstance(key.public_key, Ed25519PublicKey) for key in ledger.keys):
        raise Refused("no_ledger_key", "The ledger of this network shows no Ed25519 key.")
    ids = (server.id.text, ledger.id.text, board.id.text)
    return NeighbourFacts(origin.netloc, str(origin), *ids, actors=(server, ledger, board))


async def _server_id(client: Client, origin: Origin, rules: UrlRules) -> str:
    resource = quote(f"{origin}/", safe="")
    document = await client.fetch_json(f"{origin}/.well-known/webfinger?resource={resource}", webfinger.JRD_ACCEPT)
    try:
        return _at_origin(webfinger.actor_of(webfinger.parse_jrd(document), webfinger.SERVICE), origin, rules)
    except MalformedDocument:
        raise _no_fedaid() from None


def _named(server: Actor, term: str, origin: Origin, rules: UrlRules) -> str:
    return _at_origin(server.raw.get(term), origin, rules)


def _at_origin(found: Any, origin: Origin, rules: UrlRules) -> str:
    """A network's actors live where it lives, or anybody could be named as its ledger (attack S12)."""
    if not rules.accepts(found) or rules.parse(found).origin != origin:
        raise _no_fedaid()
    return rules.parse(found).text


async def _actor(client: Client, actor_id: str, rules: UrlRules, now: datetime, signer: SigningKey | None) -> Actor:
    fetched = await client.fetch(actor_id, signer)
    found = parse_actor(fetched.document, rules, now)
    if found.id.text != actor_id:  # what was named must be what is there, or pins and follows go elsewhere
        raise _no_fedaid()
    return found


def _no_fedaid() -> Refused:
    return Refused("no_fedaid", "This server does not say where its ledger and its board are, so it is no fedaid.")
