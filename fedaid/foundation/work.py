"""The unit of work: one transaction in which a fact and its announcement are stored together or not at all."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from fedaid.foundation.clock import Clock
from fedaid.foundation.database import Database
from fedaid.foundation.ids import IdSource
from fedaid.foundation.names import Names


@dataclass
class Work:
    """What a command writes with. Lives as long as its transaction."""

    connection: Connection
    now: datetime
    names: Names
    _ids: IdSource
    facts: list[object] = field(default_factory=list)

    def new_id(self) -> int:
        return self._ids.next()

    def record(self, fact: object) -> None:
        """Say what happened (a frozen dataclass); announcers turn it into activities before the commit."""
        self.facts.append(fact)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A part that may fail by itself: when the block raises, its rows and its facts are undone, the rest stands.

        We say the savepoint ourselves, as each letter has one: SQLAlchemy's costs as much as four reads. One inside
        another may have the same name; the innermost is meant.
        """
        recorded = len(self.facts)
        self.connection.exec_driver_sql("SAVEPOINT attempt")
        try:
            yield
        except BaseException:  # whatever ends the block, an interrupt too, its facts were not stored
            del self.facts[recorded:]
            self.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT attempt")
            self.connection.exec_driver_sql("RELEASE SAVEPOINT attempt")
            raise
        self.connection.exec_driver_sql("RELEASE SAVEPOINT attempt")


@dataclass(frozen=True)
class Together:
    """An announcer that is told all its facts of a unit of work at once, after the others have been told each.

    For what makes the same rows of each fact: many letters that are applied together then cost one statement.
    """

    tell: Callable[[Work, Sequence[object]], None]


Announcer = Callable[[Work, object], None] | Together
Announcers = Mapping[type, Sequence[Announcer]]


class UnitsOfWork:
    """Opens units of work. Only doors, the command line and the workers hold one."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        names: Names,
        announcers: Announcers,
        after_commit: Callable[[], None] = lambda: None,
    ) -> None:
        self.database = database
        self.clock = clock
        self.names = names
        self._ids = IdSource(clock)
        self._announcers = announcers
        self._after_commit = after_commit

    @contextmanager
    def begin(self) -> Iterator[Work]:
        """One transaction. Its facts are announced on the same connection, then everything commits at once."""
        with self.database.write() as connection:
            work = Work(connection, self.clock.now(), self.names, self._ids)
            yield work
            self._announce(work)
        self._after_commit()

    def _announce(self, work: Work) -> None:
        announced = 0
        while announced < len(work.facts):  # an announcer may record further facts
            together: dict[Together, list[object]] = {}
            while announced < len(work.facts):
                fact = work.facts[announced]
                announced += 1
                for announcer in self._announcers.get(type(fact), ()):
                    if isinstance(announcer, Together):
                        together.setdefault(announcer, []).append(fact)
                    else:
                        announcer(work, fact)
            for announcer, facts in together.items():
                announcer.tell(work, facts)
