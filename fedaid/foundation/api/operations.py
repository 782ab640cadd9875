"""What one thing is that the API can do: its address, who may ask, what is asked and answered, as types."""

import re
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Annotated, Any, Final, Generic, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from sqlalchemy import Connection

from fedaid.foundation.ids import row_id
from fedaid.foundation.pages import House
from fedaid.foundation.refused import NotFound
from fedaid.foundation.viewer import TokenHolder, Viewer
from fedaid.foundation.work import Work

BASE: Final = "/api/fedaid/v1"
DIGITS_MAX: Final = 9  # of a number in an address
PAGE_ROWS: Final = 20  # where a program does not say how many
_KEYS: Final = uuid.UUID("0b6f0f7e-6c0e-4b6c-9a55-5f1d3c2e8a10")  # under which ids are made of Idempotency-Keys


class Model(BaseModel):
    """What is sent or answered as JSON: every field has its type, and nothing else is taken."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Query(BaseModel):
    """What may stand behind the question mark; each name once, and no other."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _digits(value: object) -> object:
    if isinstance(value, str):
        if not (value.isascii() and value.isdigit() and len(value) <= 9):
            raise ValueError("a whole number is expected")
        return int(value)
    return value


def _yes_or_no(value: object) -> object:
    if isinstance(value, str):
        if value not in ("true", "false"):
            raise ValueError("true or false is expected")
        return value == "true"
    return value


