"""Reads a listing out of what different servers write: the one place that knows their shapes.

Understood: a Note with Valueflows properties, a bare ``Proposal``, a Note with a Proposal in ``attachment``,
``ValueFlows:Proposal|Intent|Need`` also through ProposedIntent (Bonfire), ``maid:Offer|Request``, ``flohmarkt:data``.
What is optional and malformed is left out; a wrong id or author is refused.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any, Final, TypeVar

from activitypub.accessors import (
    Document,
    decimal,
    embedded_all,
    flag,
    has_type,
    instant,
    link,
    name_text,
    natural_text,
    text,
    types,
    values,
)
from activitypub.errors import MalformedDocument, MalformedUrl, OriginMismatch
from activitypub.identifiers import Url, UrlRules, same_origin
from activitypub.origin import owner_of
from fedaid.board.rules import (
    DESCRIPTION_CHARACTERS_MAX,
    MINUTES_MAX,
    PEOPLE_MAX,
    PLACE_CHARACTERS_MAX,
    TITLE_CHARACTERS_MAX,
    ForeignListing,
    Kind,
    Mode,
    is_slug,
)
from fedaid.board.wire.notes import page_of, pictures_of, warning_of
from fedaid.foundation.places import approximate
from fedaid.foundation.text import excerpt, one_line, plain, sanitised

RADIUS_M_MAX: Final = 1_000_000

_PREFIXES: Final = (
    "",
    "vf:",
    "ValueFlows:",
    "https://w3id.org/valueflows/ont/vf#",
    "https://w3id.org/valueflows#",
    "https://w3id.org/valueflows/v1#",
    "om2:",
    "http://www.ontology-of-units-of-measure.org/resource/om-2/",
)
_UNIT_MINUTES: Final = {
    **dict.fromkeys(("hour", "hours", "hr", "hrs", "h", "hur"), Decimal(60)),
    **dict.fromkeys(("minute", "minutes", "min", "mins"), Decimal(1)),
    **dict.fromkeys(("second", "seconds", "sec", "s"), Decimal(1) / Decimal(60)),
}
_PIECES: Final = frozenset({"", "one", "each", "piece", "pieces", "person", "people"})
_ENDED: Final = frozenset({"closed", "completed", "fulfilled", "cancelled", "canceled", "expired", "finished"})
_LAST_SEGMENT: Final = re.compile(r"[^#/:]*$")
_CATEGORY_PATH: Final = re.compile(r"/categories/([a-z0-9-]+)$")
_FLOHMARKT: Final = "flohmarkt:data"

T = TypeVar("T")


@dataclass(frozen=True)
class _Source:
    """Where the parts of a listing stand: the outer object, the proposal in it, and its two intents."""

    outer: Document
    proposal: Document
    primary: Document
    reciprocal: Document | None


def read_listing(doc: Document, rules: UrlRules, now: datetime) -> ForeignListing | None:
    """The listing in a parsed object; None when it is something else.

    Raises OriginMismatch or MalformedUrl when its id and author are not of one origin.
    """
    source = _source(doc)
    if source is None:
        return None
    identity, author = _identity(doc, rules)
    kind = _kind(source)
    published = min(_soft(instant, doc, "published") or now, now)
    starts_at, ends_at, expires_at = _times(source)
    place, lat, lon, radius = _location(source)
    html = sanitised(_content(source))
    return ForeignListing(
        uri=identity.text,
        author=author.text,
        page=page_of(doc, identity, rules),
        kind=kind,
        title=_title(source, html, kind),
        description=excerpt(plain(html), DESCRIPTION_CHARACTERS_MAX),
        content_html=html,
        published_at=published,
        updated_at=min(_soft(instant, doc, "updated") or published, now),
        category=_category(source),
        starts_at=starts_at,
        ends_at=ends_at,
        place=place,
        lat=lat,
        lon=lon,
        radius_m=radius,
        minutes=_minutes_of(source.primary) or _minutes_of(source.reciprocal),
        people=_people(source.primary),
        mode=_mode(source),
        primary_uri=_own_part(source.primary, identity, rules) or identity.text,
        reciprocal_uri=_own_part(source.reciprocal, identity, rules),
        warning=warning_of(doc) if _soft(text, doc, "content") else "",
        finished=_finished(source),
        expires_at=expires_at,
        pictures=pictures_of(doc, author, rules),
    )


# finding the parts


def _get(doc: Document, key: str) -> Any:
    """The value under a term's short name or any spelling of its IRI, out of its JSON-LD wrapping."""
    for spelled in _spellings(key):
        found = doc.get(spelled)
        if found is not None:
            return _unwrapped(found)
    return None


