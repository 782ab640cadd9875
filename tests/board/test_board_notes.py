"""What people elsewhere write, read from every shape as plain text; what is odd is left out, never obeyed."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activitypub.documents import parse_activity
from activitypub.errors import ProtocolError
from fedaid.board.rules import ForeignNote, Picture
from fedaid.board.wire.notes import read_note
from tests.activitypub.vectors import unhurried
from tests.board.world import BOARD, CAROL, PUBLIC, activity
from tests.small_house import RULES

NOTE = "https://masto.example/users/carol/statuses/1"


def read(sent_to: tuple[str, ...] = (PUBLIC,), **changes: Any) -> ForeignNote | None:
    note = {"id": NOTE, "type": "Note", "attributedTo": CAROL, "content": "<p>I have a van.</p>", **changes}
    return read_note(note, parse_activity(activity("Create", CAROL, note, to=list(sent_to)), RULES), RULES)


def text(**changes: Any) -> str:
    found = read(**changes)
    return found.text if found is not None else "(nothing)"


def test_the_mentions_in_front_are_taken_off() -> None:
    mention = '<span class="h-card"><a href="https://northside.example/@board" class="u-url mention">@<span>board</span></a></span>'
    assert text(content=f"<p>{mention} I have a van.<br>And straps, @ana.</p>") == "I have a van.\nAnd straps, @ana."


def test_a_language_map_is_read_by_its_first_language() -> None:
    assert text(content=None, contentMap={"es": "<p>Tengo un coche.</p>", "en": "<p>I have a car.</p>"}) == (
        "Tengo un coche."
    )


def test_a_question_is_read_with_what_one_can_choose() -> None:
    options = [{"type": "Note", "name": name, "replies": {"type": "Collection"}} for name in ("Saturday", "Sunday")]
    assert text(type="Question", content="<p>When?</p>", oneOf=options) == "When?\n\n○ Saturday\n○ Sunday"
    assert text(type="Question", content="<p>When?</p>", anyOf=options[:1]) == "When?\n\n○ Saturday"


def test_an_article_is_read_with_its_title() -> None:
    assert text(type="Article", name="Moving", content="<p>Ask me.</p>") == "Moving\n\nAsk me."


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "Video"},
        {"content": None, "name": "Saturday", "inReplyTo": "https://northside.example/listings/1"},  # a vote in a poll
        {"content": "<p> </p>"},
        {"content": ["two", "texts"]},
    ],
)
def test_what_says_nothing_is_not_read(changes: dict[str, Any]) -> None:
    assert read(**changes) is None


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({}, ""),
        ({"summary": None, "sensitive": False}, ""),
        ({"summary": "<b>food</b>\nand drink"}, "food and drink"),
        ({"sensitive": True}, "Sensitive"),
        ({"type": "Article", "summary": "In short"}, ""),
    ],
)
def test_a_content_warning_is_kept(changes: dict[str, Any], warning: str) -> None:
    found = read(**changes)
    assert found is not None
    assert found.warning == warning


@pytest.mark.parametrize(
    ("sent_to", "changes", "public"),
    [
        ((PUBLIC,), {}, True),
        ((BOARD,), {}, False),
        ((PUBLIC,), {"to": [BOARD]}, False),  # the object's own audience counts
        ((BOARD,), {"to": [BOARD], "cc": ["as:Public"]}, True),
        ((f"{CAROL}/followers",), {}, False),
    ],
)
def test_who_may_read_it_is_known(sent_to: tuple[str, ...], changes: dict[str, Any], public: bool) -> None:
    found = read(sent_to, **changes)
    assert found is not None
    assert found.is_public is public


def test_hashtags_and_mentions_are_what_the_tags_say() -> None:
    tags = [
        {"type": "Mention", "href": BOARD, "name": "@board@northside.example"},
        {"type": "Hashtag", "href": "https://masto.example/tags/Need", "name": "#Need"},
        {"type": "Hashtag", "name": "#MÖBEL"},
        {"type": ["Odd"], "name": 7},
        "https://masto.example/tags/x",
    ]
    found = read(tag=tags)
    assert found is not None
    assert (found.mentions, found.tags) == ((BOARD,), ("need", "möbel"))
    odd = read(tag=7)
    assert odd is not None
    assert odd.tags == ()


def test_pictures_come_with_their_descriptions_and_four_at_most() -> None:
    media = [
        {
            "type": "Document",
            "mediaType": "image/jpeg",
            "url": f"https://files.example/{n}.jpg",
            "name": "a <b>sofa</b>",
        }
        for n in range(6)
    ]
    found = read(attachment=media)
    assert found is not None
    assert found.pictures == tuple(Picture(f"https://files.example/{n}.jpg", "a sofa") for n in range(4))


@pytest.mark.attack("S01", "S71")
@pytest.mark.parametrize(
    "attachment",
    [
        {"type": "Document", "mediaType": "video/mp4", "url": "https://files.example/1.mp4"},
        {"type": "Document", "mediaType": "image/png", "url": "http://files.example/1.png"},
        {"type": "Document", "mediaType": "image/png", "url": "https://10.0.0.1/1.png"},
        {"type": "Document", "mediaType": "image/png", "url": "javascript:alert(1)"},
        {"type": "Document", "mediaType": "image/png"},
        {"type": "Link", "href": "https://files.example/"},
        {"type": "PropertyValue", "name": "category", "value": "tools"},
        {"type": "Image", "url": 7},
        "https://files.example/1.png",
    ],
)
def test_what_is_no_picture_that_we_would_fetch_is_left_out(attachment: Any) -> None:
    """Attacks S01, S71."""
    found = read(attachment=attachment)
    assert found is not None
    assert found.pictures == ()


EMOJI = {
    "id": "https://masto.example/emojis/7",
    "type": "Emoji",
    "name": ":blobcat:",
    "icon": {"type": "Image", "mediaType": "image/png", "url": "https://files.example/blobcat.png"},
}


def test_an_emoji_of_the_authors_server_is_kept() -> None:
    found = read(tag=[EMOJI, {**EMOJI, "name": "thumbs_up", "id": None}])
    assert found is not None
    urls = ["https://files.example/blobcat.png"] * 2
    assert found.pictures == (Picture(urls[0], ":blobcat:", True), Picture(urls[1], ":thumbs_up:", True))


@pytest.mark.attack("S54")
@pytest.mark.parametrize(
    "changes",
    [
        {"name": ":<img onerror>:"},
        {"name": ":b:"},
        {"name": f":{'x' * 65}:"},
        {"name": None},
        {"id": "https://evil.example/emojis/7"},
        {"icon": {"type": "Image", "mediaType": "image/svg+xml", "url": "https://files.example/x.svg"}},
        {"icon": {"type": "Image", "mediaType": "image/png", "url": "http://files.example/x.png"}},
        {"icon": None},
        {"type": "Hashtag"},
    ],
)
def test_an_odd_emoji_is_dropped(changes: dict[str, Any]) -> None:
    """Attack S54."""
    found = read(tag=[{**EMOJI, **changes}])
    assert found is not None
    assert found.pictures == ()


@pytest.mark.attack("S71")
def test_a_page_at_another_server_is_not_believed() -> None:
    """Attack S71."""
    for url in ("https://evil.example/1", "javascript:alert(1)", 7):
        found = read(url=url)
        assert found is not None
        assert found.page == NOTE
    shown = read(url=[{"type": "Link", "href": "https://masto.example/@carol/1"}])
    assert shown is not None
    assert shown.page == "https://masto.example/@carol/1"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-10, 10)
    | st.text(max_size=20)
    | st.sampled_from([PUBLIC, BOARD, CAROL, NOTE]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "id", "name", "href", "url", "icon", "mediaType", "content", "summary"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
KEYS = ["content", "contentMap", "summary", "sensitive", "name", "url", "tag", "attachment", "oneOf", "inReplyTo", "to"]


@pytest.mark.attack("S52")
@unhurried
@given(st.dictionaries(st.sampled_from(KEYS), JSON, max_size=6), st.sampled_from(["Note", "Question", "Page", "Video"]))
def test_whatever_stands_in_a_note_it_is_read_or_refused_and_never_a_fault(changes: dict[str, Any], kind: str) -> None:
    """Attack S52."""
    note = {"id": NOTE, "type": kind, "attributedTo": CAROL, **changes}
    create = parse_activity({**activity("Create", CAROL, {"id": NOTE}), "to": [PUBLIC]}, RULES)
    with suppress(ProtocolError):
        found = read_note(note, create, RULES)
        assert found is None or (found.uri, found.author) == (NOTE, CAROL)
