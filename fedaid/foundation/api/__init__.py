"""The JSON API for programs of members: what every room's ``api`` is built of, and the doors that carry it out."""

from fedaid.foundation.api.answers import forget_of, forget_old
from fedaid.foundation.api.doors import Tokens, routes
from fedaid.foundation.api.limits import ApiLimits
from fedaid.foundation.api.operations import (
    BASE,
    ROW_PATTERN,
    Asked,
    Digits,
    Id,
    Listed,
    Model,
    Moment,
    NoQuery,
    Nothing,
    Operation,
    Operations,
    Paging,
    Query,
    Whole,
    YesNo,
    given,
    or_empty,
)

__all__ = [
    "BASE",
    "ROW_PATTERN",
    "ApiLimits",
    "Asked",
    "Digits",
    "Id",
    "Listed",
    "Model",
    "Moment",
    "NoQuery",
    "Nothing",
    "Operation",
    "Operations",
    "Paging",
    "Query",
    "Tokens",
    "Whole",
    "YesNo",
    "forget_of",
    "forget_old",
    "given",
    "or_empty",
    "routes",
]
