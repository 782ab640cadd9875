"""How words are compared: without case, accents and endings, so that "Gardening" finds who offers "garden work".

A plain index over such words does the same on both databases, in any language that writes with spaces.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

TERM_CHARACTERS_MAX: Final = 40
TERMS_MAX: Final = 60  # of one text
SEARCHED_MAX: Final = 600  # words of one text that can be found
ASKED_MAX: Final = 8  # words that are looked for at once
LAST_LETTER: Final = "\U0010ffff"  # behind whatever begins with a prefix
_WORD: Final = re.compile(r"[^\W_]+")
_VOWEL: Final = re.compile("[aeiouy]")
# Words that stand in every request and tell nothing of it: English and Spanish, the languages of the pages.
_EMPTY: Final = frozenset(
    [
        "a",
        "about",
        "also",
        "am",
        "an",
        "and",
        "any",
        "anyone",
        "are",
        "as",
        "at",
        "be",
        "by",
        "can",
        "could",
        "do",
        "for",
        "from",
        "have",
        "help",
        "hour",
        "hours",
        "how",
        "i",
        "in",
        "into",
        "is",
        "it",
        "just",
        "like",
        "me",
        "my",
        "need",
        "needed",
        "of",
        "on",
        "one",
        "or",
        "our",
        "out",
        "please",
        "small",
        "some",
        "someone",
        "something",
        "somebody",
        "that",
        "the",
        "their",
        "them",
        "there",
        "these",
        "they",
        "thing",
        "this",
        "time",
        "to",
        "two",
        "up",
        "want",
        "we",
        "week",
        "who",
        "will",
        "with",
        "you",
        "your",
        "al",
        "algo",
        "alguien",
        "ayuda",
        "ayudar",
        "como",
        "con",
        "cosa",
        "de",
        "del",
        "el",
        "ella",
        "en",
        "es",
        "esta",
        "este",
        "hora",
        "horas",
        "la",
        "las",
        "lo",
        "los",
        "me",
        "mi",
        "necesito",
        "no",
        "o",
        "para",
        "pero",
        "por",
        "puede",
        "puedo",
        "que",
        "quien",
        "se",
        "semana",
        "si",
        "sin",
        "su",
        "tu",
        "un",
        "una",
        "uno",
        "unos",
        "y",
        "yo",
    ]
)


def terms(text: str) -> frozenset[str]:
    """The words of a text as they are compared, at most 60 of them; those that tell nothing are left out."""
    found: dict[str, None] = {}
    for word in dict.fromkeys(_WORD.findall(_folded(text))):
        if word not in _EMPTY and (len(word) > 1 or not word.isascii()):
            found[_bare(word)[:TERM_CHARACTERS_MAX]] = None
            if len(found) == TERMS_MAX:
                break
    return frozenset(found)


@dataclass(frozen=True)
class Asked:
    """A word that somebody looks for: found is what begins with it, or is the same but for its ending."""

    begin: str
    bare: str


def searched(*texts: str) -> str:
    """The words under which texts are found, with one space between; all of them, also those that tell little."""
    found: dict[str, None] = {}
    for word in dict.fromkeys(_WORD.findall(_folded("\n".join(texts)))):
        found[word[:TERM_CHARACTERS_MAX]] = None
        found[_bare(word)[:TERM_CHARACTERS_MAX]] = None
        if len(found) >= SEARCHED_MAX:
            break
    return " ".join(found)


def asked(text: str) -> Sequence[Asked]:
    """The words that somebody looks for, at most eight; none where nothing of the text is a word."""
    words = [word[:TERM_CHARACTERS_MAX] for word in _WORD.findall(_folded(text))][:ASKED_MAX]
    return [Asked(word, _bare(word)) for word in words]


def _folded(text: str) -> str:
    if text.isascii():
        return text.casefold()
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _bare(word: str) -> str:
    """The word without what English and Spanish hang on it: bicycles, gardening, bicicletas; never shown to anybody."""
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    if len(word) > 5 and word.endswith("ing") and _VOWEL.search(word[:-3]):
        word = word[:-3]
    return word[:-1] if len(word) > 4 and word.endswith("e") else word
