"""Whatever neighbours do, no notice holds what somebody wrote, or names what its reader could not open just now."""

import random
from contextlib import suppress

import pytest

from fedaid.actors import commands as actors
from fedaid.board import commands as board
from fedaid.board import queries as listings
from fedaid.foundation.refused import Refused
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.work import Work
from tests.notices.told import Town

STEPS = 40
SECRET = "s3cret"  # in all that is for the other side alone


class Street:
    """Neighbours who do something at random, each with a title of its own and a secret in every private word."""

    def __init__(self, town: Town, seed: int) -> None:
        self.town, self.chance = town, random.Random(seed)
        self.people = (town.ana, town.bea, town.kim)
        self.titles: dict[str, int] = {}
        self.responses: list[tuple[Viewer, Viewer, int]] = []
        self.matches: list[tuple[Viewer, Viewer, int]] = []

    def step(self) -> None:
        often = (self.post, *(self.answer,) * 4, *(self.decide,) * 3, self.say, self.say)
        doing = self.chance.choice((*often, self.end, self.take_away))
        with suppress(Refused), self.town.units.begin() as work:
            doing(work)

    def post(self, work: Work) -> None:
        title = f"Title {len(self.titles)} of them"
        posting = self.town.people.world.posting(title=title, description=f"{SECRET} inside", place=f"{SECRET} place")
        who = self.chance.choice(self.people)
        self.titles[title] = board.post_listing(work, who, "https://northside.example/groups/board", posting)

    def answer(self, work: Work) -> None:
        listing_id = self.chance.choice(list(self.titles.values()))
        helper = self.chance.choice(self.people)
        found = listings.any_listing(work.connection, listing_id)
        author = next(one for one in self.people if found and one.member_id == found.author_member_id)
        self.responses.append((author, helper, board.respond(work, helper, listing_id, f"Call {SECRET}")))

    def decide(self, work: Work) -> None:
        author, helper, response = self.chance.choice(self.responses or [(self.people[0],) * 2 + (0,)])
        if self.chance.random() < 0.6:
            self.matches.append((author, helper, board.accept_response(work, author, response)))
        else:
            board.decline_response(work, author, response, f"No: {SECRET}")

    def say(self, work: Work) -> None:
        author, helper, response = self.chance.choice(self.responses or [(self.people[0],) * 2 + (0,)])
        board.make_remark(work, self.chance.choice((author, helper)), response, f"My code is {SECRET}")

    def end(self, work: Work) -> None:
        author, helper, match = self.chance.choice(self.matches or [(self.people[0],) * 2 + (0,)])
        who = self.chance.choice((author, helper))
        (board.mark_done if self.chance.random() < 0.5 else board.cancel_match)(work, who, match)

    def take_away(self, work: Work) -> None:
        listing_id = self.chance.choice(list(self.titles.values()))
        way = self.chance.random()
        if way < 0.5:
            board.hide_listing(work, listing_id)
        elif way < 0.9:
            for who in self.people:
                with suppress(Refused), work.attempt():
                    board.withdraw_listing(work, who, listing_id)
        else:
            actors.block(work, *(one.actor for one in self.chance.sample(self.people, 2)))

    def may_open(self, who: Viewer, title: str) -> bool:
        with self.town.units.database.read() as connection:
            try:
                listings.listing(connection, who, self.titles[title])
            except Refused:
                return False
        return True


@pytest.mark.parametrize("seed", range(6))
def test_a_notice_holds_no_private_word_and_nothing_that_its_reader_cannot_open(town: Town, seed: int) -> None:
    street = Street(town, seed)
    with town.units.begin() as work:
        street.post(work)
    told = 0
    for number in range(STEPS):
        street.step()
        if number % 8 == 0:
            told += checked(street, seed)
    assert told, seed
    for who in street.people:
        assert SECRET not in town.browser(who).get("/notices").text


def checked(street: Street, seed: int) -> int:
    """How many titles were told just now, each to somebody who may open it."""
    titles = [(who, one.told.title) for who in street.people for one in street.town.notices(who) if one.told]
    for who, title in titles:
        assert SECRET not in title
        assert street.may_open(who, title), (seed, who.handle, title)
    assert SECRET not in repr([street.town.notices(who) for who in street.people])
    return len(titles)
