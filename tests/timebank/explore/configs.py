"""What is explored: in every test run, and by ``make explore ARGS=--all``."""

from fedaid.timebank.rules import payee
from fedaid.timebank.rules.states import Side
from tests.timebank.explore.search import CLAIM_AND_CANCEL, EVERY, Config

OUT, IN = Side.PAYER, Side.PAYEE
NO_ADMIN = EVERY - {payee.Input.TAKE_LATE}  # who alone may take on more than the line

QUICK = (
    Config("1 transfer, every action", (OUT,)),
    Config("1 transfer, payer's side restored", (OUT,), restores=(1, 0)),
    Config("1 transfer, payee's side restored", (OUT,), restores=(0, 1)),
    Config("1 transfer, both restored", (OUT,), restores=(1, 1)),
    Config("2 transfers the same way, every action", (OUT, OUT)),
    Config("2 transfers the same way, claim and cancel, payer's side restored", (OUT, OUT), CLAIM_AND_CANCEL, (1, 0)),
    Config("2 transfers the same way, claim and cancel, payee's side restored", (OUT, OUT), CLAIM_AND_CANCEL, (0, 1)),
    Config("2 transfers opposite, every action", (OUT, IN)),
    Config("2 transfers opposite, every action, one side restored", (OUT, IN), EVERY, (1, 0)),
    Config("2 transfers the same way, the payer's side lies", (OUT, OUT), NO_ADMIN, liar=0),
    Config("2 transfers the same way, the payee's side lies", (OUT, OUT), NO_ADMIN, liar=1),
    Config("2 transfers opposite, one side lies", (OUT, IN), NO_ADMIN, liar=0),
)
LARGE = (
    Config("1 transfer, both restored twice", (OUT,), restores=(2, 2)),
    Config("2 transfers the same way, every action, payer's side restored", (OUT, OUT), EVERY, (1, 0)),
    Config("2 transfers the same way, every action, payee's side restored", (OUT, OUT), EVERY, (0, 1)),
    Config("2 transfers opposite, claim and cancel, both restored", (OUT, IN), CLAIM_AND_CANCEL, (1, 1)),
)
