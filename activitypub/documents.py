"""Parse once at the edge: from a stranger's bytes to an Activity or an Actor, typed, capped and of one origin."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from activitypub.accessors import (
    Document,
    decimal,
    embedded,
    embedded_all,
    flag,
    has_type,
    instant,
    integer,
    link,
    links,
    name_text,
    natural_text,
    number,
    text,
    types,
    values,
)
from activitypub.errors import MalformedDocument, MalformedUrl, OriginMismatch, SignatureRefused
from activitypub.identifiers import Url, UrlRules, is_local_name, same_origin
from activitypub.keys import PublicKey, VerificationKey, public_from_multibase, public_from_pem
from activitypub.strict_json import LIMITS, DocumentLimits, parse_json
from activitypub.vocabulary import (
    ACTIVITY_TYPES,
    ACTOR_TYPES,
    AS2,
    CONTENT_TYPE,
    INTRANSITIVE_TYPES,
    PUBLIC,
    PUBLIC_SPELLINGS,
)

__all__ = [
    "ACTIVITY_TYPES",
    "CONTENT_TYPE",
    "PUBLIC",
    "Activity",
    "Actor",
    "Document",
    "DocumentLimits",
    "decimal",
    "embedded",
    "embedded_all",
    "flag",
    "has_type",
    "instant",
    "integer",
    "is_activity_content_type",
    "is_inbox_content_type",
    "is_public",
    "link",
    "links",
    "name_text",
    "natural_text",
    "number",
    "parse_activity",
    "parse_actor",
    "parse_json",
    "text",
    "types",
    "values",
]

KEYS_MAX: Final = 10  # per actor, as in Mastodon 4.7
ALIASES_MAX: Final = 50
TYPE_CHARACTERS_MAX: Final = 64
_AUDIENCES: Final = ("to", "cc", "bto", "bcc", "audience")
_MARKUP: Final = ("content", "contentMap", "summary", "summaryMap")
_NAMES: Final = ("name", "nameMap")
_CONTAINERS: Final = frozenset({dict, list})
_CAPPED: Final = (*_AUDIENCES, "tag", "attachment", *_MARKUP, *_NAMES)  # refused in this order
_HAS_CAPPED: Final = frozenset(_CAPPED)


@dataclass(frozen=True)
class Activity:
    """What somebody says they did; who really says so is decided by origin.check_sender.

    id, actor   of one origin (FEP-fe34)
    object_id   the id of the object, None where an embedded object has none
    object      the embedded object; it may be used only after origin.check_embedded
    to, cc      addresses; every spelling of the public audience is written PUBLIC
    published   UTC, as the sender says
    raw         the whole document
    """

    id: Url
    type: str
    actor: Url
    object_id: str | None
    object: Mapping[str, Any] | None = field(hash=False)
    target_id: str | None
    to: tuple[str, ...]
    cc: tuple[str, ...]
    published: datetime | None
    raw: Mapping[str, Any] = field(repr=False, hash=False)


@dataclass(frozen=True)
class Actor:
    """Somebody who can speak: as their own document says it, with what stands at another origin left out (S12).

    url         the page people see; None where the actor names none of its own origin
    summary     the sender's HTML, to be sanitised before it is shown
    keys        those that name this actor as their owner, at most 10
    """

    id: Url
    type: str
    preferred_username: str | None
    name: str
    summary: str
    url: str | None
    inbox: Url
    shared_inbox: Url | None
    outbox: Url | None
    followers: Url | None
    following: Url | None
    featured: Url | None
    manually_approves_followers: bool
    keys: tuple[VerificationKey, ...]
    also_known_as: tuple[str, ...]
    raw: Mapping[str, Any] = field(repr=False, hash=False)


def parse_activity(doc: Document, rules: UrlRules, limits: DocumentLimits = LIMITS) -> Activity:
    """The activity in a parsed document. Raises MalformedDocument, MalformedUrl; OriginMismatch when the id is not the
    actor's to give (S51, S57)."""
    _refuse_excess(doc, limits)
    identity, actor = _address(doc, "id", rules), _address(doc, "actor", rules)
    if not same_origin(identity, actor):
        raise OriginMismatch("id_origin", "The id of an activity must be of the same origin as its actor.")
    kind = _main_type(doc, ACTIVITY_TYPES)
    body = _single(doc, "object")
    if body is None and kind not in INTRANSITIVE_TYPES and not values(doc, "object"):
        raise MalformedDocument("object_missing", "The activity has no object.")
    return Activity(
        id=identity,
        type=kind,
        actor=actor,
        object_id=link(body),
        object=body if isinstance(body, Mapping) else None,
        target_id=link(_single(doc, "target")),
        to=_audience(doc, "to"),
        cc=_audience(doc, "cc"),
        published=instant(doc, "published"),
        raw=doc,
    )


