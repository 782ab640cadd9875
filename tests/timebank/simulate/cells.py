"""Which cells of the two state tables a run has come through: what was never tried was never shown to work."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from fedaid.timebank.rules import payee, payer

Cell = tuple[str, str, str]
PAYER_CELLS = frozenset(
    ("payer", happened.value, state.value) for happened, row in payer.TABLE.items() for state in row
)
PAYEE_CELLS = frozenset(
    ("payee", happened.value, state.value) for happened, row in payee.TABLE.items() for state in row
)
EVERY_CELL = PAYER_CELLS | PAYEE_CELLS


@dataclass
class Cells:
    """The cells that were hit."""

    hit: set[Cell] = field(default_factory=set)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Note every decision that the product's tables make."""
        with (
            patch.object(payer, "decide", self._noting("payer", payer.decide)),
            patch.object(payee, "decide", self._noting("payee", payee.decide)),
        ):
            yield

    def _noting(self, side: str, decide: Any) -> Any:
        def noting(state: Any, happened: Any, given: Any) -> Any:
            self.hit.add((side, happened.value, state.value))
            return decide(state, happened, given)

        return noting
