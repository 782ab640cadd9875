"""The judge of the storm names what was lost and what was doubled, and excuses only what it has a reason for."""

import random
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from fedaid.demo.browser import Browser
from fedaid.demo.servers import Person, Town
from tests.timebank.crash.books import Book, Hours
from tests.timebank.crash.judge import Side, Verdict, judge
from tests.timebank.crash.people import Act, End, History, Neighbour, Press, end_said
from tests.timebank.crash.towns import Restore

NORTH, RIVER = "Northside", "Riverside"
ID = "http://northside.example/ledger/transfers/1"
PAID, GOT = Hours("out", "settled", 30, 1), Hours("in", "credited", 30, 1)
TURNED_DOWN, VOID = Hours("out", "rejected", 30, 0), Hours("in", "void", 30, 0)
# Ana in Northside says at 10 s that she helped Ben in Riverside; he confirms at 20 s. Each answer takes a second.
CLAIM = Press(NORTH, "ana", Act.CLAIM, ID, 30, End.DONE, 10, 11)
CONFIRM = Press(RIVER, "ben", Act.CONFIRM, ID, 0, End.DONE, 20, 21)


def pressed(town: str, act: Act, end: End, began: float = 15) -> Press:
    return Press(town, "somebody", act, ID, 30 if act is Act.CLAIM else 0, end, began, began + 1)


def verdict(
    north: Hours | None,
    river: Hours | None,
    *presses: Press,
    restores: Mapping[str, Restore] | None = None,
) -> Verdict:
    put_back = restores or {}
    sides = tuple(
        Side(name, _book(hours), [put_back[name]] if name in put_back else [])
        for name, hours in ((NORTH, north), (RIVER, river))
    )
    return judge((sides[0], sides[1]), History(list(presses)))


def _book(hours: Hours | None) -> Book:
    moved = hours.minutes * hours.posted * (-1 if hours.kind == "in" else 1) if hours else 0
    return Book({ID: hours} if hours else {}, 0, moved, 0, ())


def test_hours_that_were_claimed_and_confirmed_and_moved_once_are_in_order() -> None:
    found = verdict(GOT, PAID, CLAIM, CONFIRM)
    assert found.is_clean
    assert (found.transfers, found.moved) == (1, 1)


# what is lost


def test_hours_that_left_and_never_arrived_are_lost_and_their_story_is_told() -> None:
    found = verdict(Hours("in", "claimed", 30, 0), PAID, CLAIM, CONFIRM, restores={NORTH: Restore(12, 14)})
    assert found.lost == [
        f"{ID} was posted at the payer's only "
        "[0.0 s ana at Northside: claim (done at 1.0 s); 4.0 s Northside put back to 2.0 s; "
        "10.0 s ben at Riverside: confirm (done at 11.0 s)]"
    ]
    assert not found.is_clean


def test_a_claim_that_was_acknowledged_and_is_nowhere_is_lost() -> None:
    [sentence] = verdict(None, None, CLAIM).lost
    assert sentence.startswith(f"{ID} is not in the books of Northside, where a claim of it was done [")


@pytest.mark.parametrize("act", [Act.WITHDRAW, Act.REFUSE])
def test_a_confirmation_that_was_done_is_excused_by_nothing_that_others_pressed(act: Act) -> None:
    town = NORTH if act is Act.WITHDRAW else RIVER
    [sentence] = verdict(VOID, TURNED_DOWN, CLAIM, pressed(town, act, End.DONE), CONFIRM).lost
    assert sentence.startswith(f"{ID} is rejected at Riverside, where confirming it was done [")


def test_a_claim_that_was_done_is_not_excused_by_its_withdrawal() -> None:
    [sentence] = verdict(None, None, CLAIM, pressed(NORTH, Act.WITHDRAW, End.UNKNOWN)).lost
    assert "where a claim of it was done" in sentence


def test_a_confirmation_that_was_queued_and_that_nobody_turned_down_is_lost() -> None:
    [sentence] = verdict(VOID, TURNED_DOWN, CLAIM, pressed(RIVER, Act.CONFIRM, End.QUEUED)).lost
    assert sentence.startswith(f"{ID} is rejected at Riverside, where confirming it was queued [")


def test_a_claim_that_was_queued_and_that_nobody_took_back_is_lost() -> None:
    [sentence] = verdict(None, None, pressed(NORTH, Act.CLAIM, End.QUEUED)).lost
    assert "where a claim of it was queued" in sentence


def test_hours_given_at_home_that_did_not_move_are_lost() -> None:
    gone = verdict(Hours("local", "pending", 30, 0), None, Press(NORTH, "ana", Act.GIVE, ID, 30, End.DONE, 1, 2)).lost
    assert [one.partition(" [")[0] for one in gone] == [f"{ID} is pending at Northside, where giving it was done"]


# what is excused


@pytest.mark.parametrize("end", [End.DONE, End.QUEUED, End.UNKNOWN])
@pytest.mark.parametrize("act", [Act.WITHDRAW, Act.REFUSE])
def test_a_confirmation_that_was_only_queued_gives_way_to_whoever_turned_it_down(act: Act, end: End) -> None:
    queued = pressed(RIVER, Act.CONFIRM, End.QUEUED)
    turned_down = pressed(NORTH if act is Act.WITHDRAW else RIVER, act, end)
    assert verdict(VOID, TURNED_DOWN, CLAIM, queued, turned_down).is_clean


