"""JSON-LD, and nothing else touches PyLD: expands foreign shapes with bundled contexts and never fetches one (S18)."""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

from pyld import jsonld as pyld

from activitypub.accessors import Document, values
from activitypub.errors import MalformedDocument

DEPTH_MAX: Final = 30
NODES_MAX: Final = 300
VALUES_MAX: Final = 5000
CONTEXTS_MAX: Final = 10
TERMS_MAX: Final = 500

# Address of a context -> its file in contexts/ (their sources stand in the README there).
BUNDLED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "https://www.w3.org/ns/activitystreams": "activitystreams",
        "https://www.w3.org/ns/did/v1": "did-v1",
        "https://w3id.org/fep/5711": "fep-5711",
        "https://w3id.org/fep/7aa9": "fep-7aa9",
        "https://w3id.org/fep/ef61": "fep-ef61",
        "https://gotosocial.org/ns": "gotosocial",
        "https://w3id.org/identity/v1": "identity-v1",
        "https://join-lemmy.org/context.json": "join-lemmy",
        "http://joinmastodon.org/ns": "joinmastodon",
        "https://purl.archive.org/miscellany": "miscellany",
        "http://schema.org/": "schemaorg",
        "https://schema.org/": "schemaorg",
        "http://schema.org": "schemaorg",
        "https://schema.org": "schemaorg",
        "https://w3id.org/security/data-integrity/v1": "security-data-integrity-v1",
        "https://w3id.org/security/data-integrity/v2": "security-data-integrity-v2",
        "https://w3id.org/security/multikey/v1": "security-multikey-v1",
        "https://w3id.org/security/v1": "security-v1",
        "https://purl.archive.org/socialweb/webfinger": "webfinger",
    }
)


def expand(doc: Document) -> dict[str, Any]:
    """The document with every name written as its full address (JSON-LD 1.1 API, expansion).

    Contexts that are not bundled give no meaning, and neither do contexts inside of embedded objects: expand those by
    themselves. A document without meaning gives an empty dict. Raises MalformedDocument when it is too deep or too
    large (S36), or describes several things.
    """
    _refuse_bulk(doc)
    bare = {name: _without_context(value) for name, value in doc.items() if name != "@context"}
    try:
        nodes = pyld.expand({"@context": _contexts(doc), **bare}, {"documentLoader": _load})
    except (pyld.JsonLdError, LookupError, TypeError, ValueError, AttributeError, RecursionError):
        # PyLD says no to most nonsense with its own error, and stumbles over the rest.
        raise MalformedDocument("not_json_ld", "The document is not JSON-LD.") from None
    if len(nodes) > 1 or not all(isinstance(node, dict) for node in nodes):
        raise MalformedDocument("not_json_ld", "The document must describe one thing.")
    return dict(nodes[0]) if nodes else {}


def compact(expanded: Document, context: list[Any]) -> dict[str, Any]:
    """An expanded document written with the names of ``context``, which must be ours (only tests write so)."""
    return dict(pyld.compact(dict(expanded), context, {"documentLoader": _load}))


def read(doc: Document, key: str, iri: str) -> tuple[Any, ...]:
    """The values of a property however it is spelled: as ``key``, as its full address, or by a context's own name.

    The plain key wins, since most senders write it and their contexts are often wrong. Raises MalformedDocument.
    """
    for spelling in (key, iri):
        if doc.get(spelling) is not None:
            return values(doc, spelling)
    return tuple(_plain(value) for value in expand(doc).get(iri, ()))


def _plain(value: Any) -> Any:
    """A value as plain JSON would have it: text, number, address, list, or the object."""
    if not isinstance(value, dict):
        return value
    if "@value" in value:
        return value["@value"]
    if "@list" in value:
        return [_plain(item) for item in value["@list"]]
    return value["@id"] if value.keys() == {"@id"} else value


def _load(url: str, _options: object) -> dict[str, Any]:
    """PyLD's way to a context: from the package, empty when it is not there, never from the network."""
    name = BUNDLED.get(url)
    empty: dict[str, Any] = {"@context": {}}
    return {
        "contentType": "application/ld+json",
        "contextUrl": None,
        "documentUrl": url,
        "document": empty if name is None else _bundled(name),
        "tag": "static" if name is not None else None,  # static: PyLD may keep it across calls
    }


@cache
def _bundled(name: str) -> dict[str, Any]:
    file = resources.files("activitypub") / "contexts" / f"{name}.json"
    return dict(json.loads(file.read_text(encoding="utf-8")))


def _contexts(doc: Document) -> list[Any]:
    found = [context for context in values(doc, "@context") if isinstance(context, str | Mapping)]
    if len(found) > CONTEXTS_MAX:
        raise MalformedDocument("too_large", f"At most {CONTEXTS_MAX} contexts are read.")
    inline = [context for context in found if isinstance(context, Mapping)]
    if sum(len(context) for context in inline) > TERMS_MAX:
        raise MalformedDocument("too_large", f"At most {TERMS_MAX} terms of inline contexts are read.")
    known = [context for context in found if isinstance(context, Mapping) or context in BUNDLED]
    return [_unscoped(context) if isinstance(context, Mapping) else context for context in known]


def _unscoped(context: Mapping[str, Any]) -> dict[str, Any]:
    """An inline context without contexts of its own: worked through again at every node, they are a bomb (S36)."""
    return {name: _without_context(term) for name, term in context.items() if name != "@import"}


def _without_context(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_context(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _without_context(member) for name, member in value.items() if name != "@context"}
    return value


def _refuse_bulk(doc: Document) -> None:
    nodes = seen = deepest = 0
    pending: list[tuple[Any, int]] = [(doc, 1)]
    while pending:
        value, depth = pending.pop()
        if isinstance(value, Mapping | list):
            members = value.values() if isinstance(value, Mapping) else value
            pending.extend((member, depth + 1) for member in members)
            deepest = max(deepest, depth)
        seen, nodes = seen + 1, nodes + isinstance(value, Mapping)
        if deepest > DEPTH_MAX or nodes > NODES_MAX or seen > VALUES_MAX:
            raise MalformedDocument("too_large", "The document is too deep or too large to be read as JSON-LD.")
