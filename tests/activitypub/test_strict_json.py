"""Strangers' bytes: what is strict JSON is read, everything else is refused with a code (S52, S53, S60 to S64)."""

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activitypub.documents import parse_activity
from activitypub.errors import MalformedDocument, ProtocolError
from activitypub.identifiers import UrlRules
from activitypub.strict_json import INTEGER_MAX, LIMITS, DocumentLimits, _carefully, _plain, parse_json
from tests.activitypub.vectors import unhurried, vector

BODIES = vector("attacks/bodies.json")
GENERATED: dict[str, bytes] = {
    "depth 40 objects": b'{"a":' * 40 + b"1" + b"}" * 40,
    "2 MiB body": b'{"a":"' + b"x" * (2 << 20) + b'"}',
    "100k recipients": json.dumps(
        {
            "id": "https://b.example/a/1",
            "type": "Create",
            "actor": "https://b.example/u/bob",
            "to": [f"https://a.example/u/{number}" for number in range(100_000)],
            "object": {},
        }
    ).encode(),
    "utf-16 body": "{}".encode("utf-16"),
    "blank node chain depth 100": b'{"a":' * 100 + b"1" + b"}" * 100,
}


def refusal(body: bytes, limits: DocumentLimits = LIMITS) -> str:
    with pytest.raises(MalformedDocument) as refused:
        parse_json(body, limits)
    return refused.value.code


@pytest.mark.parametrize("case", BODIES["literal"], ids=lambda case: case["name"])
def test_every_literal_attack_body_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        parse_activity(parse_json(case["body"].encode()), UrlRules())


