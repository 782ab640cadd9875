"""The JSON API for programs of members: what every room's ``api`` is built of, and the doors that carry it out."""

from fedaid.foundation.api.answers import forget_of, forget_old
from fedaid.foundation.api.doors import Tokens, routes
from fedaid.foundation.api.limits import ApiLimits
from fedaid.foundation.api.operations import (
    BASE,
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
)

__all__ = [
    "BASE",
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
    "routes",
]
