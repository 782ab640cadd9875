"""The statement of one account as a document that our ledger signs: whoever has the network's key can check it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from activitypub.vocabulary import TIMEBANK_CONTEXT
from fedaid.timebank.rules.messages import UNIT, VERSION, wire_time


@dataclass(frozen=True)
class Movement:
    """One transfer on the statement: ``minutes`` are positive where they came in. No names, no notes."""

    transfer: str
    at: datetime
    minutes: int


@dataclass(frozen=True)
class AccountStatement:
    """What an account was, what moved, and what it is; all figures are minutes.

    account     the actor whose account it is
    start, end  the time it is about; without ``start`` from the first movement on
    seq, hash   the head of our journal when it was made
    """

    ledger: str
    account: str
    start: datetime | None
    end: datetime
    opening: int
    movements: Sequence[Movement]
    closing: int
    given: int
    received: int
    seq: int
    hash: str


def write_account_statement(statement: AccountStatement, now: datetime) -> dict[str, Any]:
    """The document, to be signed. What came in and what went out is summed up over its own lines."""
    begins = {"startTime": wire_time(statement.start)} if statement.start is not None else {}
    return {
        "@context": TIMEBANK_CONTEXT,
        "type": "fa:AccountStatement",
        "attributedTo": statement.ledger,
        "published": wire_time(now),
        **begins,
        "endTime": wire_time(statement.end),
        "fa:version": VERSION,
        "fa:unit": UNIT,
        "fa:account": statement.account,
        "fa:opening": statement.opening,
        "fa:transfers": [
            {"fa:transfer": one.transfer, "published": wire_time(one.at), "fa:minutes": one.minutes}
            for one in statement.movements
        ],
        "fa:given": statement.given,
        "fa:received": statement.received,
        "fa:closing": statement.closing,
        "fa:ledgerHead": {"fa:seq": statement.seq, "fa:hash": statement.hash},
    }