@pytest.mark.parametrize("case", BODIES["generated"], ids=lambda case: case["name"])
def test_every_generated_attack_body_is_refused_and_only_large_ones_as_too_large(case: dict[str, Any]) -> None:
    code = refusal(GENERATED[case["name"]])
    assert (code == "body_too_large") == (case["expect"] == 413)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not_json"),
        (b"null", "not_an_object"),
        (b"{} {}", "not_json"),
        (b'{"a":1,}', "not_json"),
        (b"\xef\xbb\xbf{}", "not_json"),
        (b'{"a":"\xff"}', "not_utf8"),
        (b'{"a":"\xed\xa0\x80"}', "not_utf8"),
        (b'{"a":NaN}', "bad_number"),
        (b'{"a":-Infinity}', "bad_number"),
        (b'{"a":1e400}', "bad_number"),
        (b'{"a":%s}' % (b"9" * 5000), "bad_number"),
        (b'{"a":0.%s}' % (b"1" * 5000), "bad_number"),
        (b'{"a":%d}' % (INTEGER_MAX + 1), "bad_number"),
        (b'{"a":{"b":1,"b":1}}', "duplicate_name"),
        (b'{"a":1,"\\u0061":2}', "duplicate_name"),
        (b'{"\\u0000":1}', "bad_text"),
        (b'{"a":["\\ud83d"]}', "bad_text"),
        (b'{"a":"\x00"}', "not_json"),
        (b'{"a":' + b"[" * 30 + b"]" * 30 + b"}", "too_deep"),
        (b"[" * 100_000, "too_deep"),
    ],
)
def test_a_body_that_is_not_strict_json_is_refused(body: bytes, code: str) -> None:
    assert refusal(body) == code


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a":"[[[[ \\" ]]"}', {"a": '[[[[ " ]]'}),
        (b'{"a":"\\ud83d\\ude80"}', {"a": "\U0001f680"}),
        (b'{"a":"\\\\u0000"}', {"a": "\\u0000"}),
        (b'{"a":-0.5e1,"b":%d}' % INTEGER_MAX, {"a": -5.0, "b": INTEGER_MAX}),
        (b'{"a":' + b"[" * 29 + b"]" * 29 + b"}", None),
    ],
)
def test_what_is_strict_json_is_read(body: bytes, value: object) -> None:
    assert parse_json(body) == value or value is None


def test_brackets_inside_text_do_not_count_as_depth() -> None:
    assert parse_json(json.dumps({"a": "[" * 1000}).encode())["a"] == "[" * 1000


def test_the_size_limit_is_exact() -> None:
    limits = DocumentLimits(body_bytes_max=10)
    assert parse_json(b'{"a":"xy"}', limits) == {"a": "xy"}
    assert refusal(b'{"a":"xyz"}', limits) == "body_too_large"


def test_the_number_of_objects_and_lists_is_bounded() -> None:
    limits = DocumentLimits(containers_max=3)
    assert parse_json(b'{"a":[{}]}', limits) == {"a": [{}]}
    assert refusal(b'{"a":[{},[]]}', limits) == "too_many_values"
    assert refusal(b'{"a":[' + b"{}," * 300_000 + b"{}]}") == "too_many_values"


@pytest.mark.parametrize("body", [b'"' + b'\\"' * 500_000, b'{"a":"' + b"\\" * 1_000_000, b'"a' * 300_000])
def test_scanning_hostile_text_takes_linear_time(body: bytes) -> None:
    started = time.process_time()
    refusal(body)
    assert time.process_time() - started < 1  # quadratic scanning would take hours


@unhurried
@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_bytes_raise_anything_but_a_refusal(body: bytes) -> None:
    with suppress(ProtocolError):
        assert isinstance(parse_json(body), dict)


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-INTEGER_MAX, INTEGER_MAX)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
)
json_values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="ascii", min_codepoint=32), max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@unhurried
@given(st.dictionaries(st.text(st.characters(codec="ascii", min_codepoint=32), max_size=8), json_values, max_size=5))
def test_every_storable_object_comes_back_as_it_was(value: dict[str, Any]) -> None:
    assert parse_json(json.dumps(value).encode()) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


# the quick reader and the careful one

QUICKLY_READ = [
    {"id": "https://b.example/a/1", "object": {"content": "He said \u201cyes\u201d, at 10:30.", "tag": [{}, []]}},
    {"a": True, "b": None, "c": -5, "d": INTEGER_MAX, "e": "\n \\ \u00e9 \U0001f600"},
]
LEFT_TO_THE_CAREFUL = [
    b'{"a": 1, "a": 2}',
    b'{"a": {"b": 1, "b": 1}}',
    b'{"a" : 1, "a": 2, "b": "\\":"}',  # one colon too few and one too many
    b'{"a"\n: 1}',
    b'{"a": "\\": "}',
    b'{"a": 1.5}',
    b'{"a": 9007199254740992}',
    b'{"a": 18446744073709551616}',
    b'{"a": "\\u0000"}',
    b'{"a": "\\ud800"}',
    b'{"a": NaN}',
    b'["a"]',
    b'{"a":' * 31 + b"1" + b"}" * 31,
    b'{"a": [' + b"{}," * LIMITS.containers_max + b"{}]}",
    b"\xef\xbb\xbf{}",
    b'{"a": "\xff"}',
    b"",
]


@pytest.mark.parametrize("document", QUICKLY_READ)
def test_what_is_plain_is_read_quickly(document: dict[str, Any]) -> None:
    for body in (
        json.dumps(document).encode(),
        json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(),
    ):
        assert _plain(body, LIMITS) == document == _carefully(body, LIMITS)


@pytest.mark.parametrize("body", LEFT_TO_THE_CAREFUL, ids=lambda body: repr(body[:30]))
def test_the_quick_reader_judges_nothing(body: bytes) -> None:
    assert _plain(body, LIMITS) is None


_leaves = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(['":', '" :', "\\", '"'])
)
_documents = st.dictionaries(
    st.text() | st.just('a":'), st.recursive(_leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)


@given(_documents, st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " : ")]), st.data())
def test_the_quick_reader_reads_nothing_else_than_the_careful_one(
    document: dict[str, Any], separators: tuple[str, str], data: st.DataObject
) -> None:
    """Also of bytes with a change somewhere: whatever it reads, the other one reads, and the same."""
    body = json.dumps(document, ensure_ascii=data.draw(st.booleans()), separators=separators).encode("utf-8", "replace")
    at, put = data.draw(st.integers(0, len(body))), data.draw(st.sampled_from([b"", b'"', b":", b" ", b"0", b'"a":1,']))
    changed = body[:at] + put + body[at:]
    quick = _plain(changed, LIMITS)
    if quick is not None:
        assert json.dumps(quick) == json.dumps(_carefully(changed, LIMITS))
