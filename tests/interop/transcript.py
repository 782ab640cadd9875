"""What the Fedify peer wrote down, as values: each request with its answer, and each activity it believed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Document = Mapping[str, Any]
_TROUBLES = frozenset({"inbox_error", "inbox_refused", "outbox_error", "crash"})


@dataclass(frozen=True)
class Exchange:
    """A request and its answer. ``url`` of a request to the peer is only a path; ``document`` is the JSON body.

    number     its place in the transcript
    dialect    of the HTTP signature: ``cavage``, ``rfc9421``, or empty when there is none
    verdicts   for each kind of signature on a delivery (``http``, ``ld``, ``proof``): True, or why it does not hold
    """

    number: int
    outgoing: bool
    method: str
    url: str
    headers: Mapping[str, str]
    document: Document
    status: int
    verdicts: Mapping[str, object]

    @property
    def dialect(self) -> str:
        if "signature" not in self.headers:
            return ""
        return "rfc9421" if "signature-input" in self.headers else "cavage"

    @property
    def about(self) -> str:
        """The id of what the activity is about, the first of several."""
        about = self.document.get("object", "")
        about = about[0] if isinstance(about, list) else about
        return str(about.get("id", "")) if isinstance(about, Mapping) else str(about)


@dataclass(frozen=True)
class Believed:
    """An activity that passed Fedify's own authentication, as Fedify understood it."""

    type: str
    id: str
    actor: str
    document: Document


@dataclass(frozen=True)
class Delivery:
    """An activity that was posted to the peer, and that it believed."""

    exchange: Exchange
    believed: Believed

    @property
    def activity(self) -> Document:
        """As it came over the wire."""
        return self.exchange.document


@dataclass
class Transcript:
    """What the peer wrote down, in its order, as far as it was read; ``length`` counts the entries."""

    length: int = 0
    exchanges: list[Exchange] = field(default_factory=list)
    believed: list[Believed] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def read(self, entries: Sequence[Document]) -> None:
        """Add the next entries of the peer's log."""
        self.length += len(entries)
        self.exchanges += [_exchange(one) for one in entries if one["kind"] in ("http_in", "http_out")]
        self.believed += [_believed(one) for one in entries if one["kind"] == "inbox"]
        self.troubles += [json.dumps(one) for one in entries if one["kind"] in _TROUBLES]

    def posted(self, *, outgoing: bool, since: int = 0) -> Sequence[Exchange]:
        """The activities that the peer sent, or those it was sent, believed or not."""
        recent = (one for one in self.exchanges if one.number >= since)
        return [one for one in recent if one.method == "POST" and one.outgoing is outgoing]

    def fetched(self, path: str) -> Sequence[Exchange]:
        """How the peer was asked for what stands at this path."""
        return [one for one in self.exchanges if one.method == "GET" and not one.outgoing and one.url == path]

    def delivery(self, kind: str, about: str, since: int = 0) -> Delivery | None:
        """The last activity of this type about this that came, from this place on, and was believed."""
        believed = {one.id: one for one in self.believed if one.type == kind}
        for one in reversed(self.posted(outgoing=False, since=since)):
            if one.document.get("type") == kind and one.about == about and one.document.get("id") in believed:
                return Delivery(one, believed[one.document["id"]])
        return None


def _exchange(entry: Document) -> Exchange:
    found = entry.get("auth", {})
    return Exchange(
        number=entry["n"],
        outgoing=entry["kind"] == "http_out",
        method=entry["method"],
        url=entry.get("url") or entry["path"],
        headers=entry["headers"],
        document=_document(entry.get("body")),
        status=entry.get("status", 0),
        verdicts={kind: found.get(f"{kind}Valid") for kind in ("http", "ld", "proof") if kind in found},
    )


def _document(body: str | None) -> Document:
    try:
        parsed = json.loads(body or "{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _believed(entry: Document) -> Believed:
    return Believed(entry["type"], entry["id"], entry["actor"], entry["json"])


def check_signed_by(actor: str, delivery: Delivery) -> None:
    """Every signature on it holds for the peer; it is signed by draft-cavage, which is our first knock."""
    exchange = delivery.exchange
    assert exchange.status == 202
    assert exchange.dialect == "cavage"
    assert f'keyId="{actor}#main-key"' in exchange.headers["signature"]
    assert exchange.headers["digest"].startswith("SHA-256=")
    assert exchange.verdicts == {
        "http": True,
        "proof": True,
    }  # FEP-8b32 on everything, a linked data signature on nothing
    assert delivery.believed.actor == actor
