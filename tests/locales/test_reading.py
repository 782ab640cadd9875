"""What tells untranslated text from translated: it must not be too kind."""

import ast

import pytest

from tests.locales import words
from tests.locales.reading import read, untranslated


def test_a_sentence_without_marks_is_found() -> None:
    assert untranslated("Keep it", []) == "Keep it"


def test_what_stands_beside_a_translated_sentence_is_found() -> None:
    assert untranslated("⟦Keep it⟧, please", []) == ", please"


def test_a_sentence_within_its_marks_is_translated_with_all_its_values() -> None:
    assert untranslated("⟦since ⟦5 Sep 2026⟧ at Ana's⟧", []) == ""


def test_what_people_wrote_is_theirs_but_no_part_of_a_word_is() -> None:
    assert untranslated("Ana · 2:00", ["Ana"]) == ""
    assert untranslated("Anagram", ["Ana"]) == "Anagram"


def test_figures_and_addresses_are_the_same_everywhere() -> None:
    assert untranslated("−0:30 of 12, https://northside.example/x, @ana@northside.example", []) == "−0:30 of 12, ,"
    assert untranslated("−0:30 / 12", []) == ""


def test_what_is_heard_is_read_too_and_what_is_marked_as_another_language_is_not() -> None:
    html = '<html lang="es" dir="ltr"><p title="Why">Yes<span lang="en">No<br>No</span></p><img alt="Us"><svg><title>A</title></svg>'
    assert read(html) == ("es", "ltr", ["Why", "Yes", "Us"])


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('raise Refused("code", "Please wait.")', ["Please wait."]),
        ('raise Refused("code", said("At most %(count)s.", count=3), 409)', ["At most %(count)s."]),
        ('_("Yes")', ["Yes"]),
        ('ngettext("%(num)s day", "%(num)s days", 3)', [("%(num)s day", "%(num)s days")]),
        ('STATE_WORDS = {"open": "Open"}', ["Open"]),
        ('PLACES = (("/me", "My day", "check"),)', ["My day"]),
        ('LIMIT = "not said"', []),
    ],
)
def test_a_sentence_in_python_is_found(code: str, found: list[str]) -> None:
    tree = ast.parse(code)
    assert [text for node in ast.walk(tree) for text in words.of(node)] == found


def test_a_sentence_with_values_that_cannot_be_translated_is_refused() -> None:
    with pytest.raises(AssertionError, match="said"):
        [text for node in ast.walk(ast.parse('raise Refused("code", f"At most {n}.")')) for text in words.of(node)]
