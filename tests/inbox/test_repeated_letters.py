"""An inbox whose owner answers each time: a settled letter that comes again is applied again, elsewhere it is not."""

from dataclasses import replace

import pytest
from sqlalchemy import update

from inbox.journal import Journal
from inbox.tables import State, inbox_letter
from tests.inbox.world import World, entry

pytestmark = pytest.mark.anyio
LEDGER = "/ledger/inbox"


def settle(world: World, state: State) -> None:
    with world.database.write() as connection:
        connection.execute(update(inbox_letter).values(state=state.value, tries=1, body=b""))


@pytest.mark.parametrize("state", [State.DONE, State.IGNORED, State.REFUSED])
async def test_a_settled_letter_to_the_ledger_is_applied_again_as_it_comes_now(world: World, state: State) -> None:
    journal = Journal(world.database.write, world.clock, repeatable=[LEDGER])
    letter = replace(entry(1), inbox=LEDGER)
    await journal.append(letter)
    settle(world, state)
    assert not await journal.append(replace(letter, body=b"{}"))
    [found] = world.letters()
    assert (found.state, found.tries, found.body) == (State.NEW, 0, b"{}")
    await journal.close()


@pytest.mark.parametrize("state", [State.NEW, State.FAILED])
async def test_a_letter_that_is_not_settled_stays_as_it_is(world: World, state: State) -> None:
    journal = Journal(world.database.write, world.clock, repeatable=[LEDGER])
    letter = replace(entry(1), inbox=LEDGER)
    await journal.append(letter)
    settle(world, state)
    await journal.append(letter)
    assert (world.letters()[0].state, world.letters()[0].tries) == (state, 1)
    await journal.close()


async def test_nobody_has_another_senders_letter_applied_again(world: World) -> None:
    journal = Journal(world.database.write, world.clock, repeatable=[LEDGER])
    letter = replace(entry(1), inbox=LEDGER)
    await journal.append(letter)
    settle(world, State.DONE)
    await journal.append(replace(letter, sender="https://evil.example/users/eve"))
    assert world.letters()[0].state == State.DONE
    await journal.close()


async def test_in_other_inboxes_a_repeated_letter_has_no_effect(world: World) -> None:
    journal = Journal(world.database.write, world.clock, repeatable=[LEDGER])
    await journal.append(entry(1))
    settle(world, State.DONE)
    await journal.append(entry(1))
    assert world.letters()[0].state == State.DONE
    await journal.close()