def parse_actor(doc: Document, rules: UrlRules, fetched_at: datetime, limits: DocumentLimits = LIMITS) -> Actor:
    """The actor in a document that we fetched ourselves from ``id`` at ``fetched_at`` (UTC).

    Raises MalformedDocument, MalformedUrl; OriginMismatch when the inbox is at another origin (S12). Other collections
    of another origin, and keys that are weak, unknown or not this actor's (S30, S31), are left out.
    """
    _refuse_excess(doc, limits)
    identity = _address(doc, "id", rules)
    if identity.fragment:
        raise MalformedDocument("actor_id", "The id of an actor must not have a fragment.")
    kind = _main_type(doc, ACTOR_TYPES)
    if kind not in ACTOR_TYPES:
        raise MalformedDocument("not_an_actor", "The document is not an actor.")
    return Actor(
        id=identity,
        type=kind,
        preferred_username=_username(doc),
        name=name_text(doc, max=limits.name_characters_max) or "",
        summary=natural_text(doc, "summary", limits.content_characters_max) or "",
        url=_page(doc, identity, rules),
        inbox=_inbox(doc, identity, rules),
        shared_inbox=_own(embedded(doc, "endpoints") or {}, "sharedInbox", identity, rules),
        outbox=_own(doc, "outbox", identity, rules),
        followers=_own(doc, "followers", identity, rules),
        following=_own(doc, "following", identity, rules),
        featured=_own(doc, "featured", identity, rules),
        manually_approves_followers=flag(doc, "manuallyApprovesFollowers") or False,
        keys=_keys(doc, identity, rules, fetched_at),
        also_known_as=links(doc, "alsoKnownAs")[:ALIASES_MAX],
        raw=doc,
    )


def is_public(to: tuple[str, ...], cc: tuple[str, ...]) -> bool:
    """Whether anybody may read it: the public audience is in ``to`` (public) or ``cc`` (unlisted)."""
    return not PUBLIC_SPELLINGS.isdisjoint(to) or not PUBLIC_SPELLINGS.isdisjoint(cc)


def is_activity_content_type(header: str | None) -> bool:
    """Whether a fetched answer may be read as ActivityPub: activity+json, or ld+json with the AS2 profile (S09)."""
    kind, parameters = _media_type(header)
    if kind == CONTENT_TYPE:
        return True
    return kind == "application/ld+json" and AS2 in parameters.get("profile", "").split()


def is_inbox_content_type(header: str | None) -> bool:
    """Whether a posted body may be read as ActivityPub; here ld+json needs no profile (S65). Never text/plain."""
    return header == CONTENT_TYPE or _media_type(header)[0] in (CONTENT_TYPE, "application/ld+json")


def _media_type(header: str | None) -> tuple[str, dict[str, str]]:
    kind, *rest = (header or "").split(";")
    pairs = (part.partition("=") for part in rest)
    parameters = {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}
    return kind.strip().lower(), parameters


def _refuse_excess(value: Document, limits: DocumentLimits) -> None:
    """Caps at every level, so that nothing large hides in an embedded object (S53)."""
    waiting: list[Any] = [value]
    while waiting:
        found = waiting.pop()
        if type(found) is dict:
            if not _HAS_CAPPED.isdisjoint(found) and not _is_modest(found, limits):
                _refuse_excess_of_one(found, limits)
            found = found.values()
        waiting.extend([member for member in found if type(member) in _CONTAINERS])


