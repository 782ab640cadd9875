"""The cheap refusals, each by itself, before anything is parsed or fetched."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from activitypub.identifiers import Origin
from inbox.gate import Head, check_head, read_body
from inbox.limits import InboxLimits
from inbox.refusal import MailRefused, answer_to

pytestmark = pytest.mark.anyio

OURS = Origin("https", "north.example", 443)
LIMITS = InboxLimits(body_bytes_max=1000, body_seconds_max=0.05)
GOOD = [
    (b"host", b"north.example"),
    (b"content-type", b"application/activity+json"),
    (b"content-length", b"100"),
    (b"signature", b'keyId="k"'),
]


def scope(headers: Sequence[tuple[bytes, bytes]] = GOOD, **more: Any) -> dict[str, Any]:
    return {"type": "http", "method": "POST", "path": "/inbox", "raw_path": b"/inbox", "headers": headers, **more}


def with_header(name: bytes, value: bytes) -> list[tuple[bytes, bytes]]:
    return [(name, value) if known == name else (known, old) for known, old in GOOD]


def refused(given: dict[str, Any]) -> tuple[int, str]:
    with pytest.raises(MailRefused) as caught:
        check_head(given, OURS, LIMITS)
    return caught.value.status, caught.value.code


def test_a_whole_head_passes() -> None:
    head = check_head(scope(), OURS, LIMITS)
    assert isinstance(head, Head)
    assert (head.path, head.get("host"), head.get("digest")) == ("/inbox", "north.example", "")


def test_our_host_may_be_named_with_its_port() -> None:
    check_head(scope(with_header(b"host", b"North.example:443")), OURS, LIMITS)


def test_only_post_brings_letters() -> None:
    assert refused(scope(method="GET")) == (405, "method")
    override = [*GOOD, (b"x-http-method-override", b"POST")]
    assert refused(scope(override, method="GET")) == (405, "method")


def test_an_inbox_has_no_query_string() -> None:
    assert refused(scope(query_string=b"x=1")) == (404, "query")


@pytest.mark.parametrize("host", [b"c.example", b"north.example.evil.example", b"north.example:444", b""])
def test_a_letter_for_another_host_is_refused(host: bytes) -> None:
    assert refused(scope(with_header(b"host", host))) == (401, "unknown_host")


def test_a_letter_without_a_host_is_refused() -> None:
    assert refused(scope(GOOD[1:])) == (401, "unknown_host")


@pytest.mark.parametrize("kind", [b"text/plain", b"application/json", b"multipart/form-data; boundary=x", b""])
def test_other_content_types_are_refused(kind: bytes) -> None:
    assert refused(scope(with_header(b"content-type", kind))) == (415, "content_type")


@pytest.mark.parametrize("kind", [b"application/ld+json", b'application/ld+json; profile="x"', b"Application/LD+JSON"])
def test_every_ld_json_is_taken(kind: bytes) -> None:
    check_head(scope(with_header(b"content-type", kind)), OURS, LIMITS)


def test_a_compressed_body_is_refused() -> None:
    assert refused(scope([*GOOD, (b"content-encoding", b"gzip")])) == (415, "content_encoding")


def test_a_body_announced_too_large_is_refused_unread() -> None:
    assert refused(scope(with_header(b"content-length", b"1001"))) == (413, "too_large")
    assert refused(scope(with_header(b"content-length", b"9" * 5000))) == (413, "too_large")


@pytest.mark.parametrize("length", [b"-1", b"+5", b"1e3", b"5, 5", "\u0665".encode()])
def test_a_length_that_is_no_number_is_refused(length: bytes) -> None:
    assert refused(scope(with_header(b"content-length", length))) == (400, "content_length")


@pytest.mark.parametrize(
    "name",
    [b"host", b"date", b"digest", b"content-digest", b"content-type", b"content-length", b"signature", b"Signature"],
)
def test_a_header_that_stands_twice_is_refused(name: bytes) -> None:
    assert refused(scope([*GOOD, (name, b"1"), (name, b"1")])) == (400, "duplicate_header")


def test_an_unsigned_letter_is_refused() -> None:
    assert refused(scope(GOOD[:-1])) == (401, "unsigned")


def test_headers_without_end_are_refused() -> None:
    assert refused(scope([*GOOD, (b"x", b"y" * 17_000)])) == (431, "headers_too_large")


def chunks(*parts: bytes) -> Any:
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages.append({"type": "http.request", "body": b""})

    async def receive() -> Any:
        return messages.pop(0)

    return receive


async def test_a_body_is_put_together_from_its_chunks() -> None:
    assert await read_body(chunks(b"a" * 500, b"b" * 500), LIMITS) == b"a" * 500 + b"b" * 500


async def test_a_chunked_body_is_counted_and_refused_when_too_large() -> None:
    with pytest.raises(MailRefused) as caught:
        await read_body(chunks(b"a" * 500, b"b" * 501), LIMITS)
    assert caught.value.status == 413
    assert (b"connection", b"close") in answer_to(caught.value).headers


async def test_a_body_that_drips_is_refused() -> None:
    async def receive() -> Any:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"a", "more_body": True}

    with pytest.raises(MailRefused) as caught:
        await read_body(receive, LIMITS)
    assert caught.value.status == 408


async def test_a_body_that_breaks_off_is_refused() -> None:
    async def receive() -> Any:
        return {"type": "http.disconnect"}

    with pytest.raises(MailRefused) as caught:
        await read_body(receive, LIMITS)
    assert caught.value.code == "cut_off"
