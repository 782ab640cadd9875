"""Canaries: words that stand nowhere else, who may see each, and how they are found in bytes however they are written."""

import base64
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from random import Random

MARK = "zqx"  # begins every word, and stands in no word of ours
_WORD = re.compile(rb"zqx[0-9a-z]{8}", re.IGNORECASE)
# MARK in base64, at each of the three places where it can stand in a group of letters.
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]*(?:enF4|pxe|6cX)[A-Za-z0-9+/_-]*")
_ESCAPED = re.compile(
    rb"%7A%71%78|&#(?:x7a|122);&#(?:x71|113);&#(?:x78|120);|\\u007a\\u0071\\u0078|7a7178", re.IGNORECASE
)


@dataclass
class Canary:
    """One private word: what it is, and by their names who may see it and who must.

    needles  other ways in which it would be recognised; of a number its figures
    """

    word: str
    what: str
    may: frozenset[str]
    must: frozenset[str]
    needles: tuple[re.Pattern[bytes], ...] = ()


@dataclass
class Cage:
    """All canaries of one run. ``seen`` is who saw which word, with the first place where they did."""

    chance: Random
    canaries: dict[str, Canary] = field(default_factory=dict)
    seen: dict[tuple[str, str], str] = field(default_factory=dict)

    def plant(self, what: str, may: Iterable[str] = (), must: Iterable[str] = ()) -> str:
        """A new word; ``must`` may as well."""
        word = MARK + "".join(self.chance.choices("0123456789abcdefghijkmnpqrstuvwy", k=8))
        self._keep(Canary(word, what, frozenset((*may, *must)), frozenset(must)))
        return word

    def figures(
        self, word: str, what: str, needles: Iterable[str], may: Iterable[str], must: Iterable[str] = ()
    ) -> None:
        """A number that stands nowhere else, by how it may be written (regular expressions)."""
        found = tuple(re.compile(one.encode()) for one in needles)
        self._keep(Canary(word, what, frozenset((*may, *must)), frozenset(must), found))

    def _keep(self, one: Canary) -> None:
        assert one.what not in {other.what for other in self.canaries.values()}, one.what
        self.canaries[one.word] = one

    def named(self, what: str) -> Canary:
        return next(one for one in self.canaries.values() if one.what == what)

    def look(self, viewer: str, where: str, *said: bytes) -> None:
        """Somebody was given these bytes."""
        for body in said:
            for word in self.words_in(body):
                self.seen.setdefault((viewer, word), where)

    def words_in(self, body: bytes) -> set[str]:
        found = {match.decode().lower() for part in readings(body) for match in _WORD.findall(part)}
        numbers = {one.word for one in self.canaries.values() if any(needle.search(body) for needle in one.needles)}
        return (found & self.canaries.keys()) | numbers

    def too_much(self) -> list[str]:
        """What was seen by whom it is not for, a line each."""
        return sorted(
            f"{viewer} saw “{self.canaries[word].what}” at {where}"
            for (viewer, word), where in self.seen.items()
            if viewer not in self.canaries[word].may
        )

    def too_little(self) -> list[str]:
        """What somebody should have seen and did not, a line each."""
        return sorted(
            f"{viewer} did not see “{one.what}”"
            for one in self.canaries.values()
            for viewer in one.must
            if (viewer, one.word) not in self.seen
        )


def readings(body: bytes) -> Iterator[bytes]:
    """The bytes, and what is in them in other writing: archives, base64, escapes of every letter."""
    if body.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            for name in archive.namelist():
                yield archive.read(name)
        return
    yield body
    for run in _BASE64.findall(body):
        for start in range(4):
            part = run[start:].rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
            whole = part[:-1] if len(part) % 4 == 1 else part
            yield base64.b64decode(whole + b"=" * (-len(whole) % 4))
    if _ESCAPED.search(body):
        yield re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes.fromhex(found[1].decode()), body)
        yield re.sub(rb"&#x([0-9a-fA-F]{2});", lambda found: bytes.fromhex(found[1].decode()), body)
        yield re.sub(rb"&#(\d{2,3});", lambda found: bytes([int(found[1]) % 256]), body)
        yield re.sub(rb"\\u00([0-9a-fA-F]{2})", lambda found: bytes.fromhex(found[1].decode()), body)
        for digits in re.findall(rb"(?:[0-9a-fA-F]{2}){11,}", body):
            yield bytes.fromhex(digits[: len(digits) // 2 * 2].decode())