def _is_modest(doc: Document, limits: DocumentLimits) -> bool:
    """Whether a quick look is enough to see that nothing of it is too much; what it is not sure of is counted."""
    few = min(limits.recipients_max // len(_AUDIENCES), limits.tags_max, limits.attachments_max)
    for key in _HAS_CAPPED.intersection(doc):
        value = doc[key]
        if type(value) is str:
            if len(value) > (limits.content_characters_max if key in _MARKUP else limits.name_characters_max):
                return False
        elif type(value) is not list or len(value) > few:
            return False
    return few > 0


def _refuse_excess_of_one(doc: Document, limits: DocumentLimits) -> None:
    recipients = 0
    for key in _CAPPED:
        value = doc.get(key)
        if value is None:
            continue
        many = len(value) if isinstance(value, list) else 1
        if key in _AUDIENCES:
            recipients += many
            if recipients > limits.recipients_max:
                most = limits.recipients_max
                raise MalformedDocument("too_many_recipients", f"At most {most} recipients are accepted.")
        elif key == "tag" and many > limits.tags_max:
            raise MalformedDocument("too_many_tags", f"At most {limits.tags_max} tags are accepted.")
        elif key == "attachment" and many > limits.attachments_max:
            most = limits.attachments_max
            raise MalformedDocument("too_many_attachments", f"At most {most} attachments are accepted.")
        elif key in _MARKUP:
            _refuse_long(key, value, limits.content_characters_max)
        elif key in _NAMES:
            _refuse_long(key, value, limits.name_characters_max)


def _refuse_long(key: str, value: object, characters_max: int) -> None:
    """Of a text, or of all languages of a map of them."""
    for spoken in value.values() if isinstance(value, dict) else (value,):
        if isinstance(spoken, str) and len(spoken) > characters_max:
            raise MalformedDocument(
                "too_long", f"{key.removesuffix('Map')} may have at most {characters_max} characters."
            )


def _address(doc: Document, key: str, rules: UrlRules) -> Url:
    found = link(_single(doc, key))
    if found is None:
        raise MalformedDocument(f"{key}_missing", f"The document has no {key}.")
    return rules.parse(found)


def _single(doc: Document, key: str) -> Any:
    """The one value under ``key``; None when there is none or when there are several."""
    found = values(doc, key)
    for value in found:
        if not isinstance(value, str | dict):
            raise MalformedDocument("wrong_type", f"{key} must be a link or an object.")
    return found[0] if len(found) == 1 else None


def _main_type(doc: Document, known: frozenset[str]) -> str:
    found = types(doc)
    if not found or not all(0 < len(name) <= TYPE_CHARACTERS_MAX for name in found[:1]):
        raise MalformedDocument("type_missing", "The document has no type.")
    return next((name for name in found if name in known), found[0])


def _audience(doc: Document, key: str) -> tuple[str, ...]:
    found = (PUBLIC if address in PUBLIC_SPELLINGS else address for address in links(doc, key))
    return tuple(dict.fromkeys(found))


def _username(doc: Document) -> str | None:
    """The short name, which nobody has to have (ActivityPub 4.1); one that could be taken for another's refuses the
    actor (S66)."""
    name = text(doc, "preferredUsername")
    if name is not None and not is_local_name(name):
        raise MalformedDocument("bad_username", "preferredUsername may have letters, digits, dots, dashes and _.")
    return name


def _page(doc: Document, identity: Url, rules: UrlRules) -> str | None:
    for address in links(doc, "url"):
        with suppress(MalformedUrl):
            page = rules.parse(address)
            if same_origin(page, identity):
                return page.text
    return None


def _inbox(doc: Document, identity: Url, rules: UrlRules) -> Url:
    inbox = _address(doc, "inbox", rules)
    if not same_origin(inbox, identity):
        raise OriginMismatch("inbox_origin", "The inbox must be of the same origin as its actor.")
    return inbox


def _own(doc: Document, key: str, identity: Url, rules: UrlRules) -> Url | None:
    """A collection of the actor, unless it stands where the actor has no say (S12)."""
    address = link(_single(doc, key))
    if address is None:
        return None
    with suppress(MalformedUrl):
        url = rules.parse(address)
        if same_origin(url, identity):
            return url
    return None


def _keys(doc: Document, owner: Url, rules: UrlRules, fetched_at: datetime) -> tuple[VerificationKey, ...]:
    claims = [(claim, "owner") for claim in embedded_all(doc, "publicKey")]
    claims += [(claim, "controller") for claim in embedded_all(doc, "assertionMethod")]
    keys: dict[str, VerificationKey] = {}
    for claim, owner_key in claims[:KEYS_MAX]:
        with suppress(MalformedUrl, SignatureRefused, MalformedDocument):
            key = _key(claim, owner_key, owner, rules, fetched_at)
            known = keys.setdefault(key.key_id, key)
            if key.asserts and known.public_key == key.public_key:  # listed for both purposes
                keys[key.key_id] = key
    return tuple(keys.values())


def _key(claim: Document, owner_key: str, owner: Url, rules: UrlRules, fetched_at: datetime) -> VerificationKey:
    """One key. Its id is mostly a fragment of the actor's; GoToSocial gives it a path of its own under the origin."""
    key_id = _address(claim, "id", rules)
    if text(claim, owner_key) != owner.text or not same_origin(key_id, owner):
        raise SignatureRefused("key_owner", "The key does not name this actor as its owner.")
    expires = instant(claim, "expires")
    if claim.get("revoked") is not None or (expires is not None and expires <= fetched_at):
        raise SignatureRefused("key_expired", "The key is revoked or has expired.")
    asserts = owner_key == "controller"
    return VerificationKey(key_id.text, owner.text, _public_key(claim), fetched_at, asserts, expires)


def _public_key(claim: Document) -> PublicKey:
    multibase = text(claim, "publicKeyMultibase")
    if multibase is not None:
        return public_from_multibase(multibase)
    return public_from_pem(text(claim, "publicKeyPem") or "")