@cache
def _spellings(key: str) -> Sequence[str]:
    """Kept for the few keys that this module asks for."""
    return tuple(prefix + key for prefix in _PREFIXES)


def _unwrapped(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 1:
        return _unwrapped(value[0])
    if isinstance(value, Mapping) and "@value" in value:
        return value["@value"]
    return value


def _soft(read: Callable[..., T | None], doc: Document, key: str) -> T | None:
    """What an accessor reads under any spelling of the key, None where it would refuse."""
    found = _get(doc, key)
    if found is None:
        return None
    try:
        return read({key: found}, key)
    except MalformedDocument:
        return None


def _kinds(doc: Document) -> frozenset[str]:
    """The short names of the types that say what kind of Valueflows thing it is."""
    found: set[str] = set()
    with suppress(MalformedDocument):
        for name in types(doc):
            found.update(name.removeprefix(prefix) for prefix in _PREFIXES if name.startswith(prefix))
    return frozenset(found)


def _source(doc: Document) -> _Source | None:
    proposal = _proposal(doc)
    if proposal is None:
        return None
    if _kinds(proposal) & {"Intent", "Need"}:
        return _Source(doc, proposal, proposal, None)
    intents = list(_intents(_get(proposal, "publishes")))
    primary = next((intent for intent, returned in intents if not returned), None)
    returned = next((intent for intent, returned in intents if returned), None)
    named = _get(proposal, "reciprocal")
    reciprocal = named if isinstance(named, Mapping) else returned
    if primary is None and returned is not None:  # Bonfire marks its only intent so; it is what is published
        return _Source(doc, proposal, returned, None)
    return _Source(doc, proposal, primary or {}, reciprocal)


def _proposal(doc: Document) -> Document | None:
    if _is_proposal(doc):
        return doc
    for attached in _soft_objects(doc, "attachment"):
        # An embedded proposal counts only when it is the same author's.
        if _kinds(attached) & {"Proposal"} and link_or_none(attached, "attributedTo") in (None, owner_of(doc)):
            return attached
    return _of_flohmarkt(doc)


def _is_proposal(doc: Document) -> bool:
    if _kinds(doc) & {"Proposal", "Intent", "Need"} or _maid(doc):
        return True
    return _soft(text, doc, "purpose") in ("offer", "request", "need")


def _maid(doc: Document) -> str:
    with suppress(MalformedDocument):
        return next((name.removeprefix("maid:").lower() for name in types(doc) if name.startswith("maid:")), "")
    return ""


def _of_flohmarkt(doc: Document) -> Document | None:
    data = doc.get(_FLOHMARKT)
    if not isinstance(data, Mapping):
        return None
    price = _soft(decimal, data, "price")
    proposal: dict[str, Any] = {"type": "Proposal", "purpose": "offer", "name": data.get("name")}
    proposal["publishes"] = {"type": "Intent", "action": "transfer"}
    if price:
        proposal["reciprocal"] = {"type": "Intent", "resourceQuantity": {"hasUnit": "money", "hasNumericalValue": "1"}}
    coordinates = data.get("coordinates")
    if isinstance(coordinates, Mapping):
        position = {"latitude": coordinates.get("lat"), "longitude": coordinates.get("lng")}
        proposal["location"] = {"type": "Place", **position}
    return proposal


def _intents(value: Any) -> Iterator[tuple[Document, bool]]:
    """The intents under ``publishes``, each with whether it is what is wanted in return."""
    if isinstance(value, str):
        yield {"id": value}, False
    elif isinstance(value, list):
        for item in value:
            yield from _intents(item)
    elif isinstance(value, Mapping):
        yield from _intents_of_object(value)


def _intents_of_object(value: Document) -> Iterator[tuple[Document, bool]]:
    kinds = _kinds(value)
    if kinds & {"Collection", "OrderedCollection"}:
        yield from _intents(value.get("items") or value.get("orderedItems"))
    elif kinds & {"ProposedIntent"}:
        returned = _get(value, "reciprocal") is True
        inner = _get(value, "publishes") or _get(value, "publishedIntent")
        yield from ((intent, returned) for intent, _ in _intents(inner) if intent is not value)
    else:
        yield value, False


def _soft_objects(doc: Document, key: str) -> tuple[dict[str, Any], ...]:
    with suppress(MalformedDocument):
        return embedded_all(doc, key)
    return ()


def link_or_none(doc: Document, key: str) -> str | None:
    """The one link under any spelling of the key; None when there is none or it is no link."""
    with suppress(MalformedDocument):
        value = _get(doc, key)
        return link({"id": value["@id"]} if isinstance(value, Mapping) and "@id" in value else value)
    return None


# the facts


def _identity(doc: Document, rules: UrlRules) -> tuple[Url, Url]:
    identity, owner = rules.parse(link(doc)), owner_of(doc)
    author = rules.parse(owner if owner is not None else link_or_none(doc, "actor"))
    if not same_origin(identity, author):
        raise OriginMismatch("author_origin", "A listing must be of the same origin as its author.")
    return identity, author


def _own_part(intent: Document | None, identity: Url, rules: UrlRules) -> str:
    """The id of an intent, if it is of the listing's own origin."""
    with suppress(MalformedDocument, MalformedUrl):
        found = rules.parse(link(intent)) if intent else None
        if found is not None and same_origin(found, identity):
            return found.text
    return ""


def _kind(source: _Source) -> Kind:
    purpose = _soft(text, source.proposal, "purpose") or _maid(source.proposal)
    if purpose in ("request", "need"):
        return Kind.REQUEST
    if purpose == "offer":
        return Kind.OFFER
    if _kinds(source.proposal) & {"Need"}:
        return Kind.REQUEST
    return _kind_by_parties(source)


def _kind_by_parties(source: _Source) -> Kind:
    parts = (source.primary, source.proposal)
    gives = any(_get(part, "provider") is not None for part in parts)
    gets = any(_get(part, "receiver") is not None for part in parts)
    if gives != gets:
        return Kind.OFFER if gives else Kind.REQUEST
    return Kind.REQUEST if _kinds(source.proposal) & {"Intent"} else Kind.OFFER


def _content(source: _Source) -> str:
    for doc in (source.outer, source.proposal):
        for key in ("content", "summary", "note"):
            with suppress(MalformedDocument):
                found = natural_text(doc, key)
                if found:
                    return found
    data = source.outer.get(_FLOHMARKT)
    return _soft(text, data, "description") or "" if isinstance(data, Mapping) else ""


def _title(source: _Source, html: str, kind: Kind) -> str:
    for doc in (source.outer, source.proposal, source.primary):
        with suppress(MalformedDocument):
            if name := one_line(plain(name_text(doc) or "")):
                return excerpt(name, TITLE_CHARACTERS_MAX)
    first, _, _ = plain(html).partition("\n")
    return excerpt(one_line(first), TITLE_CHARACTERS_MAX) or kind.value.title()


def _times(source: _Source) -> tuple[datetime | None, datetime | None, datetime | None]:
    """Beginning and end of the help, and until when the listing stands."""
    starts = _first(
        (source.primary, "hasBeginning"),
        (source.primary, "hasPointInTime"),
        (source.outer, "startTime"),
        (source.proposal, "hasBeginning"),
    )
    stands_until = _first((source.proposal, "hasEnd"), (source.outer, "hasEnd"))
    ends = _first(
        (source.primary, "hasEnd"),
        (source.primary, "due"),
        (source.outer, "endTime"),
        (source.proposal, "due"),
    )
    # A moment is no window: its listing's end is not its own.
    is_moment = _soft(instant, source.primary, "hasPointInTime") is not None
    if ends is None and not is_moment:
        ends = stands_until
    if starts is not None and ends is not None and ends <= starts:
        ends = None
    return starts, ends, stands_until or ends


def _first(*places: tuple[Document, str]) -> datetime | None:
    return next((found for doc, key in places if (found := _soft(instant, doc, key)) is not None), None)


def _location(source: _Source) -> tuple[str, float | None, float | None, int | None]:
    for doc in (source.proposal, source.outer, source.primary):
        for key in ("location", "eligibleLocation"):
            for value in values({"at": _get(doc, key)}, "at"):
                if found := _place(value):
                    return found
    return "", None, None, None


def _place(value: Any) -> tuple[str, float | None, float | None, int | None] | None:
    if isinstance(value, str):
        return None if "://" in value else (excerpt(one_line(value), PLACE_CHARACTERS_MAX), None, None, None)
    if not isinstance(value, Mapping):
        return None
    lat, lon = _soft(decimal, value, "latitude"), _soft(decimal, value, "longitude")
    name = excerpt(one_line(_place_name(value)), PLACE_CHARACTERS_MAX)
    if lat is None or lon is None or abs(lat) > 90 or abs(lon) > 180:
        return (name, None, None, None) if name else None
    return (name, *approximate(float(lat), float(lon)), _radius(value))


def _place_name(value: Document) -> str:
    """The place in words; of a postal address only the town, as no listing of ours shows more either."""
    name = _soft(text, value, "name")
    address = value.get("address")
    if name or not isinstance(address, Mapping):
        return name or (address if isinstance(address, str) else "")
    return _soft(text, address, "addressLocality") or ""


def _radius(value: Document) -> int | None:
    radius = _soft(decimal, value, "radius")
    factor = {"km": 1000, "m": 1}.get(_soft(text, value, "units") or "m")
    if radius is None or factor is None or not 0 < radius * factor <= RADIUS_M_MAX:
        return None
    return int(radius * factor)


def _measure(intent: Document | None, key: str) -> tuple[Decimal, str] | None:
    measure = _get(intent, key) if intent else None
    if not isinstance(measure, Mapping):
        return None
    amount = _soft(decimal, measure, "hasNumericalValue")
    return None if amount is None else (amount, _unit(_get(measure, "hasUnit")))


def _unit(value: Any) -> str:
    """``hour`` for ``hour``, ``om2:hour``, a full IRI, or an object with a label, a symbol or an id."""
    if isinstance(value, Mapping):
        found = (_unit(value.get(key)) for key in ("label", "symbol", "id", "@id"))
        return next((unit for unit in found if unit in _UNIT_MINUTES or unit in _PIECES - {""}), "?")
    if not isinstance(value, str):
        return ""
    last = _LAST_SEGMENT.search(value)
    return last[0].strip().lower() if last else ""


def _minutes_of(intent: Document | None) -> int | None:
    """The length of time that an intent is about, in whole minutes."""
    for key in ("resourceQuantity", "effortQuantity", "availableQuantity"):
        found = _measure(intent, key)
        if found is not None and found[1] in _UNIT_MINUTES:
            return minutes_of(*found)
    return None


def minutes_of(amount: Decimal, unit: str) -> int | None:
    """An amount in a unit of time as whole minutes; None under one minute, over the maximum, or in another unit."""
    factor = _UNIT_MINUTES.get(unit)
    if factor is None or not 0 < amount * factor <= MINUTES_MAX:
        return None
    return int((amount * factor).quantize(Decimal(1), ROUND_HALF_UP)) or None


def stipulated_minutes(commitment: Document) -> int | None:
    """The length of time that a commitment is about.

    Raises MalformedDocument when it names an amount of time that is none of ours: that must not be guessed.
    """
    for key in ("resourceQuantity", "effortQuantity"):
        measure = _get(commitment, key)
        if isinstance(measure, Mapping) and _unit(_get(measure, "hasUnit")) in _UNIT_MINUTES:
            found = _measure(commitment, key)
            minutes = minutes_of(*found) if found is not None else None
            if minutes is None:
                raise MalformedDocument("bad_hours", "The hours must be from 1 minute to 1000 hours.")
            return minutes
    return None


def part(doc: Document, key: str) -> Document | None:
    """The embedded object under any spelling of the key."""
    found = _get(doc, key)
    return found if isinstance(found, Mapping) else None


def _people(intent: Document) -> int:
    found = _measure(intent, "availableQuantity")
    if found is None or found[1] not in _PIECES or not 1 <= found[0] <= PEOPLE_MAX:
        return 1
    return int(found[0])


def _mode(source: _Source) -> Mode:
    action = _unit(_get(source.primary, "action"))
    if action in ("transfercustody", "transfer-custody"):
        return Mode.LOAN
    if source.reciprocal is None:
        return Mode.GIFT
    found = _measure(source.reciprocal, "resourceQuantity") or _measure(source.reciprocal, "effortQuantity")
    if found is None:
        return Mode.HOURS if link_or_none(source.reciprocal, "resourceConformsTo") else Mode.SWAP
    return Mode.HOURS if found[1] in _UNIT_MINUTES else Mode.SWAP


def _category(source: _Source) -> str:
    named = _CATEGORY_PATH.search(link_or_none(source.primary, "resourceConformsTo") or "")
    candidates = [named[1]] if named else []
    for tag in _soft_objects(source.outer, "tag"):
        if has_type(tag, "Hashtag"):
            candidates.append((_soft(text, tag, "name") or "").lstrip("#").lower())
    for attached in _soft_objects(source.outer, "attachment"):
        if attached.get("name") == "category":
            candidates.append((_soft(text, attached, "value") or "").lower())
    return next((slug for slug in candidates if is_slug(slug)), "")


def _finished(source: _Source) -> bool:
    if _soft(flag, source.primary, "finished") or _soft(flag, source.proposal, "finished"):
        return True
    for doc in (source.outer, source.proposal):
        if any((_soft(text, doc, key) or "").lower() in _ENDED for key in ("state", "status")):
            return True
    return False
