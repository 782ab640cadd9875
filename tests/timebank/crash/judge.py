"""Compares both databases with each other and with what people saw: what was lost, what was doubled, what was made up."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from fedaid.timebank.audit import verify_ledger
from fedaid.timebank.tables import account, peer, posting, resend, transfer, waiting_step
from inbox.tables import State, inbox_letter
from tests.support.databases import opened
from tests.timebank.crash.people import Act, End, History, Press
from tests.timebank.crash.towns import BusyTown

OVER = {"settled", "credited", "rejected", "void", "posted", "refused", "withdrawn", "none"}
MOVED = {"settled", "credited", "posted"}
AGREED = {("settled", "credited"), ("rejected", "void"), ("rejected", None), (None, "void"), ("none", "void")}


@dataclass(frozen=True)
class Hours:
    """A transfer as one of the two books has it."""

    kind: str
    state: str
    minutes: int
    posted: int


@dataclass(frozen=True)
class Book:
    """What stands in one town's database."""

    hours: Mapping[str, Hours]
    balances: int
    clearing: int
    held: int
    findings: Sequence[str]


@dataclass(frozen=True)
class Verdict:
    """Sentences for everything that is wrong, sorted by what kind of wrong it is; ``moved`` transfers were posted."""

    transfers: int
    moved: int
    lost: Sequence[str]
    doubled: Sequence[str]
    wrong: Sequence[str]


def book_of(town: BusyTown) -> Book:
    """Everything that counts, read in one transaction."""
    with opened(town.database_url) as database, database.read() as connection:
        times = Counter(connection.execute(select(posting.c.transfer_id)).scalars())
        rows = connection.execute(select(transfer.c.id, transfer.c.kind, transfer.c.state, transfer.c.minutes)).all()
        hours = {row.id: Hours(row.kind, row.state, row.minutes, times[row.id]) for row in rows}
        return Book(
            hours,
            _sum(connection, account.c.balance),
            int(connection.execute(select(account.c.balance).where(account.c.kind == "clearing")).scalar_one()),
            _sum(connection, account.c.held),
            verify_ledger(connection).findings,
        )


def _sum(connection: Connection, column: object) -> int:
    return int(connection.execute(select(func.coalesce(func.sum(column), 0))).scalar_one())


def sum_now(town: BusyTown) -> int:
    """All balances together, in one reading while everything goes on: zero, always."""
    with opened(town.database_url) as database, database.read() as connection:
        return _sum(connection, account.c.balance)


def is_quiet(town: BusyTown) -> bool:
    """Whether nothing is on its way or undecided, and nobody has to be asked."""
    with opened(town.database_url) as database, database.read() as connection:
        open_ones = select(transfer.c.id).where(transfer.c.state.not_in(OVER))
        unanswered = select(resend.c.fact_n).where(resend.c.acked_at.is_(None))
        unsynced = select(peer.c.id).where(peer.c.sync_asked > peer.c.sync_done)
        letters = select(inbox_letter.c.activity_id).where(inbox_letter.c.state == State.NEW)
        queries = (open_ones, unanswered, unsynced, letters, select(waiting_step.c.n))
        return not any(connection.execute(query.limit(1)).first() for query in queries)


def judge(towns: tuple[BusyTown, BusyTown], history: History) -> Verdict:
    """Q1 to Q5 and L1 to L8 between the two books, and both against the history, as Jepsen does."""
    north, river = towns
    books = {town.name: book_of(town) for town in towns}
    lost = [*_posted_on_one_side(books), *_acknowledged_and_gone(towns, books, history)]
    doubled = [*_posted_twice(books), *_never_agreed_to(towns, books, history)]
    wrong = [f"{name}: {finding}" for name, book in books.items() for finding in book.findings]
    wrong += [f"{name}: its balances add up to {book.balances}" for name, book in books.items() if book.balances]
    wrong += [f"{name}: {book.held} minutes are still on hold" for name, book in books.items() if book.held]
    if books[north.name].clearing != -books[river.name].clearing:
        wrong.append(f"the two accounts differ: {books[north.name].clearing} and {books[river.name].clearing}")
    wrong += _states_that_differ(books)
    hours = {name: one for book in books.values() for name, one in book.hours.items()}
    return Verdict(len(hours), sum(bool(one.posted) for one in hours.values()), lost, doubled, wrong)


