"""Brings the catalogues up to date with the code: ``make messages``. A new sentence is left empty for a translator."""

import re
import sys
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from fedaid.foundation.i18n import ENGLISH, LANGUAGES, catalogue_file
from tests.locales import words

TRANSLATED = tuple(code for code in LANGUAGES if code != ENGLISH)
WIDTH = 100
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)  # so that the file differs only where a sentence does


def source_file(language: str) -> Path:
    """Where translators write."""
    return catalogue_file(language).with_suffix(".po")


def read(language: str) -> Catalog:
    """The catalogue as it is kept."""
    with source_file(language).open("rb") as file:
        return read_po(file, locale=language)


def made(language: str) -> bytes:
    """The catalogue as it should be kept: every sentence of the code, with the translations there are."""
    kept, wanted = read(language), words.template()
    kept.update(wanted, no_fuzzy_matching=True)
    kept.obsolete.clear()
    for message in kept:
        message.flags.discard("python-format")
        if "%(" in str(message.id):
            message.flags.add("python-format")
    kept.fuzzy = False
    kept.project, kept.version, kept.creation_date, kept.revision_date = "fedaid", "", LONG_AGO, LONG_AGO
    written = BytesIO()
    write_po(written, kept, width=WIDTH, include_lineno=False)
    return re.sub(rb'"Generated-By: [^"]*"\n', b"", written.getvalue())


def compiled(language: str) -> bytes:
    """The same for the pages to read, which takes them 2 ms instead of 600."""
    written = BytesIO()
    write_mo(written, read(language))
    return written.getvalue()


if __name__ == "__main__":
    for code in TRANSLATED:
        source_file(code).write_bytes(made(code))
        catalogue_file(code).write_bytes(compiled(code))
        left = sum(1 for message in read(code) if message.id and not (message.string and all(message.string)))
        sys.stdout.write(f"{LANGUAGES[code]}: {len(read(code))} sentences, {left} still to translate\n")
