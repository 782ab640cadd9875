"""What members show to neighbouring networks is read there, while the link lasts, and by nobody else."""

import json
from pathlib import Path

import httpx2
import pytest

from activitypub.identifiers import UrlRules
from fedaid.board import queries as board
from fedaid.foundation.names import Names
from fedaid.members import queries as members
from fedaid.members.queries import viewer_of
from fedaid.skills import commands
from fedaid.skills.limits import SkillLimits
from fedaid.skills.queries import Entry, SharedEntry
from fedaid.skills.rules import Skill, Visibility
from fedaid.skills.wire import read_directory, shared_directory
from tests.docs.pages import ROOT, blocks
from tests.small_house import NORTH, RIVER, START
from tests.web.street import House, Street, on_the_street

AP = {"Accept": "application/activity+json"}
ORIGIN = UrlRules().parse(f"{RIVER}/").origin


def add(house: House, handle: str, title: str, visibility: Visibility) -> int:
    with house.instance.units.begin() as work:
        found = members.by_handle(work.connection, handle)
        assert found is not None
        slugs = [one.slug for one in board.categories(work.connection)]
        chosen = Skill(title, "repair", "Also <tandems>.", visibility)
        return commands.add_skill(work, viewer_of(found), chosen, slugs, SkillLimits())


def test_what_is_shown_to_neighbours_is_read_there_and_the_rest_is_not(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        number = add(street.river, "ben", "Bicycles and tandems", Visibility.NEIGHBOURS)
        add(street.river, "ben", "Listening, among us", Visibility.NETWORK)
        ana = street.north.browser("ana")
        assert "People in Riverside" in (await ana.open("/people")).text
        page = await ana.open(f"/people/at/{street.river.host}")
        for words in ("Bicycles and tandems", "Also <tandems>.", "Ben", "Repairs"):
            assert words in page.text
        assert "Listening" not in page.answer.text
        # What is taken out is gone there as soon as it is looked at again.
        with street.river.instance.units.begin() as work:
            found = members.by_handle(work.connection, "ben")
            assert found is not None
            commands.remove_skill(work, viewer_of(found), number)
        street.clock.pass_seconds(SkillLimits().neighbours_kept_seconds + 1)
        page = await ana.open(f"/people/at/{street.river.host}")
        assert "Nobody there shows a skill" in page.text

    on_the_street(database_kind, tmp_path, story)


def test_nobody_but_the_server_of_a_linked_network_reads_it(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        add(street.river, "ben", "Bicycles and tandems", Visibility.NEIGHBOURS)
        for handle in ("", "ben"):
            page = await street.river.browser(handle).open("/skills")
            assert (page.status, "Bicycles" in page.answer.text) == (404, False)
        transport = httpx2.ASGITransport(app=street.river.instance.web)
        async with httpx2.AsyncClient(transport=transport, base_url=street.river.origin) as anybody:
            answer = await anybody.get("/skills", headers=AP)
            assert (answer.status_code, "Bicycles" in answer.text) == (404, False)
        ana = street.north.browser("ana")
        assert (await ana.open("/people/at/nowhere.example")).status == 404
        assert (await street.north.browser().open(f"/people/at/{street.river.host}")).status == 401
        await street.river.instance.desk.pause(street.north.host)
        page = await ana.open(f"/people/at/{street.river.host}")
        assert "Bicycles" not in page.answer.text

    on_the_street(database_kind, tmp_path, story)


GOOD = {"id": f"{RIVER}/users/ben", "type": "Person", "name": "Ben", "url": f"{RIVER}/@ben"}


@pytest.mark.parametrize(
    "item",
    [
        {"name": "Bicycles", "attributedTo": {**GOOD, "id": f"{NORTH}/users/ana"}},
        {"name": "Bicycles", "attributedTo": {**GOOD, "url": "https://evil.example/"}},
        {"name": "Bicycles", "attributedTo": {**GOOD, "url": "javascript:alert(1)"}},
        {"name": "Bicycles"},
        {"attributedTo": GOOD},
        {"name": ["Bicycles"], "attributedTo": GOOD},
        {"name": "x" * 1000, "attributedTo": GOOD},
        "https://riverside.example/skills/9",
    ],
)
def test_an_entry_of_a_neighbour_that_makes_no_sense_is_left_out(item: object) -> None:
    good = {"name": "Listening", "attributedTo": GOOD, "content": "<script>alert(1)</script><p>At tea.</p>"}
    found = read_directory({"orderedItems": [item, good]}, ORIGIN, UrlRules(), 10)
    assert [(one.title, one.details, one.name) for one in found][-1] == ("Listening", "At tea.", "Ben")
    assert len(found) == 1


def test_only_so_many_of_a_neighbour_are_shown() -> None:
    items = [{"name": f"Skill {number}", "attributedTo": GOOD} for number in range(9)]
    assert len(read_directory({"orderedItems": items}, ORIGIN, UrlRules(), 5)) == 5


def test_the_directory_reads_as_the_reference_shows_it_and_we_read_it_back() -> None:
    names = Names(NORTH)
    told = Skill("Bicycles: brakes, gears, flats", "repair", "Tools are here.", Visibility.NEIGHBOURS)
    entry = SharedEntry(Entry(7, 1, told, START), names.person("ana"), "ana", "Ana")
    document = shared_directory(names, [entry])
    page = ROOT / "docs/reference/federation.md"
    (shown,) = [block.text for block in blocks(page, "json") if f'"id": "{names.skills}"' in block.text]
    assert json.loads(shown) == document
    (read,) = read_directory(document, UrlRules().parse(f"{NORTH}/").origin, UrlRules(), 10)
    assert (read.title, read.details, read.category) == (told.title, told.details, told.category)
    assert (read.name, read.page) == ("Ana", names.page_of("ana"))