def _pairs(books: Mapping[str, Book]) -> Iterator[tuple[str, Hours | None, Hours | None]]:
    """Every transfer between the two: at the payer's, at the payee's."""
    for name in sorted({one for book in books.values() for one, hours in book.hours.items() if hours.kind != "local"}):
        seen = [book.hours[name] for book in books.values() if name in book.hours]
        at_payer = next((one for one in seen if one.kind == "out"), None)
        at_payee = next((one for one in seen if one.kind == "in"), None)
        yield name, at_payer, at_payee


def _posted_on_one_side(books: Mapping[str, Book]) -> Iterator[str]:
    for name, at_payer, at_payee in _pairs(books):
        posted = bool(at_payer and at_payer.posted), bool(at_payee and at_payee.posted)
        if posted[0] != posted[1]:
            yield f"{name} was posted at the {'payer' if posted[0] else 'payee'}'s only"


def _states_that_differ(books: Mapping[str, Book]) -> Iterator[str]:
    for name, at_payer, at_payee in _pairs(books):
        states = (at_payer.state if at_payer else None, at_payee.state if at_payee else None)
        if states not in AGREED:
            yield f"{name} is {states[0]} at the payer's and {states[1]} at the payee's"


def _posted_twice(books: Mapping[str, Book]) -> Iterator[str]:
    for town, book in books.items():
        for name, hours in book.hours.items():
            if hours.posted > 1:
                yield f"{name} was posted {hours.posted} times at {town}"


def _id_of(town: BusyTown, press: Press) -> str:
    """Its id, where it was begun by the press."""
    return f"{town.origin}/ledger/transfers/{press.transfer}" if press.act in (Act.CLAIM, Act.GIVE) else press.transfer


def _was_forgotten(town: BusyTown, press: Press) -> bool:
    """Whether the town was put back to a time before it answered: then only what its neighbour knows comes back."""
    return any(one.backed_up_at < press.at < one.at for one in town.restores)


def _acknowledged_and_gone(
    towns: tuple[BusyTown, BusyTown], books: Mapping[str, Book], history: History
) -> Iterator[str]:
    for town, press in _by_town(towns, history):
        if press.end is not End.DONE or _was_forgotten(town, press):
            continue
        name = _id_of(town, press)
        here = books[town.name].hours.get(name)
        if here is None and _was_taken_back(history, name, press.transfer):
            continue  # while it was queued: there has never been a transfer
        if here is None:
            yield f"{press.act} of {name} was answered at {town.name} and is not in its books"
        elif press.act is Act.CONFIRM and not _was_outvoted(history, name) and here.state not in MOVED:
            yield f"{name} was confirmed at {town.name} and is {here.state}"
        elif press.act is Act.GIVE and here.state != "posted":
            yield f"{name} was given at {town.name} and is {here.state}"


def _was_taken_back(history: History, name: str, key: str) -> bool:
    return any(one.act is Act.WITHDRAW and one.transfer in (name, key) for one in history.presses)


def _was_outvoted(history: History, name: str) -> bool:
    """Whether somebody also turned it down: while it was queued, what was pressed last counts."""
    return any(one.transfer == name and one.act is Act.REFUSE for one in history.presses)


def _never_agreed_to(towns: tuple[BusyTown, BusyTown], books: Mapping[str, Book], history: History) -> Iterator[str]:
    """Hours that left an account though nobody there had pressed for it; and such that moved other minutes."""
    pressed: dict[str, Press] = {}
    confirmed = set()
    for town, press in _by_town(towns, history):
        if press.act in (Act.CLAIM, Act.GIVE):
            pressed[_id_of(town, press)] = press
        if press.act is Act.CONFIRM:
            confirmed.add(press.transfer)
    for town_name, book in books.items():
        for name, hours in book.hours.items():
            if not hours.posted:
                continue
            begun = pressed.get(name)
            if begun is None or begun.minutes != hours.minutes:
                yield f"{name} moved {hours.minutes} minutes at {town_name} that nobody claimed or gave"
            elif hours.kind == "out" and name not in confirmed:
                yield f"{name} was taken at {town_name} and nobody confirmed it"


def _by_town(towns: tuple[BusyTown, BusyTown], history: History) -> Iterator[tuple[BusyTown, Press]]:
    by_name = {town.name: town for town in towns}
    for press in history.presses:
        yield by_name[press.town], press
