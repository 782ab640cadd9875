"""What is nearly right: documents, headers and addresses with a few things changed in them."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from hypothesis import strategies as st

from tests.activitypub.vectors import VECTORS, vector
from tests.attacks.siege import BOARD, NORTH
from tests.recorded.town import SERVERS, recorded

DEPTH_MAX: Final = 8
BYTES_MAX: Final = 2 * 1024 * 1024  # beyond which the door looks at nothing more
Path = tuple[str | int, ...]
ODD_TEXTS: Final = (
    "",
    " ",
    "\x00",
    "\u202e",
    "\ud800",
    "x" * 600,
    "x" * 3_000,
    "é" * 2_100,
    "<p>" * 1_100,
    "<a href='javascript:1'>x",
    "&#x110000;",
    "2026-13-45T99:99:99Z",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "P999999999Y",
    "-PT1H",
    "NaN",
    "1e999",
    "as:Public",
    "_:b0",
    "https://",
    "https://[::1]/",
    "https://b.example:99999/",
    "https://b.example/%zz#",
    "https://xn--.example/",
    "acct:bob@b.example",
    "@" * 300,
    NORTH,
    BOARD,
    f"{NORTH}/listings/99999999999999999999",
    f"{NORTH}/users/ana",
    "https://www.w3.org/ns/activitystreams#Public",
)
ODD_VALUES: Final = (None, True, False, 0, -1, 1.5, 2**53 - 1, 1e300, [], {}, [[]], [{}], {"id": 7}, {"id": []}, [None])
HOSTS: Final = (
    "b.example",
    "B.Example.",
    "127.0.0.1",
    "0x7f.1",
    "[::1]",
    "localhost",
    "evil.example",
    "b.example@evil.example",
    "xn--bcher-kva.example",
    "b\u00fccher.example",
    "b.example%00",
    "a" * 64 + ".example",
    "10.0.0.1.",
    "\u2460.example",
)
KNOWN_NAMES: Final = (
    "@context",
    "@graph",
    "@id",
    "@reverse",
    "@type",
    "actor",
    "attachment",
    "attributedTo",
    "audience",
    "cc",
    "content",
    "contentMap",
    "duration",
    "endTime",
    "id",
    "inReplyTo",
    "location",
    "name",
    "object",
    "proof",
    "publishes",
    "published",
    "startTime",
    "summary",
    "tag",
    "target",
    "to",
    "type",
    "updated",
    "url",
)


@cache
def documents() -> Sequence[Mapping[str, Any]]:
    """The ready samples, and what other servers were seen to send."""
    samples = [vector(f"samples/{file.name}") for file in sorted((VECTORS / "samples").glob("*.json"))]
    sent = [one["body"] for name in SERVERS for one in recorded(name).requests.values()]
    return [*samples, *sent, *vector("timebank/messages.json").values()]


def paths(value: Any, here: Path = ()) -> Iterator[Path]:
    """Every place in a document."""
    yield here
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        if len(here) < DEPTH_MAX:
            yield from paths(member, (*here, name))


def changed(value: Any, path: Path, change: Callable[[Any], Any]) -> Any:
    """The same with something else at one place."""
    if not path:
        return change(value)
    name, *rest = path
    if isinstance(value, dict):
        return {key: changed(one, tuple(rest), change) if key == name else one for key, one in value.items()}
    return [changed(one, tuple(rest), change) if at == name else one for at, one in enumerate(value)]


def junk() -> st.SearchStrategy[Any]:
    """A value that was not meant."""
    plain = st.sampled_from(ODD_TEXTS) | st.sampled_from(ODD_VALUES) | st.text(max_size=40) | st.integers()
    nested = st.recursive(
        plain,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KNOWN_NAMES), inner, max_size=3),
    )
    return plain | nested


@st.composite
def mutated(draw: st.DrawFn, sources: Sequence[Mapping[str, Any]] | None = None) -> dict[str, Any]:
    """A document with one to four things changed: another value, a member more or less, many of one, or itself inside."""
    document: Any = draw(st.sampled_from(sources or documents()))
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from(list(paths(document))))
        document = changed(document, path, draw(_changes(document)))
    return document if isinstance(document, dict) else {"object": document}


@st.composite
def _changes(draw: st.DrawFn, whole: Any) -> Callable[[Any], Any]:
    kind = draw(st.sampled_from(("value", "less", "more", "many", "list", "inside", "swap")))
    value, name = draw(junk()), draw(st.sampled_from(KNOWN_NAMES))
    number = draw(st.sampled_from((2, 17, 101, 1_001)))

    def change(found: Any) -> Any:
        if kind == "many":
            return [found] * (number if number * len(as_json(found)) < BYTES_MAX else 1)
        if kind == "less" and isinstance(found, dict) and found:
            return dict(list(found.items())[1:])
        if kind == "more" and isinstance(found, dict):
            return {**found, name: value}
        if kind == "swap" and isinstance(found, dict):
            return dict(zip(found, reversed(found.values()), strict=True))
        return {"list": [found], "inside": whole}.get(kind, value)

    return change


@st.composite
def scribbled(draw: st.DrawFn, text: bytes, times_max: int = 6) -> bytes:
    """Bytes with a few of them changed, gone or more."""
    for _ in range(draw(st.integers(1, times_max))):
        at = draw(st.integers(0, len(text)))
        until = min(len(text), at + draw(st.integers(0, 8)))
        more = draw(st.binary(max_size=6) | st.sampled_from((b'"', b"\\", b"{", b"[", b",", b":", b"\xff", b"e999")))
        text = text[:at] + more + text[until:]
    return text


@st.composite
def scribbled_header(draw: st.DrawFn, value: str) -> str:
    """A header's value with a few characters changed; only what can go over the wire."""
    found = draw(scribbled(value.encode("latin-1"))).decode("latin-1")
    return "".join(one for one in found if one.isprintable() and ord(one) < 256).strip()


def addresses() -> st.SearchStrategy[str]:
    """What may stand for an address."""
    hosts = st.sampled_from(HOSTS)
    schemes = st.sampled_from(
        ("https://", "http://", "HTTPS://", "https:/\\", "//", "javascript:", "file://", "https:")
    )
    ends = st.sampled_from(
        ("/u/1", "", "?", "#", "/a b", "/%2f..", ":443/x", ":8443/", "/\\x", "/" + "x" * 2_100)
    ) | st.text(max_size=20)
    return st.builds("{}{}{}".format, schemes, hosts, ends)


def html() -> st.SearchStrategy[str]:
    """What may stand in a post."""
    tags = (
        "p",
        "a",
        "span",
        "script",
        "svg",
        "math",
        "style",
        "ul",
        "li",
        "img",
        "iframe",
        "blockquote",
        "h1",
        "x-y",
        "!--",
    )
    attributes = (
        "",
        " href='https://evil.example'",
        " href=javascript:1",
        ' href="https://b.example\\@evil.example"',
        " onclick=alert(1)",
        " class='mention'",
        " style=x",
        "/",
    )
    opening = st.builds("<{}{}>".format, st.sampled_from(tags), st.sampled_from(attributes))
    closing = st.builds("</{}>".format, st.sampled_from(tags))
    parts = (
        opening
        | closing
        | st.sampled_from(("<", ">", "&", "&#0;", "&lt;", "]]>", "-->", "\u202e"))
        | st.text(max_size=10)
    )
    return st.lists(parts, min_size=1, max_size=60).map("".join) | st.builds(
        lambda part, times: part * times, parts, st.integers(1, 1_200)
    )


def as_json(document: Any) -> bytes:
    """JSON as a careless server writes it: whatever Python can."""
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")
