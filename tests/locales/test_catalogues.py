"""The catalogues hold every sentence of the pages, each translated, with the same values in it."""

import re
from collections.abc import Sequence

import pytest
from babel.messages import Message

from fedaid.foundation.i18n import catalogue_file
from tests.locales import words, write

VALUE = re.compile(r"%(?:\((\w+)\)s|%)")

pytestmark = pytest.mark.parametrize("language", write.TRANSLATED)


def forms(text: str | Sequence[str]) -> Sequence[str]:
    return (text,) if isinstance(text, str) else tuple(text)


def messages(language: str) -> Sequence[Message]:
    return [message for message in write.read(language) if message.id]


def test_a_catalogue_has_every_sentence_of_the_code_and_no_other(language: str) -> None:
    wanted = {forms(message.id) for message in words.template() if message.id}
    kept = {forms(message.id) for message in messages(language)}
    assert sorted(wanted - kept) == [], "run make messages, then translate"
    assert sorted(kept - wanted) == [], "run make messages"


def test_what_make_messages_would_write_is_what_is_kept(language: str) -> None:
    assert write.source_file(language).read_bytes() == write.made(language), "run make messages"
    assert catalogue_file(language).read_bytes() == write.compiled(language), "run make messages"


def test_every_sentence_is_translated_and_nothing_is_left_to_be_looked_at(language: str) -> None:
    missing = [message.id for message in messages(language) if not (message.string and all(forms(message.string)))]
    unsure = [message.id for message in messages(language) if message.fuzzy]
    assert missing == []
    assert unsure == []


def test_a_translation_has_the_values_of_its_sentence(language: str) -> None:
    wrong = []
    for message in messages(language):
        wanted = {value for form in forms(message.id) for value in VALUE.findall(form)}
        for form in forms(message.string):
            # One of something may be said without its number.
            if {*VALUE.findall(form), "num"} != {*wanted, "num"}:
                wrong.append((message.id, form))
    assert wrong == []


def test_a_translation_keeps_the_spaces_and_lines_of_its_sentence(language: str) -> None:
    for message in messages(language):
        for sentence, told in zip(forms(message.id), forms(message.string), strict=True):
            assert told.count("\n") == sentence.count("\n"), sentence
            assert told == told.strip(), sentence
