"""The desk for mail that came in: which letters were refused or failed, why, and another try for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from fedaid.foundation.refused import Refused
from fedaid.foundation.work import Work
from inbox import queries
from inbox.queries import LetterLine
from inbox.tables import State

LETTERS_SHOWN_MAX = 100
SHOWN = (State.FAILED, State.REFUSED, State.NEW)


@dataclass(frozen=True)
class Desk:
    """The letters of one state, newest first, and how many there are of each."""

    state: State
    letters: Sequence[LetterLine]
    counts: Mapping[State, int]


def desk(connection: Connection, state: State = State.FAILED) -> Desk:
    """What stands on the desk."""
    return Desk(state, queries.letters(connection, state, LETTERS_SHOWN_MAX), queries.counts(connection))


def why(letter: LetterLine) -> str:
    """Why it ended as it did, in a sentence where there is one."""
    if letter.state is State.NEW:
        return letter.sentence or "It waits for its turn."
    return letter.sentence or letter.code


def retry(work: Work, number: int) -> None:
    """Apply a letter anew. Raises Refused when it did not fail, or its text is no longer kept."""
    if not queries.retry(work.connection, number):
        raise Refused("no_such_letter", "This letter cannot be tried again: it was applied, or its text is gone.", 404)


def retry_failed(work: Work) -> int:
    """Apply anew all letters that failed through a fault of ours, and say how many."""
    return queries.retry_failed(work.connection)
