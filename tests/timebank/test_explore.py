"""Everything two ledgers can come to, explored to the end with the product's own state tables; see explore/."""

from functools import cache

import pytest

from fedaid.timebank.rules import payee, payer
from fedaid.timebank.rules.states import Side
from tests.timebank.explore.configs import QUICK
from tests.timebank.explore.search import Config, Explorer, Found


@cache
def explored(config: Config) -> Found:
    found = Explorer(config).run()
    print(found)  # noqa: T201 - shown when it fails
    return found


@pytest.mark.parametrize("config", QUICK, ids=lambda config: config.name)
def test_nothing_that_can_happen_breaks_an_invariant(config: Config) -> None:
    found = explored(config)
    assert found.violations == 0, f"{found.first}\n" + "\n".join(found.trace)


def named(name: str) -> Found:
    return explored(next(config for config in QUICK if config.name == name))


def test_what_the_proof_is_about_does_occur() -> None:
    no_fault = named("2 transfers the same way, every action").sights
    assert no_fault["in flight"]
    assert no_fault["accept beats cancel"]
    assert no_fault["waits for an admin"]
    restored = named("1 transfer, both restored").sights
    assert restored["the decider contradicts itself"]
    assert restored["void, then credited"]
    assert restored["credited while the payer's side has forgotten"]


def test_every_cell_of_both_tables_is_reached() -> None:
    honest = [
        config for config in QUICK if len(config.sides) == 1 or config.name.endswith("the same way, every action")
    ]
    reached = {cell for config in honest for cell in explored(config).cells}
    cells = {(Side.PAYER.value, happened.value, state.value) for happened, row in payer.TABLE.items() for state in row}
    cells |= {(Side.PAYEE.value, happened.value, state.value) for happened, row in payee.TABLE.items() for state in row}
    assert cells - reached == set()
