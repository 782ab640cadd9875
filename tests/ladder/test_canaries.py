"""A canary is recognised however it is written; or the proof would prove little."""

import base64
import io
import zipfile
from random import Random

import pytest

from tests.ladder.canaries import Cage


def _zipped(word: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mine.json", word * 3)
    return file.getvalue()


WRITINGS = {
    "plain": lambda word: word,
    "in capitals": lambda word: word.upper(),
    "in the middle": lambda word: b"<p>&quot;" + word + b"&amp;</p>",
    "percent": lambda word: b"".join(b"%%%02X" % one for one in word),
    "references": lambda word: b"".join(b"&#%d;" % one for one in word),
    "hex references": lambda word: b"".join(b"&#x%02x;" % one for one in word),
    "json": lambda word: b"".join(b"\\u%04x" % one for one in word),
    "hex": lambda word: word.hex().encode(),
    "zip": _zipped,
    **{
        f"base64 after {n}": lambda word, n=n: b'"' + base64.b64encode(b"a" * n + word + b" and more") + b'"'
        for n in range(7)
    },
    **{
        f"base64 of the web after {n}": lambda word, n=n: base64.urlsafe_b64encode(b"\xfb" * n + word) for n in range(3)
    },
}


@pytest.mark.parametrize("writing", WRITINGS)
def test_a_word_is_found_however_it_is_written(writing: str) -> None:
    cage = Cage(Random(7))
    words = [cage.plant(f"word {number}") for number in range(20)]
    for word in words:
        assert cage.words_in(WRITINGS[writing](word.encode())) == {word}, word


def test_nothing_is_found_where_nothing_is() -> None:
    cage = Cage(Random(7))
    cage.plant("a word")
    assert cage.words_in(b"zqx and zqx12345678 and " + base64.b64encode(b"zqx")) == set()
