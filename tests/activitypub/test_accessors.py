"""Reading values: an accessor gives the type it promises, or nothing, or refuses (S52, S63)."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from activitypub import accessors as a
from activitypub.errors import MalformedDocument

ACCESSORS: list[Callable[[dict[str, Any], str], Any]] = [
    a.text,
    a.natural_text,
    a.name_text,
    a.instant,
    a.number,
    a.integer,
    a.decimal,
    a.flag,
    a.embedded,
]


@pytest.mark.parametrize("accessor", ACCESSORS, ids=lambda accessor: accessor.__name__)
def test_what_is_absent_or_null_is_none(accessor: Callable[[dict[str, Any], str], Any]) -> None:
    assert accessor({}, "x") is None
    assert accessor({"x": None}, "x") is None


@pytest.mark.parametrize(
    ("accessor", "wrong"),
    [
        (a.text, 1),
        (a.text, ["a"]),
        (a.natural_text, {"en": "a"}),
        (a.instant, 5),
        (a.instant, "yesterday"),
        (a.instant, "20260901"),
        (a.instant, "2026-13-01T00:00:00Z"),
        (a.instant, "0001-01-01T00:00:00+14:00"),
        (a.number, True),
        (a.number, "2"),
        (a.integer, 2.0),
        (a.integer, "2"),
        (a.decimal, "NaN"),
        (a.decimal, "1e9"),
        (a.decimal, "1" * 21),
        (a.decimal, [2]),
        (a.decimal, "٣"),
        (a.flag, "true"),
        (a.flag, 1),
        (a.embedded, 7),
        (a.embedded, [{}, {}]),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(accessor: Callable[[dict[str, Any], str], Any], wrong: Any) -> None:
    with pytest.raises(MalformedDocument):
        accessor({"x": wrong}, "x")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-09-01T09:00:00Z", datetime(2026, 9, 1, 9, tzinfo=UTC)),
        ("2026-09-01T09:00:00", datetime(2026, 9, 1, 9, tzinfo=UTC)),
        ("2026-09-01T09:00Z", datetime(2026, 9, 1, 9, tzinfo=UTC)),
        ("2026-09-01t11:00:00+02:00", datetime(2026, 9, 1, 9, tzinfo=UTC)),
        ("2026-09-01T09:00:00.123456789Z", datetime(2026, 9, 1, 9, 0, 0, 123456, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_as_utc(written: str, meant: datetime) -> None:
    found = a.instant({"published": written}, "published")
    assert found == meant
    assert found is not None
    assert found.tzinfo is UTC


def test_text_longer_than_its_limit_is_refused() -> None:
    assert a.text({"name": "abc"}, "name", 3) == "abc"
    with pytest.raises(MalformedDocument):
        a.text({"name": "abcd"}, "name", 3)


def test_a_language_map_is_read_where_the_plain_text_is_missing() -> None:
    assert a.natural_text({"contentMap": {"de": "Hallo", "en": "Hello"}}, "content") == "Hallo"
    assert a.natural_text({"content": "Hi", "contentMap": {"de": "Hallo"}}, "content") == "Hi"
    assert a.natural_text({"contentMap": {}}, "content") is None
    with pytest.raises(MalformedDocument):
        a.natural_text({"contentMap": ["Hallo"]}, "content")


def test_a_name_loses_what_turns_the_text_around_it() -> None:
    assert a.name_text({"name": "\u202eolleH\u2066\r\nBcc"}) == "olleHBcc"


def test_a_link_is_read_from_text_or_from_an_object() -> None:
    assert a.link("https://b.example/1") == "https://b.example/1"
    assert a.link({"type": "Note", "id": "https://b.example/1"}) == "https://b.example/1"
    assert a.link({"type": "Link", "href": "https://b.example/1"}) == "https://b.example/1"
    assert a.link({"type": "Note"}) is None


@pytest.mark.parametrize("wrong", [1, True, ["https://b.example/1"], {"id": {}}, "x" * 2049])
def test_a_link_of_another_kind_is_refused(wrong: Any) -> None:
    with pytest.raises(MalformedDocument):
        a.link(wrong)


def test_links_come_in_order_and_once_each() -> None:
    assert a.links({"to": ["b", {"id": "a"}, "b", {}]}, "to") == ("b", "a")
    assert a.links({"to": "b"}, "to") == ("b",)
    assert a.links({}, "to") == ()


def test_types_lose_the_prefix_of_activitystreams() -> None:
    assert a.types({"type": ["https://www.w3.org/ns/activitystreams#Note", "as:Page", "vf:Proposal"]}) == (
        "Note",
        "Page",
        "vf:Proposal",
    )
    assert a.has_type({"type": "Note"}, "Note")
    for wrong in (7, [None], ["Note"] * 11):
        with pytest.raises(MalformedDocument):
            a.types({"type": wrong})


def test_quantities_are_read_from_numbers_and_from_text() -> None:
    assert a.decimal({"hasNumericalValue": "2"}, "hasNumericalValue") == 2
    assert a.decimal({"hasNumericalValue": 0.1}, "hasNumericalValue") == Decimal("0.1")


def test_a_whole_number_stays_within_its_bounds() -> None:
    assert a.integer({"n": 1440}, "n", 1, 1440) == 1440
    for outside in (0, 1441):
        with pytest.raises(MalformedDocument):
            a.integer({"n": outside}, "n", 1, 1440)


def test_embedded_objects_are_told_from_links() -> None:
    assert a.embedded({"object": [{"type": "Note"}]}, "object") == {"type": "Note"}
    assert a.embedded({"object": "https://b.example/1"}, "object") is None
    assert a.embedded_all({"tag": [{"type": "Hashtag"}, "https://b.example/t"]}, "tag") == ({"type": "Hashtag"},)
    with pytest.raises(MalformedDocument):
        a.embedded_all({"tag": [7]}, "tag")
