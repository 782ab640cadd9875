"""How the API says no: problem details (RFC 9457), one shape for every refusal and fault."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails
from starlette.responses import Response

from fedaid.foundation.api.operations import BASE, Model
from fedaid.foundation.refused import Refused

MEDIA_TYPE: Final = "application/problem+json"
FIELD_ERRORS_MAX: Final = 20


class FieldError(Model):
    """What was wrong with one field."""

    field: str = Field(description="Where it stands: names and numbers with dots between.")
    code: str = Field(description="What is wrong with it, in one word.")
    detail: str


class Problem(Model):
    """Why something was not done; nothing was changed."""

    type: str = Field(description="Names the kind of problem, and ends in its code.")
    title: str = Field(description="What the status means.")
    status: int = Field(ge=400, le=599)
    code: str = Field(description="One word that never changes; the reference of refusals says what each means.")
    detail: str = Field(description="What was wrong and what to do next, in English.")
    errors: list[FieldError] = Field(default=[], description="The fields that do not fit, where it is about those.")
    reference: str = Field(default="", description="By which an admin finds a fault of ours in the log.")


class Unfit(Refused):
    """What was sent does not fit the document; ``errors`` say where."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("invalid_request", "What was sent does not fit. Please see the fields that are named.")
        self.errors = errors


def unfit(where: str, error: ValidationError) -> Unfit:
    """What pydantic found, without what was sent: that may be private, and answers are logged elsewhere."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return Unfit([_field(where, one) for one in found[:FIELD_ERRORS_MAX]])


def _field(where: str, one: ErrorDetails) -> FieldError:
    place = ".".join([where, *map(str, one["loc"])])
    return FieldError(field=place, code=one["type"], detail=one["msg"].removeprefix("Value error, "))


def answer(origin: str, refused: Refused) -> Response:
    """A refusal as it goes out."""
    problem = Problem(
        type=f"{origin}{BASE}/problems/{refused.code}",
        title=HTTPStatus(refused.status).phrase,
        status=refused.status,
        code=refused.code,
        detail=refused.sentence,
        errors=list(refused.errors) if isinstance(refused, Unfit) else [],
    )
    body = problem.model_dump_json(exclude_defaults=True)
    return Response(body, refused.status, {"Cache-Control": "no-store", **refused.headers}, MEDIA_TYPE)
