"""As much of structured fields (RFC 9651) as signatures need, and not a letter more.

Dictionaries of byte sequences (Signature, Content-Digest) and of inner lists of plain strings (Signature-Input).
"""

import binascii
import re
from dataclasses import dataclass

from activitypub.errors import SignatureRefused

MEMBERS_MAX = 10
ITEMS_MAX = 30
PARAMETERS_MAX = 10

# Possessive, so that every character is read once (attack S88).
_KEY = re.compile(r"[a-z*][a-z0-9_.*-]*+", re.ASCII)
_COMMA = re.compile(r"[ \t]*+,[ \t]*+")
_BYTES = re.compile(r":([A-Za-z0-9+/]*+={0,2}):", re.ASCII)
_STRING = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*+)"', re.ASCII)
_INTEGER = re.compile(r"-?[0-9]{1,15}+(?![0-9.])", re.ASCII)
_SPACES = re.compile(r" *+")
_ESCAPE = re.compile(r'\\(["\\])')

Bare = str | int


@dataclass(frozen=True)
class InnerList:
    """``("a" "b");name=value`` as a dictionary's member.

    items       the strings
    parameters  of the list; strings and integers only
    text        exactly as it stood in the header
    """

    items: tuple[str, ...]
    parameters: dict[str, Bare]
    text: str


def byte_sequences(text: str) -> dict[str, bytes]:
    """A dictionary whose members are byte sequences without parameters. Raises SignatureRefused."""
    return _Reader(text).dictionary_of_bytes()


def inner_lists(text: str) -> dict[str, InnerList]:
    """A dictionary whose members are inner lists of strings without parameters. Raises SignatureRefused."""
    return _Reader(text).dictionary_of_lists()


class _Reader:
    """Reads one header from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text.strip(" ")
        self._at = 0

    def dictionary_of_bytes(self) -> dict[str, bytes]:
        members: dict[str, bytes] = {}
        while self._more(members):
            key = self._new_key(members)
            members[key] = self._bytes()
        return members

    def dictionary_of_lists(self) -> dict[str, InnerList]:
        members: dict[str, InnerList] = {}
        while self._more(members):
            key = self._new_key(members)
            members[key] = self._list()
        return members

    def _more(self, members: dict[str, bytes] | dict[str, InnerList]) -> bool:
        """Whether another member follows; reads the comma before it."""
        if members and self._at == len(self._text):
            return False
        if members:
            self._take(_COMMA)
        if len(members) == MEMBERS_MAX:
            raise _malformed()
        return True

    def _new_key(self, members: dict[str, bytes] | dict[str, InnerList]) -> str:
        key = self._take(_KEY).group()
        if key in members:
            raise SignatureRefused("duplicate_parameter", f"{key} may stand only once in a header.")
        self._expect("=")
        return key

    def _bytes(self) -> bytes:
        try:
            return binascii.a2b_base64(self._take(_BYTES).group(1), strict_mode=True)
        except ValueError:
            raise _malformed() from None

    def _list(self) -> InnerList:
        start = self._at
        self._expect("(")
        items: list[str] = []
        while self._spaces() and not self._skip(")"):
            if len(items) == ITEMS_MAX or (items and self._text[self._at - 1] != " "):
                raise _malformed()
            items.append(self._string())
            if self._peek() == ";":
                raise SignatureRefused("component_parameter", "Only plain components are accepted, without parameters.")
        parameters = self._parameters()
        return InnerList(tuple(items), parameters, self._text[start : self._at])

    def _parameters(self) -> dict[str, Bare]:
        found: dict[str, Bare] = {}
        while self._skip(";"):
            self._spaces()
            name = self._take(_KEY).group()
            if name in found or len(found) == PARAMETERS_MAX:
                raise SignatureRefused("duplicate_parameter", f"{name} may stand only once in a header.")
            self._expect("=")
            found[name] = self._string() if self._peek() == '"' else int(self._take(_INTEGER).group())
        return found

    def _string(self) -> str:
        return _ESCAPE.sub(r"\1", self._take(_STRING).group(1))

    def _spaces(self) -> bool:
        self._take(_SPACES)
        return True

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip(self, character: str) -> bool:
        found = self._peek() == character
        self._at += found
        return found

    def _expect(self, character: str) -> None:
        if not self._skip(character):
            raise _malformed()

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise _malformed()
        self._at = match.end()
        return match


def _malformed() -> SignatureRefused:
    return SignatureRefused("header_malformed", "A header of the signature is not a well-formed structured field.")
