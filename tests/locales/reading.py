"""Reads off a page what a person would read, and tells what of it was not translated into the pseudo-language."""

import re
from collections.abc import Collection, Iterator, Sequence
from html.parser import HTMLParser

from sqlalchemy import MetaData, String, Text, select

from fedaid.demo.servers import Town
from fedaid.foundation.i18n import CLOSED, OPENED
from fedaid.skills.rules import LANGUAGES
from tests.support.databases import opened

READ_ALOUD = ("alt", "title", "aria-label", "placeholder")
# What is the same in every language: names of things of the web, addresses, marks of files, and letters of a figure.
ADDRESS = re.compile(r"https?://[^\s,]+|\b127\.0\.0\.1:\d+\S*|@[\w.@:-]+|\b[\w-]+\.(?:json|csv|beancount|zip)\b")
EVERYWHERE = re.compile(
    r"\b127\.0\.0\.1|\bfedaid( [\d.]+\w*)?|\bCSV\b|\bJSON\b|\bBeancount\b|\bUTC\b"
    r"|\b(en|es|Español|English)\b"
)
OUR_WORD = re.compile(r"[a-z_]+")
DATA_CHARACTERS_MIN = 2
VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.lang = self.dir = ""
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.lang, self.dir = given.get("lang", ""), given.get("dir", "")
        self.texts += [given[name] for name in READ_ALOUD if name in given]
        # What is marked as being in another language, such as its name or a post for elsewhere; names of time zones.
        silent = tag in ("style", "script", "svg", "textarea") or (tag != "html" and "lang" in given)
        if tag not in VOID and (self._silent or silent or (tag == "select" and given.get("id") == "zone")):
            self._silent.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._silent and tag in self._silent:
            while self._silent.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.texts.append(data)


def read(html: str) -> tuple[str, str, Sequence[str]]:
    """The page's language, its direction, and every text on it that a person reads or hears."""
    reader = _Reader()
    reader.feed(html)
    return reader.lang, reader.dir, reader.texts


def untranslated(text: str, data: Collection[str]) -> str:
    """What of a text is neither translated nor ``data``, which people wrote; empty where all is well."""
    left = ADDRESS.sub(" ", "".join(_outside(text)))
    if text.strip() in data:
        return ""
    for one in data:
        if one in left:
            left = re.sub(rf"(?<!\w){re.escape(one)}(?!\w)", " ", left)
    left = EVERYWHERE.sub(" ", left)
    return " ".join(left.split()) if re.search(r"[^\W\d_]", left) else ""


def _outside(text: str) -> Iterator[str]:
    depth = 0
    for letter in text:
        depth += letter == OPENED
        if depth == 0:
            yield letter
        depth -= letter == CLOSED


def written(town: Town) -> list[str]:
    """Everything that people wrote, as it stands in the database; the longest first."""
    found: set[str] = {town.name, *(person.name for person in town.people), *LANGUAGES.values()}
    with opened(f"sqlite:///{town.data / 'fedaid.sqlite3'}") as database, database.read() as connection:
        tables = MetaData()
        tables.reflect(connection)
        for table in tables.tables.values():
            for column in table.columns:
                if isinstance(column.type, String | Text):
                    is_word = column.name not in ("handle", "name", "title", "note")  # of ours, such as a state
                    texts = [text for text in connection.scalars(select(column).distinct()) if text]
                    found |= {text for text in texts if not (is_word and OUR_WORD.fullmatch(text))}
    found |= {line.strip() for text in list(found) for line in re.split(r"<[^>]*>|\n", text)}
    found |= {text[:2].upper() for text in list(found)}
    return sorted((text for text in found if len(text) >= DATA_CHARACTERS_MIN), key=len, reverse=True)
