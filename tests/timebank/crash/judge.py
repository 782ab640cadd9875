"""Compares both books with each other and with what people saw: what was lost, what was doubled, what was made up.

It only compares what it is given; ``books`` reads the databases. Each sentence ends with the story of its transfer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.timebank.crash.books import Book, Hours
from tests.timebank.crash.people import Act, End, History, Press
from tests.timebank.crash.towns import Restore

MOVED = {"settled", "credited", "posted"}
AGREED = {("settled", "credited"), ("rejected", "void"), ("rejected", None), (None, "void"), ("none", "void")}
TURNED_DOWN = (Act.WITHDRAW, Act.REFUSE)
ENDS = {End.DONE: "done", End.QUEUED: "queued", End.REFUSED: "refused", End.UNKNOWN: "no answer"}


@dataclass(frozen=True)
class Side:
    """What is left of one town: its book, and when it was put back."""

    name: str
    book: Book
    restores: Sequence[Restore] = ()


@dataclass(frozen=True)
class Verdict:
    """Sentences for everything that is wrong, sorted by what kind of wrong it is; ``moved`` transfers were posted."""

    transfers: int
    moved: int
    lost: Sequence[str]
    doubled: Sequence[str]
    wrong: Sequence[str]

    @property
    def is_clean(self) -> bool:
        """Whether there is nothing to say."""
        return not (self.lost or self.doubled or self.wrong)


def judge(sides: tuple[Side, Side], history: History) -> Verdict:
    """Q1 to Q5 and L1 to L8 between the two books, and both against the history, as Jepsen does."""
    case = _Case(sides, history)
    lost = [*_posted_on_one_side(case), *_acknowledged_and_gone(case)]
    doubled = [*_posted_twice(case), *_never_agreed_to(case)]
    hours = {name: one for side in sides for name, one in side.book.hours.items()}
    moved = sum(bool(one.posted) for one in hours.values())
    return Verdict(len(hours), moved, lost, doubled, [*_books_that_are_wrong(sides), *_states_that_differ(case)])


@dataclass(frozen=True)
class _Case:
    sides: tuple[Side, Side]
    history: History

    def side(self, town: str) -> Side:
        return next(side for side in self.sides if side.name == town)

    def presses(self, transfer: str, *acts: Act) -> list[Press]:
        return [one for one in self.history.presses if one.transfer == transfer and one.act in acts]

    def story(self, transfer: str) -> str:
        """Everything that was pressed about this transfer, and every town that was put back, in the order of time."""
        start = min((one.began for one in self.history.presses), default=0)
        told = [(one.began, _told(one, start)) for one in self.presses(transfer, *Act)]
        for side in self.sides:
            told += [(one.at, f"{side.name} put back to {one.backed_up_at - start:.1f} s") for one in side.restores]
        return "; ".join(f"{at - start:.1f} s {words}" for at, words in sorted(told)) or "nobody pressed anything"

    def about(self, transfer: str, words: str) -> str:
        return f"{transfer} {words} [{self.story(transfer)}]"


def _told(press: Press, start: float) -> str:
    return f"{press.person} at {press.town}: {press.act} ({ENDS[press.end]} at {press.at - start:.1f} s)"


# the two books


def _books_that_are_wrong(sides: tuple[Side, Side]) -> Iterator[str]:
    for side in sides:
        yield from (f"{side.name}: {finding}" for finding in side.book.findings)
        if side.book.balances:
            yield f"{side.name}: its balances add up to {side.book.balances}"
        if side.book.held:
            yield f"{side.name}: {side.book.held} minutes are still on hold"
    one, other = (side.book.clearing for side in sides)
    if one != -other:
        yield f"the two accounts differ: {one} and {other}"


def _pairs(case: _Case) -> Iterator[tuple[str, Hours | None, Hours | None]]:
    """Every transfer between the two: at the payer's, at the payee's."""
    books = [side.book for side in case.sides]
    for name in sorted({one for book in books for one, hours in book.hours.items() if hours.kind != "local"}):
        seen = [book.hours[name] for book in books if name in book.hours]
        at_payer = next((one for one in seen if one.kind == "out"), None)
        at_payee = next((one for one in seen if one.kind == "in"), None)
        yield name, at_payer, at_payee


def _posted_on_one_side(case: _Case) -> Iterator[str]:
    for name, at_payer, at_payee in _pairs(case):
        posted = bool(at_payer and at_payer.posted), bool(at_payee and at_payee.posted)
        if posted[0] != posted[1]:
            yield case.about(name, f"was posted at the {'payer' if posted[0] else 'payee'}'s only")


def _states_that_differ(case: _Case) -> Iterator[str]:
    for name, at_payer, at_payee in _pairs(case):
        states = (at_payer.state if at_payer else None, at_payee.state if at_payee else None)
        if states not in AGREED:
            yield case.about(name, f"is {states[0]} at the payer's and {states[1]} at the payee's")


def _posted_twice(case: _Case) -> Iterator[str]:
    for side in case.sides:
        for name, hours in side.book.hours.items():
            if hours.posted > 1:
                yield case.about(name, f"was posted {hours.posted} times at {side.name}")


# the books and the people


def _acknowledged_and_gone(case: _Case) -> Iterator[str]:
    for press in case.history.presses:
        side = case.side(press.town)
        if press.end not in (End.DONE, End.QUEUED) or _may_be_forgotten(side, press):
            continue
        words = _what_is_missing(case, press, side.book.hours.get(press.transfer))
        if words:
            yield case.about(press.transfer, words)


def _may_be_forgotten(side: Side, press: Press) -> bool:
    """Whether it may have been carried out in a time that the town forgot: then only what its neighbour knows returns.

    It was carried out between the press and its answer.
    """
    return any(one.backed_up_at < press.at and press.began < one.at for one in side.restores)


def _what_is_missing(case: _Case, press: Press, here: Hours | None) -> str | None:
    """What was done stays done. What was only queued may have been taken back or turned down before it was done."""
    if press.end is End.QUEUED and _was_turned_down(case, press.transfer):
        return None
    if here is None:
        if press.act is Act.WITHDRAW and _was_never_begun(case, press.transfer):
            return None
        return f"is not in the books of {press.town}, where a {press.act} of it was {ENDS[press.end]}"
    if press.act is Act.CONFIRM and here.state not in MOVED:
        return f"is {here.state} at {press.town}, where confirming it was {ENDS[press.end]}"
    if press.act is Act.GIVE and here.state != "posted":
        return f"is {here.state} at {press.town}, where giving it was {ENDS[press.end]}"
    return None


def _was_turned_down(case: _Case, transfer: str) -> bool:
    return any(one.end is not End.REFUSED for one in case.presses(transfer, *TURNED_DOWN))


def _was_never_begun(case: _Case, transfer: str) -> bool:
    """Whether nobody was told that the claim is made: while it is queued, taking it back leaves nothing of it."""
    return all(one.end is not End.DONE for one in case.presses(transfer, Act.CLAIM, Act.GIVE))


def _never_agreed_to(case: _Case) -> Iterator[str]:
    """Hours that left an account though nobody there had pressed for it; and such that moved other minutes."""
    for side in case.sides:
        for name, hours in side.book.hours.items():
            if not hours.posted:
                continue
            begun = {one.minutes for one in case.presses(name, Act.CLAIM, Act.GIVE)}
            if begun != {hours.minutes}:
                yield case.about(name, f"moved {hours.minutes} minutes at {side.name} that nobody claimed or gave")
            elif hours.kind == "out" and not case.presses(name, Act.CONFIRM):
                yield case.about(name, f"was taken at {side.name} and nobody confirmed it")
