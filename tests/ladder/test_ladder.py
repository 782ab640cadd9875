"""Nobody sees a private word who may not, whoever may does, and a breach of any kind is noticed by name."""

import asyncio
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import structlog
from sqlalchemy import true
from starlette.routing import Mount

from fedaid import app, settings
from fedaid.actors.audience import EVERYBODY
from fedaid.board import queries
from fedaid.board.commands import remarks
from fedaid.board.rules import Posting
from fedaid.board.wire import announce
from fedaid.foundation.ladder import LADDER, LISTING
from fedaid.notices.sending import postman
from tests.ladder import life
from tests.ladder.life import ANA, KIM
from tests.ladder.watch import LEFT_OUT, OPENS_FOR_NOBODY, addresses, filled, hear, patterns, search, shape, watch
from tests.ladder.world import Place, place

SEEDS = int(os.environ.get("LADDER_SEEDS", "1"))
ON_POSTGRESQL = (SEEDS + 4) // 5 if "LADDER_SEEDS" in os.environ else 0  # where all take longer


@dataclass
class Seen:
    """What a few days at Northside have shown."""

    too_much: list[str]
    too_little: list[str]
    found: list[str]
    breaches: dict[str, list[str]]
    asked: list[str]
    opened: set[str]
    words: list[str]


@cache
def days(kind: str, seed: int) -> Seen:
    """A few days, and everybody looking at everything at their end."""

    async def run() -> Seen:
        with tempfile.TemporaryDirectory() as folder:
            async with place(kind, Path(folder), seed) as at:
                await life.live(at)
                asked = addresses(at.north)
                await watch(at)
                await hear(at)
                found = await search(at)
                too_much, too_little = at.cage.too_much(), at.cage.too_little()
                opened = set(at.opened)
                breaches = {name: await _breach(at, *BREACHES[name]) for name in BREACHES} if seed == 1 else {}
                words = [one.what for one in at.cage.canaries.values()]
                return Seen(too_much, too_little, found, breaches, asked, opened, words)

    return asyncio.run(run())


RUNS = [("sqlite", seed) for seed in range(1, SEEDS + 1)] + [
    ("postgresql", seed) for seed in range(1, ON_POSTGRESQL + 1)
]


@pytest.fixture(params=RUNS, ids=lambda run: f"{run[0]}, seed {run[1]}")
def seen(request: pytest.FixtureRequest) -> Seen:
    return days(*request.param)


def test_nobody_sees_what_is_not_for_them(seen: Seen) -> None:
    assert not seen.too_much, "\n".join(seen.too_much)


def test_whoever_may_see_something_does(seen: Seen) -> None:
    assert not seen.too_little, "\n".join(seen.too_little)


def test_nothing_is_found_by_a_word_that_may_not_be_seen(seen: Seen) -> None:
    assert not seen.found, "\n".join(seen.found)


# The proof can fail: each of these lets something out, and is noticed.

Breach = Callable[[Place], AbstractContextManager[Any]]


def _everybody_sees_all(_at: Place) -> Any:
    return patch.object(queries, "visible_to", lambda _viewer: true())


def _documents_for_all(_at: Place) -> Any:
    return patch("fedaid.board.pages.documents._of_neighbours", lambda _connection: EVERYBODY)


@contextmanager
def _place_in_the_object(_at: Place) -> Iterator[None]:
    built = announce._note

    def with_place(connection: Any, listing: Any, names: Any) -> dict[str, Any]:
        meeting = queries.any_meeting(connection, listing.id)
        return {**built(connection, listing, names), "summary": meeting.exact_place if meeting else ""}

    with patch.object(announce, "_note", with_place):
        yield


@contextmanager
def _message_in_the_log(_at: Place) -> Iterator[None]:
    kept = remarks._store

    def telling(*args: Any, **more: Any) -> None:
        structlog.get_logger().info("remark_stored", what=args)
        kept(*args, **more)

    with patch.object(remarks, "_store", telling):
        yield


@contextmanager
def _words_in_mails(at: Place) -> Iterator[None]:
    """Mails say what somebody wrote."""
    written = postman.write

    def telling(*args: Any, **more: Any) -> Any:
        mail = written(*args, **more)
        mail["X-Note"] = at.cage.named("note with hours").word
        return mail

    with patch.object(postman, "write", telling):
        yield


async def _nothing(_at: Place) -> None:
    """What there is already will do."""


