"""Compares the books of two networks: each verifies, and what one owes is what the other is owed."""

import json
from collections.abc import Mapping

from fedaid.demo.servers import Town, side_by_side
from fedaid.foundation.refused import Refused
from fedaid.foundation.wording import in_figures


def compare(first: Town, second: Town) -> str:
    """The figures both sides agree on, in words. Raises Refused or RuntimeError with what differs."""
    at_first, at_second = side_by_side(_verified_accounts, (first, second))
    ours, theirs = at_first[second.host], at_second[first.host]
    if ours["we_owe_them"] != theirs["they_owe_us"] or ours["they_owe_us"] != theirs["we_owe_them"]:
        raise Refused("ledgers_differ", f"The ledgers differ: {first.name} says {ours}, {second.name} says {theirs}.")
    owed, owing = ours["we_owe_them"], ours["they_owe_us"]
    return (
        f"{first.name} owes {second.name} {in_figures(owed)}, {second.name} owes {first.name} {in_figures(owing)}; "
        "every sum, hash and signature verifies on both sides"
    )


def _verified_accounts(town: Town) -> Mapping[str, Mapping[str, int]]:
    """What is owed, both ways, to each host, in minutes. Raises RuntimeError when the ledger does not verify."""
    town.run("ledger", "verify")
    rows = json.loads(town.run("network", "list", "--json"))
    return {row["host"]: {name: int(row[name]) for name in ("we_owe_them", "they_owe_us")} for row in rows}