def test_what_was_turned_down_in_vain_excuses_nothing() -> None:
    queued, in_vain = pressed(RIVER, Act.CONFIRM, End.QUEUED), pressed(NORTH, Act.WITHDRAW, End.REFUSED)
    assert len(verdict(VOID, TURNED_DOWN, CLAIM, queued, in_vain).lost) == 1


def test_a_claim_that_was_taken_back_while_it_was_queued_has_never_been() -> None:
    queued, taken_back = pressed(NORTH, Act.CLAIM, End.QUEUED, 10), pressed(NORTH, Act.WITHDRAW, End.DONE)
    assert verdict(None, None, queued, taken_back).is_clean


def test_what_a_town_answered_before_it_was_put_back_may_be_gone_on_both_sides() -> None:
    assert verdict(None, None, CLAIM, restores={NORTH: Restore(5, 12)}).is_clean


@pytest.mark.parametrize("restore", [Restore(11.5, 30), Restore(2, 9)])
def test_a_restore_that_forgot_another_time_excuses_nothing(restore: Restore) -> None:
    assert len(verdict(None, None, CLAIM, restores={NORTH: restore}).lost) == 1


def test_the_neighbour_that_was_put_back_is_no_excuse() -> None:
    assert len(verdict(None, None, CLAIM, restores={RIVER: Restore(5, 12)}).lost) == 1


# what is doubled


def test_hours_that_were_posted_twice_are_doubled() -> None:
    twice = Hours("out", "settled", 30, 2)
    [sentence] = verdict(GOT, twice, CLAIM, CONFIRM).doubled
    assert sentence.startswith(f"{ID} was posted 2 times at Riverside [")


def test_hours_that_nobody_confirmed_are_made_up() -> None:
    [sentence] = verdict(GOT, PAID, CLAIM).doubled
    assert sentence.startswith(f"{ID} was taken at Riverside and nobody confirmed it [")


def test_other_minutes_than_were_claimed_are_made_up() -> None:
    more, most = Hours("in", "credited", 45, 1), Hours("out", "settled", 45, 1)
    assert [one.partition(" [")[0] for one in verdict(more, most, CLAIM, CONFIRM).doubled] == [
        f"{ID} moved 45 minutes at Northside that nobody claimed or gave",
        f"{ID} moved 45 minutes at Riverside that nobody claimed or gave",
    ]


# what is wrong otherwise


def test_books_that_do_not_add_up_are_named() -> None:
    broken = Side(NORTH, Book({}, 5, 5, 10, ["posting 3: its hash is wrong"]))
    assert judge((broken, Side(RIVER, Book({}, 0, 0, 0, ()))), History()).wrong == [
        "Northside: posting 3: its hash is wrong",
        "Northside: its balances add up to 5",
        "Northside: 10 minutes are still on hold",
        "the two accounts differ: 5 and 0",
    ]


def test_states_that_do_not_belong_together_are_named() -> None:
    [sentence] = verdict(VOID, Hours("out", "offered", 30, 0), CLAIM).wrong
    assert sentence.startswith(f"{ID} is offered at the payer's and void at the payee's [")


# what the judge is told


class OneAnswer(Browser):
    """The first of two presses is done at once; the answer to the other never comes, which shows after a while."""

    def __init__(self) -> None:
        super().__init__("http://northside.example")
        self._presses = iter(range(2))

    def send(self, address: str, fields: Mapping[str, str]) -> httpx2.Response:
        if next(self._presses):
            time.sleep(0.2)
            raise httpx2.ConnectError("the server was ended meanwhile")
        return httpx2.Response(303, headers={"location": "/me?said=hours_claimed"})


class AlwaysTwice(random.Random):
    """Whoever has this chance presses everything twice."""

    def random(self) -> float:
        return 0.0


def test_each_of_two_presses_ends_when_its_own_answer_came(tmp_path: Path) -> None:
    """By the later of the two a restore in between would look as if it had come before what was done."""
    ana = Person("ana", "Ana")
    town = Town("Northside", "http://northside.example", tmp_path, [ana])
    with closing(OneAnswer()) as browser:
        neighbour = Neighbour(ana, town, ["agreement"], History(), AlwaysTwice(), browser)
        neighbour.claim()
    done, unknown = sorted(neighbour.history.presses, key=lambda press: press.at)
    assert (done.end, unknown.end) == (End.DONE, End.UNKNOWN)
    assert unknown.at - done.at > 0.1


@pytest.mark.parametrize(
    ("location", "end"),
    [
        ("/me?said=hours_claimed", End.DONE),
        ("/hours?for=chest&said=hours_queued", End.QUEUED),
        ("/sign-in?back=%2Fhours", End.REFUSED),
    ],
)
def test_what_came_of_a_press_is_what_the_next_page_says(location: str, end: End) -> None:
    assert end_said(location) is end
