"""URLs, origins and handles: what is not accepted here is never fetched, stored or compared (S05, S06, S66, S71)."""

import re
from contextlib import suppress
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activitypub import identifiers
from activitypub.errors import MalformedUrl, ProtocolError
from activitypub.identifiers import Handle, UrlRules, dns_name, is_local_name, parse_handle, same_origin
from tests.activitypub.vectors import unhurried, vector

RULES, LOOPBACK = UrlRules(), UrlRules(loopback=True)


@pytest.mark.parametrize("case", vector("attacks/urls.json"), ids=lambda case: case["note"])
def test_urls_are_accepted_as_the_list_of_attacks_says(case: dict[str, Any]) -> None:
    assert RULES.accepts(case["url"]) is case["acceptable_as_remote_id"]


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "https://user@b.example/",
        "https://b.example@evil.example/",
        "https://b%2eexample/",
        "https://b.example:/",
        "https://b.example:0/",
        "https://b.example:99999/",
        "https://b.example:x/",
        "https://[::1]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://a.0x7f/",
        "https://10.0.0.1/",
        "https://b..example/",
        "https://.b.example/",
        "https://-b.example/",
        "https://host.localhost/",
        "https://metadata.google.internal/",
        "https://b.example/a b",
        "https://b.example/\u00fc",
        "https://b\u00fccher.example?q=\u00fc",
        "https://b\u00fccher.example#\u00fc",
        "https://b\u00fccher.example\u00a0/",
        "https://b.example/\r\nHost: evil.example",
        "https://b.example/<script>",
        "https://b.example/u/bob?",
        "https://b.example/u/bob#",
        "https://b.example/u/bob?#x",
        "https://\u2100.example/",
        "https://" + "a." * 200 + "example/",
        "//b.example/",
        "/u/bob",
        "data:text/html,x",
        "file:///etc/passwd",
        "http://127.0.0.1:8001/",
    ],
)
def test_other_odd_urls_are_refused(text: object) -> None:
    with pytest.raises(MalformedUrl):
        RULES.parse(text)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("HTTPS://B.Example/U/Bob", "https://b.example/U/Bob"),
        ("https://b.example:443/u/bob", "https://b.example/u/bob"),
        ("https://b.example", "https://b.example"),
        ("https://b.example/", "https://b.example/"),
        ("https://b\u00fccher.example/u/bob#key", "https://xn--bcher-kva.example/u/bob#key"),
        ("https://b.example/u?a=1&b=%20#k", "https://b.example/u?a=1&b=%20#k"),
    ],
)
def test_a_url_has_one_spelling(written: str, canonical: str) -> None:
    assert RULES.parse(written).text == canonical


def test_the_parts_of_a_url_can_be_had() -> None:
    url = RULES.parse("https://b.example/u/bob?page=2#key")
    assert (url.target, url.path, url.fragment) == ("/u/bob?page=2", "/u/bob", "key")
    assert url.without_fragment == "https://b.example/u/bob?page=2"
    assert str(url.origin) == "https://b.example"


def test_loopback_is_for_one_machine_only_and_keeps_its_port() -> None:
    url = LOOPBACK.parse("http://127.0.0.1:8001/users/ana")
    assert (str(url.origin), url.origin.netloc) == ("http://127.0.0.1:8001", "127.0.0.1:8001")
    assert same_origin(url, LOOPBACK.parse("http://127.0.0.1:8001/"))
    assert not same_origin(url, LOOPBACK.parse("http://127.0.0.1:8002/"))
    for other in ("http://10.0.0.1:8001/", "http://b.example/", "https://b.example:8443/", "http://127.0.0.1:0/"):
        assert not LOOPBACK.accepts(other)


def test_a_host_that_looks_like_another_is_another() -> None:
    cyrillic = RULES.parse("https://b.ex\u0430mple/u/bob")
    assert cyrillic.origin.host.startswith("b.xn--")
    assert not same_origin(cyrillic, RULES.parse("https://b.example/u/bob"))
    assert dns_name("FULL\uff37IDTH.example") == "fullwidth.example"


@pytest.mark.parametrize("name", ["ana", "Ana_1", "a.b-c", "_", "a" * 64])
def test_names_that_can_be_handles(name: str) -> None:
    assert is_local_name(name)


@pytest.mark.parametrize(
    "name", ["", ".ana", "ana.", "a b", "a/b", "\u0430na", "\u212aen", "\u017fam", "a\n", "a" * 65]
)
def test_names_that_cannot_be_handles(name: str) -> None:
    assert not is_local_name(name)


def test_handles_are_read_in_each_spelling() -> None:
    for text in ("@Ana@Northside.example", "ana@northside.example", "acct:ana@northside.example"):
        assert parse_handle(text) == Handle("ana", "northside.example")
    assert str(parse_handle("@ana@127.0.0.1:8001")) == "@ana@127.0.0.1:8001"
    assert parse_handle("@alice@ex\u0430mple.org").host.startswith("xn--")


@pytest.mark.parametrize(
    "text",
    ["", "ana", "@ana", "ana@", "ana@localhost", "a b@b.example", "ana@b.example:8443", "ana@127.0.0.1:\u00b2",
     "ana@127.0.0.1:0", "ana@127.0.0.1:", "@ana@b.example/x", "@a" * 50_000],
)  # fmt: skip
def test_what_is_no_handle_is_refused(text: str) -> None:
    with pytest.raises(MalformedUrl):
        parse_handle(text)


PIECES = [
    "https://",
    "http://",
    "b.example",
    "127.0.0.1",
    ":443",
    ":",
    "@",
    "/",
    "\\",
    "?",
    "#",
    "[",
    "]",
    "%",
    ".",
    "\t",
    "ü",
    "。",
]
URLISH = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=8).map("".join)


@unhurried
@given(URLISH | st.text(max_size=60), st.sampled_from([RULES, LOOPBACK]))
def test_no_text_raises_anything_but_a_refusal(text: str, rules: UrlRules) -> None:
    with suppress(ProtocolError):
        url = rules.parse(text)
        assert rules.parse(url.text) == url  # one spelling: parsing it again changes nothing
        assert url.text.isascii()
    with suppress(ProtocolError):
        parse_handle(text)


# usual spellings are read by a pattern, to the same result as by taking them apart

PARTS = [
    "https://",
    "http://",
    "b.example",
    "B.example",
    "a-.example",
    "127.0.0.1",
    "x.internal",
    ":443",
    ":",
    "@",
    "/",
]
PARTS += ["//", "users/ben", "%2e", "..", "?", "q=1", "#", "main-key", "#a#b", "\\", "é", " ", "~", "1.5", "0x1"]


@given(st.lists(st.sampled_from(PARTS), max_size=7).map("".join), st.booleans())
def test_the_short_way_to_read_a_url_leads_where_the_long_one_does(text: str, loopback: bool) -> None:
    def read(pattern: "re.Pattern[str]") -> object:
        with patch.object(identifiers, "_USUAL", pattern):
            try:
                return UrlRules(loopback=loopback).parse(text)
            except MalformedUrl as error:
                return error.code

    assert read(identifiers._USUAL) == read(re.compile(r"(?!)"))