async def _post_again(at: Place) -> None:
    typed = {
        **life.listing_words(at, "one more", "everybody", must=()),
        **life.meeting_words(at, "one more", {ANA}),
    }
    await life.send(at, ANA, "/post?kind=request", **typed, mode="gift", visibility="everybody")
    await at.settle()


async def _say_more(at: Place) -> None:
    number = life._answers(at, "north", "north:pia", "members")
    await life.send(
        at,
        ANA,
        f"/responses/{number}/say",
        text=at.cage.plant(f"one thing more, {len(at.cage.canaries)}", (), {ANA, "north:pia"}),
    )
    await at.settle()


# Each with what happens meanwhile, who looks where, and what must be said of it.
BREACHES: dict[str, tuple[Breach, Callable[[Place], Any], str, str]] = {
    "a visibility that is not asked": (_everybody_sees_all, _nothing, r"/board$", "north: saw “title of members”"),
    "a document for neighbours that all may fetch": (
        _documents_for_all,
        _nothing,
        r"/listings/\d+$",
        "signed:social saw “details of neighbours”",
    ),
    "an object made of what is private": (
        _place_in_the_object,
        _post_again,
        r"/nowhere",
        "wire:social.example saw “exact place of one more”",
    ),
    "a message in the log": (_message_in_the_log, _say_more, r"/nowhere", "log saw “one thing more"),
    "a word in a mail": (_words_in_mails, _say_more, r"/nowhere", "mail:pia saw “note with hours”"),
}


async def _breach(at: Place, opened: Breach, happens: Callable[[Place], Any], where: str, _told: str) -> list[str]:
    """What is seen too much while this lets something out, as if nobody had looked before."""
    at.cage.seen.clear()
    at.wire.posted.clear()
    at.mails.mails.clear()
    at.log.clear()
    with ExitStack() as stack:
        stack.enter_context(opened(at))
        await happens(at)
        await watch(at, lambda path: re.search(where, path) is not None)
    return at.cage.too_much()


@pytest.mark.parametrize("name", BREACHES)
def test_it_is_noticed_by_name(name: str) -> None:
    said = days("sqlite", 1).breaches[name]
    assert any(one.startswith(BREACHES[name][3]) for one in said), said[:10]


# Nothing is forgotten.


def test_every_field_of_a_posting_stands_on_the_ladder() -> None:
    known = {field for one in LADDER if one.thing == LISTING for field in one.field.split(", ")}
    about_the_form = {"own_name", "time_zone", "visibility"}  # who posted it, and how times and readers are chosen
    assert {field.name for field in fields(Posting)} - about_the_form - known == set()


def test_every_address_that_answers_get_is_asked_or_left_out_for_a_reason() -> None:
    asked, known = days("sqlite", 1).asked, _patterns()
    missed = [one for one in known if one not in LEFT_OUT and not any(shape(one).fullmatch(path) for path in asked)]
    assert not missed
    assert set(known) >= set(LEFT_OUT)
    assert len(asked) > 250


def test_every_address_opens_for_somebody_or_it_is_said_why_not() -> None:
    opened = days("sqlite", 1).opened
    closed = {one for one in _patterns() if not any(shape(one).fullmatch(path) for path in opened)} - set(LEFT_OUT)
    said = set(OPENS_FOR_NOBODY)
    assert closed == said, f"opens for nobody: {sorted(closed - said)}; opens all the same: {sorted(said - closed)}"


def _patterns() -> list[str]:
    return patterns(_RoutesAlone())  # type: ignore[arg-type]


class _RoutesAlone:
    """The routes of an instance whose database nobody asks."""

    def __init__(self) -> None:
        chosen = settings.load(Path(tempfile.mkdtemp()), origin="https://northside.example", name="Northside")
        self.instance = app.build(chosen, works=False)


def test_an_address_whose_parts_nobody_filled_in_is_no_address_that_is_skipped() -> None:
    house: Any = _RoutesAlone()
    with pytest.raises(AssertionError, match=r"say .* what stands for \{thing\} after /v9"):
        filled(house, "/api/fedaid/v9/{thing}")
    house.instance.web._pages.router.routes.append(Mount("/more", routes=[]))
    with pytest.raises(AssertionError, match=r"how .* is looked at"):
        patterns(house)


def test_kim_has_nothing_to_do_with_it(seen: Seen) -> None:
    """Or what is for the two sides alone would be seen by somebody who is one of them."""
    assert KIM == "north:kim"
    assert len(seen.words) > 90