def _whole(value: object) -> object:
    """JSON has one kind of number: 2.0 is a whole one, as JSON Schema says."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Digits = BeforeValidator(_digits)  # of a whole number in an address; stands after its bounds
Whole = BeforeValidator(_whole)  # of a whole number in JSON; stands after its bounds
YesNo = Annotated[bool, BeforeValidator(_yes_or_no)]
ROW_PATTERN: Final = "^[1-9][0-9]{0,18}$"


def or_empty(pattern: str) -> str:
    """The same pattern for what may be left empty."""
    return f"^({pattern.removeprefix('^').removesuffix('$')})?$"


Id = Annotated[str, Field(pattern=ROW_PATTERN, examples=["358190735220736000"], description="An id; opaque.")]
Moment = Annotated[
    AwareDatetime, Field(examples=["2026-12-05T10:00:00Z"], description="A moment with its offset from UTC (RFC 3339).")
]


class Nothing(Model):
    """Where nothing is sent."""


class NoQuery(Query):
    """Where nothing stands behind the question mark."""


class Paging(Query):
    """How a list is read page by page."""

    limit: Annotated[int, Field(ge=1, le=1000), Digits] = Field(
        PAGE_ROWS, description="How many at most; never more than the neighbourhood gives on one page."
    )
    cursor: str = Field("", pattern=or_empty(ROW_PATTERN), description="``next`` of the page before.")

    @property
    def before(self) -> int | None:
        """The row id that the cursor holds. Raises NotFound for one that no row can have."""
        return row_id(self.cursor) if self.cursor else None


class Listed(Model):
    """One page of a list."""

    next: str | None = Field(description="The ``cursor`` of the page after this one; null on the last.")


class Kind(StrEnum):
    """What a part of an address names."""

    ROW = "row"
    HANDLE = "handle"
    KEY = "key"


@dataclass(frozen=True)
class AddressPart:
    """A part of an address: what it may look like, and what it names."""

    pattern: str
    meaning: str
    example: str


NAMEABLE: Final[Mapping[Kind, AddressPart]] = {
    Kind.ROW: AddressPart(ROW_PATTERN, "An id, as an answer gave it.", "358190735220736000"),
    Kind.HANDLE: AddressPart("^[a-z0-9_.-]{1,64}$", "A handle, without the @.", "kim"),
    Kind.KEY: AddressPart(
        "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
        "The id of a transfer, as an answer gave it.",
        "5d8f6d2e-3f0a-4c55-8f6c-1f4f0c7f2a11",
    ),
}
_PART: Final = re.compile(r"\{(?P<name>[a-z]+):(?P<kind>[a-z]+)\}")

Q = TypeVar("Q", bound=Query)
B = TypeVar("B", bound=Model)


@dataclass(frozen=True)
class Asked(Generic[Q, B]):
    """One request, read: who asks, for what, with what.

    name      of the operation
    key       its Idempotency-Key, empty where it has none
    rows_max  things on one page of a list, however many are asked for
    """

    name: str
    home: House
    who: Viewer
    token: TokenHolder | None
    path: Mapping[str, str]
    query: Q
    body: B
    key: str
    rows_max: int

    def row(self, name: str) -> int:
        """The id in the address. Raises NotFound for one that no row can have."""
        return row_id(self.path[name])

    @property
    def form_key(self) -> str | None:
        """The id of what is made, out of the Idempotency-Key and all that is asked; None without a key.

        So the same request means the same thing also when its answer is kept no longer, and another one another.
        """
        if not self.key:
            return None
        parts = (self.who.actor, self.key, self.name, *sorted(self.path.items()), self.body.model_dump_json())
        return str(uuid.uuid5(_KEYS, repr(parts)))


Read = Callable[[Connection, Asked[Q, B]], BaseModel]
Write = Callable[[Work, Asked[Q, B]], BaseModel]
Before = Callable[[Asked[Q, B]], Awaitable[None]]


@dataclass(frozen=True)
class Operation(Generic[Q, B]):
    """One thing that the API does. Route and document are made of it, so neither says what the other does not.

    path       below ``BASE``, its parts as ``{name:kind}``
    scope      which a token must have; empty: any token will do
    public     whether one may ask without a token, and gets what somebody signed out would see
    answer     None where there is none (204)
    refusals   statuses besides those that follow from the rest
    needs_key  whether an Idempotency-Key must be sent
    leads_to   names of operations that take the ``id`` of the answer in their address
    made_at    where what was made stands, below ``BASE``: ``/listings/{id}``; for the Location header
    before     what is done before the database is asked, as it waits for other servers
    """

    name: str
    method: str
    path: str
    scope: str
    about: str
    read: Read[Q, B] | None = None
    write: Write[Q, B] | None = None
    query: type[Q] = field(default=NoQuery)  # type: ignore[assignment]
    body: type[B] = field(default=Nothing)  # type: ignore[assignment]
    answer: type[BaseModel] | None = None
    status: int = 200
    public: bool = False
    refusals: Sequence[int] = ()
    needs_key: bool = False
    leads_to: Sequence[str] = ()
    before: Before[Q, B] | None = None
    made_at: str = ""

    @property
    def parts(self) -> Mapping[str, AddressPart]:
        """The parts of the address by their names."""
        return {found["name"]: NAMEABLE[Kind(found["kind"])] for found in _PART.finditer(self.path)}

    @property
    def address(self) -> str:
        """The path with its parts as routes and OpenAPI write them: ``/listings/{listing}``."""
        return _PART.sub(lambda found: f"{{{found['name']}}}", self.path)

    @property
    def takes_body(self) -> bool:
        return self.body is not Nothing

    @property
    def summary(self) -> str:
        """What it does, in the first sentence that its code says of itself."""
        done = self.read or self.write
        return ((done.__doc__ if done is not None else "") or "").split("\n\n")[0].replace("\n", " ").strip()

    def check_parts(self, given: Mapping[str, str]) -> None:
        """Raises NotFound where a part cannot name anything."""
        for name, part in self.parts.items():
            if re.fullmatch(part.pattern, given[name]) is None:
                raise NotFound


Operations = Sequence[Operation[Any, Any]]


def given(write: Callable[..., Any], *first: object) -> Any:
    """The write with its first arguments, such as limits, and still with what its code says of it."""
    filled = partial(write, *first)
    filled.__doc__ = write.__doc__
    return filled
