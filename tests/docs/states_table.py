"""The two state tables of the timebank as the explanation shows them, out of the tables that the code runs by."""

from collections.abc import Mapping
from typing import Any

from fedaid.timebank.rules import payee, payer
from fedaid.timebank.rules.states import Hold, Outcome
from tests.docs.pages import table

_FIRST = {"unacceptable": "not acceptable: ", "approved": "agreed beforehand: ", "fits": "room: "}
_HOLDS = {Hold.TAKE: "hold", Hold.RELEASE: "release the hold"}


def payer_table() -> str:
    """What happens at the payer's network, which decides."""
    return _whole(payer.TABLE)


def payee_table() -> str:
    """What happens at the payee's network, which claims."""
    return _whole(payee.TABLE)


def _whole(cells: Mapping[Any, Mapping[Any, Mapping[Any, Outcome]]]) -> str:
    states = list(next(iter(cells.values())))
    rows = [[f"**{happened}**", *(_cell(state, row[state]) for state in states)] for happened, row in cells.items()]
    return table(["", *(f"`{state}`" for state in states)], rows)


def _cell(before: Any, outcomes: Mapping[Any, Outcome]) -> str:
    several = len(outcomes) > 1
    said = [_prefix(choice, several) + _outcome(before, outcome) for choice, outcome in outcomes.items()]
    return "<br>".join(said)


def _prefix(choice: Any, several: bool) -> str:
    return _FIRST.get(choice, "else: ") if several else ""


def _outcome(before: Any, outcome: Outcome) -> str:
    parts = [] if outcome.state is before else [f"→ `{outcome.state}`"]
    parts += [_HOLDS[outcome.hold]] if outcome.hold in _HOLDS else []
    parts += ["**post**"] if outcome.posts else []
    parts += [f"sign {kind.replace('_', ' ')}" for kind in outcome.signs]
    parts += [f"resend {kind.replace('_', ' ')}" for kind in outcome.resends]
    parts += [f"alarm: {what}" for what in outcome.alarms]
    parts += [f"refused: {outcome.tells.replace('_', ' ')}"] if outcome.tells else []
    return "; ".join(parts) or "–"
