"""Words are compared without case, accents, plural and empty words, in the languages that people write here."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedaid.foundation.words import TERM_CHARACTERS_MAX, TERMS_MAX, terms


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Gardening", "garden work"),
        ("Bicycles", "a bicycle"),
        ("cycling to town", "Cycle"),
        ("Reparación de bicicletas", "reparacion: bicicleta"),
        ("Straße", "STRASSE"),
        ("repairs", "Repairing bikes"),
        ("日本語", "日本語"),
    ],
)
def test_these_have_a_word_in_common(one: str, other: str) -> None:
    assert terms(one) & terms(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Help with the sofa", "Help with the dog"),
        ("Necesito ayuda con la bici", "Ayuda con el perro"),
        ("car", "care work"),
    ],
)
def test_these_have_none(one: str, other: str) -> None:
    assert not terms(one) & terms(other)


@given(st.text())
def test_any_text_has_terms_that_fit_their_column(text: str) -> None:
    found = terms(text)
    assert len(found) <= TERMS_MAX
    assert all(0 < len(term) <= TERM_CHARACTERS_MAX for term in found)
    assert found == terms(text)
