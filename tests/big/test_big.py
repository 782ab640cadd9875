"""The large neighbourhood in small, so that what makes and measures it is never found broken when it is needed."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from fedaid.board.tables import listing, listing_search
from fedaid.members.tables import member
from tests.big.__main__ import PAGES, median_ms, signed_in
from tests.big.town import Size, fill
from tests.support.towns import Town, towns


def content(town: Town) -> list[str]:
    with town.instance.database.read() as connection:
        return list(connection.execute(select(listing.c.title).order_by(listing.c.id)).scalars())


def test_a_seed_makes_the_same_neighbourhood_and_every_page_of_it_answers(database_kind: str, tmp_path: Path) -> None:
    with towns(database_kind, tmp_path, "northside", "riverside", "hillside") as (one, same, other):
        for town, seed in ((one, 1), (same, 1), (other, 2)):
            fill(town, Size(members=30, listings=120), seed)
        assert content(one) == content(same) != content(other)
        with one.instance.database.read() as connection:
            counted = [
                connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (member, listing, listing_search)
            ]
        assert counted == [30, 120, 120]
        client = signed_in(one)
        assert all(median_ms(client, path, 1) > 0 for path in PAGES.values())
        assert client.get("/board?q=help").text.count('class="card') >= 20


def test_a_page_that_fails_is_told(database_kind: str, tmp_path: Path) -> None:
    with towns(database_kind, tmp_path, "northside") as (town,):
        fill(town, Size(members=60, listings=5), 1)
        with pytest.raises(AssertionError, match="404"):
            median_ms(signed_in(town), "/nowhere", 1)
