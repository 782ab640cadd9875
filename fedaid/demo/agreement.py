"""Compares the books of two networks: each verifies, and what one owes is what the other is owed."""

import json

from fedaid.demo.servers import Town
from fedaid.foundation.refused import Refused
from fedaid.foundation.wording import in_figures


def compare(first: Town, second: Town) -> str:
    """The figures both sides agree on, in words. Raises Refused or RuntimeError with what differs."""
    for town in (first, second):
        town.run("ledger", "verify")
    ours, theirs = _account(first, second), _account(second, first)
    if ours["we_owe_them"] != theirs["they_owe_us"] or ours["they_owe_us"] != theirs["we_owe_them"]:
        raise Refused("ledgers_differ", f"The ledgers differ: {first.name} says {ours}, {second.name} says {theirs}.")
    owed, owing = ours["we_owe_them"], ours["they_owe_us"]
    return (
        f"{first.name} owes {second.name} {in_figures(owed)}, {second.name} owes {first.name} {in_figures(owing)}; "
        "every sum, hash and signature verifies on both sides"
    )


def _account(of: Town, with_whom: Town) -> dict[str, int]:
    rows = json.loads(of.run("network", "list", "--json"))
    found = next(row for row in rows if row["host"] == with_whom.host)
    return {name: int(found[name]) for name in ("we_owe_them", "they_owe_us")}
