"""The kinds of help, which the board keeps: the directory stands beside it and is given them by the app."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from sqlalchemy import Connection
from starlette.requests import Request

from fedaid.foundation.refused import NotFound

ROW_ID_MAX = 2**63 - 1


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


def number_of(request: Request) -> int:
    """The id in the path. Raises NotFound for one that no row can have."""
    number: int = request.path_params["number"]
    if number > ROW_ID_MAX:
        raise NotFound
    return number
