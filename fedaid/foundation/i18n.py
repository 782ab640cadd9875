"""The language a page is said in: which there are, which one the reader wants, and the words of each.

The language of a request stands in a context variable, as starlette hands the context on to the thread of a page;
outside a request (the command line, letters, documents for other servers) everything is said in English.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Final

from babel import Locale

from fedaid.foundation.said import Said

ENGLISH: Final = "en"
LANGUAGES: Final[Mapping[str, str]] = {ENGLISH: "English", "es": "Español"}
# Nobody speaks it: tests and screenshots ask for it, to see what is not translatable and how right to left looks.
PSEUDO: Final = "ar-XB"
OPENED, CLOSED = "⟦", "⟧"
LOCALES: Final = Path(__file__).parent.parent / "locales"
ACCEPTED_LANGUAGES_MAX = 20

_spoken: ContextVar[str] = ContextVar("spoken", default=ENGLISH)


class _Marked(NullTranslations):
    """Says everything in English between two marks."""

    def gettext(self, message: str) -> str:
        return marked(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return marked(msgid1 if n == 1 else msgid2)


def marked(text: str) -> str:
    """The text between the marks of the pseudo-language."""
    return f"{OPENED}{text}{CLOSED}"


def catalogue_file(language: str) -> Path:
    """The words of a language, compiled from the ``.po`` beside it by ``make messages``."""
    return LOCALES / language / "LC_MESSAGES" / "fedaid.mo"


@cache
def _catalogue(language: str) -> NullTranslations:
    if language == PSEUDO:
        return _Marked()
    if language == ENGLISH:
        return NullTranslations()
    with catalogue_file(language).open("rb") as file:
        return GNUTranslations(file)


def speak(language: str) -> None:
    """From here on this request is answered in ``language``, a key of LANGUAGES or PSEUDO."""
    _spoken.set(language)


def spoken() -> str:
    """The language of this request, as ``lang`` says it (BCP 47)."""
    return _spoken.get()


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Inside, everything is said in ``language``."""
    token = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(token)


def direction() -> str:
    """``rtl`` or ``ltr``, for ``dir``."""
    return "rtl" if spoken() == PSEUDO else Locale.parse(spoken()).text_direction


def locale() -> str:
    """By whose habits dates and numbers are written."""
    return ENGLISH if spoken() == PSEUDO else spoken()


def wanted(accept_language: str, otherwise: str) -> str:
    """The language that a browser would like best of ours (RFC 9110 section 12.5.4), or the neighbourhood's own."""
    ranked = []
    for place, part in enumerate(accept_language.split(",")[:ACCEPTED_LANGUAGES_MAX]):
        tag, _, quality = part.strip().partition(";")
        weight = _weight(quality)
        if weight > 0:
            ranked.append((-weight, place, tag.strip()))
    for _, _, tag in sorted(ranked):
        found = PSEUDO if tag == PSEUDO else tag.partition("-")[0].lower()
        if found in LANGUAGES or found == PSEUDO:
            return found
    return otherwise


def _weight(quality: str) -> float:
    name, _, value = quality.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if 0 < weight <= 1 else 0.0


def gettext(message: str, **values: object) -> str:
    """The message in the reader's language, with its values."""
    told = _catalogue(spoken()).gettext(message) if message else ""
    return told % values if values else told


def ngettext(one: str, many: str, number: int, **values: object) -> str:
    """The same for a number of things; ``num`` is that number."""
    return ngettext_template(one, many, number) % {"num": number, **values}


def ngettext_template(one: str, many: str, number: int) -> str:
    """The sentence for that number, its values still to be put in."""
    return _catalogue(spoken()).ngettext(one, many, number)


def told(sentence: str) -> str:
    """A sentence that was made in English, such as a refusal's, in the reader's language."""
    if isinstance(sentence, Said):
        return gettext(sentence.template, **sentence.values)
    return gettext(sentence)
