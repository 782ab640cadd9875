"""The kinds of help, which the board keeps: the directory stands beside it and is given them by the app."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from sqlalchemy import Connection


class Kind(Protocol):
    """A kind of help: its word in addresses and in the database, and its name for people."""

    @property
    def slug(self) -> str: ...

    @property
    def name(self) -> str: ...


Kinds = Callable[[Connection], Sequence[Kind]]


def names_of(kinds: Sequence[Kind]) -> Mapping[str, str]:
    """The names by their slugs, in their order."""
    return {one.slug: one.name for one in kinds}
