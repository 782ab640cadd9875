"""Which hashtags ask for a listing, in which words of which language, and what its title and details become."""

import pytest

from fedaid.board.rules import TITLE_CHARACTERS_MAX, Kind
from fedaid.mentions.rules import SUGGESTING_TAGS, details_of, suggested_kind, title_of


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        (("need",), Kind.REQUEST),
        (("offer",), Kind.OFFER),
        (("gardening", "busco"), Kind.REQUEST),
        (("cherche",), Kind.REQUEST),
        (("gesucht",), Kind.REQUEST),
        (("biete",), Kind.OFFER),
        (("offro",), Kind.OFFER),
        (("ofereço",), Kind.OFFER),
        (("aangeboden",), Kind.OFFER),
        (("szukam",), Kind.REQUEST),
        (("offer", "need"), Kind.OFFER),  # the first that says it
        (("gardening", "needle"), None),
        ((), None),
    ],
)
def test_a_hashtag_says_what_is_asked_for(tags: tuple[str, ...], kind: Kind | None) -> None:
    assert suggested_kind(tags) is kind


def test_the_words_are_written_as_hashtags_are_compared() -> None:
    assert [tag for tag in SUGGESTING_TAGS if tag != tag.casefold() or not tag.isalnum()] == []


@pytest.mark.parametrize(
    ("text", "title", "details"),
    [
        ("#need A ladder for Sunday\n\nThree metres.", "A ladder for Sunday", "A ladder for Sunday\n\nThree metres."),
        ("A ladder. Or a tall person! #need", "A ladder.", "A ladder. Or a tall person!"),
        ("@board #need\nA ladder", "A ladder", "A ladder"),
        ("Write to me@masto.example for C# #offer", "Write to me@masto.example for C#", None),
        ("#need", "", ""),
        ("x" * 500, "x" * (TITLE_CHARACTERS_MAX - 1) + "…", None),
    ],
)
def test_title_and_details_are_its_words_without_what_steers_them(text: str, title: str, details: str | None) -> None:
    assert title_of(text) == title
    if details is not None:
        assert details_of(text) == details
