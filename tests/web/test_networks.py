"""What admins see of the timebank: how much is at stake, statements, what differs, alarms, lost networks, the journal."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert

from fedaid.foundation.jobs import Round
from fedaid.timebank import peering, rows, tables
from fedaid.timebank.commands import channel
from fedaid.timebank.resend import state_due
from fedaid.timebank.rules.states import Alarm
from tests.web.street import House, Street, on_the_street


@pytest.fixture
def place(database_kind: str, tmp_path: Path) -> tuple[str, Path]:
    return database_kind, tmp_path


async def help_across(street: Street, hours: str) -> None:
    """Ben helps Ana, who confirms."""
    ana, ben = street.north.browser("ana"), street.river.browser("ben")
    await ben.press("/hours/claim", "/hours/claim", to="@ana@northside.example", hours=hours)
    await street.settle()
    await ana.press("/hours", "/hours/confirm")
    await street.settle()


def peer(house: House, other: House) -> rows.Peer:
    with house.instance.database.read() as connection:
        found = rows.peer_by_host(connection, other.host)
    assert found
    return found


async def ask_peers(house: House) -> None:
    (errand,) = [chore for chore in house.instance.chores if isinstance(chore, Round) and chore.name == "sync_hours"]
    await errand.go()


def test_the_admin_sees_what_is_owed_of_which_line_and_of_all_together(place: tuple[str, Path]) -> None:
    async def story(street: Street) -> None:
        await help_across(street, "2")
        north = (await street.north.browser("nora").open("/networks")).text
        assert "We owe them 2:00 of 20:00" in north
        assert "We owe them 2:00 of at most 1000:00" in north
        river = (await street.river.browser("rui").open("/networks")).text
        assert "They owe us 2:00 of 20:00" in river
        for path in ("/networks", "/networks/riverside.example", "/books", "/books/journal.csv"):
            assert (await street.north.browser("ana").open(path)).status == 403
        assert (await street.north.browser("nora").open("/networks/oak.example")).status == 404

    on_the_street(*place, story)


def test_a_link_is_proposed_with_its_figures_and_a_wrong_one_keeps_what_was_typed(place: tuple[str, Path]) -> None:
    async def story(street: Street) -> None:
        nora, rui = street.north.browser("nora"), street.river.browser("rui")
        await nora.press("/networks", "/networks/end")
        await street.settle()
        wanted = {"host": "riverside.example", "line_hours": "12", "largest_hours": "3", "days": "5"}
        for wrong in ({"days": "0"}, {"days": "soon"}, {"largest_hours": "0.001"}, {"largest_hours": "5000"}):
            page = await nora.press("/networks", "/networks/propose", **(wanted | wrong))
            assert page.status == 422
            assert page.form("/networks/propose") == wanted | wrong
        await nora.press("/networks", "/networks/propose", **wanted)
        await street.settle()
        await rui.press("/networks", "/networks/accept", line_hours="6", largest_hours="4")
        await street.settle()
        found = peer(street.north, street.river)
        assert (found.line, found.line_granted, found.max_transfer, found.offer_lifetime_days) == (720, 360, 180, 5)
        assert "at most 3 h at once" in (await rui.open("/networks")).text

    on_the_street(*place, story)


def test_a_statement_is_made_countersigned_and_shown_with_its_signed_papers(place: tuple[str, Path]) -> None:
    async def story(street: Street) -> None:
        await help_across(street, "1:30")
        nora, rui = street.north.browser("nora"), street.river.browser("rui")
        not_theirs = await rui.press("/networks/northside.example", "/networks/statement")
        assert not_theirs.status == 409
        assert "it is their side that makes the statements" in not_theirs.text
        await nora.press("/networks/riverside.example", "/networks/statement")
        page = await nora.open("/networks/riverside.example")
        assert "made here, waits for the other side to sign" in page.text
        assert (await nora.press(page, "/networks/statement")).status == 409
        await street.settle()
        assert "made here, signed by both 1 1:30" in (await nora.open("/networks/riverside.example")).text
        assert "made there, signed by both" in (await rui.open("/networks/northside.example")).text
        papers = json.loads((await rui.open("/networks/northside.example/statements/1")).answer.text)
        assert [paper["type"] for paper in papers] == ["Offer", "Accept"]
        assert (await rui.open("/networks/northside.example/statements/2")).status == 404

    on_the_street(*place, story)


def test_what_differs_is_named_by_id(place: tuple[str, Path]) -> None:
    async def story(street: Street) -> None:
        await help_across(street, "1")
        found = peer(street.river, street.north)
        with street.river.instance.database.write() as connection:  # Riverside believes it was on a statement before
            connection.execute(insert(tables.statement_line).values(
                peer_id=found.id, number=9, transfer_id=connection.exec_driver_sql("SELECT id FROM transfer").scalar()
            ))  # fmt: skip
        with street.north.instance.units.begin() as work:
            assert state_due(work, street.north.instance.settings.timebank) == 1
        await street.settle()
        await ask_peers(street.river)  # before it says no, it looks whether it is itself who lacks something
        await street.settle()
        here = (await street.north.browser("nora").open("/networks/riverside.example")).text
        there = (await street.river.browser("rui").open("/networks/northside.example")).text
        assert "They did not sign our statement: some transfers are not the same in both books" in here
        assert "We did not sign their statement: some transfers are not the same in both books" in there
        assert "https://riverside.example/ledger/transfers/" in here
        assert "https://riverside.example/ledger/transfers/" in there
        page = await street.north.browser("nora").open("/networks")
        assert "The two networks do not agree on a statement" in page.text

    on_the_street(*place, story)


def test_an_alarm_stands_there_until_somebody_has_looked(place: tuple[str, Path]) -> None:
    async def story(street: Street) -> None:
        nora = street.north.browser("nora")
        with street.north.instance.units.begin() as work:
            channel.alarm(work, peer(street.north, street.river).id, None, Alarm.REWOUND)
        page = await nora.open("/networks")
        assert "they were restored from a backup" in page.text.lower()
        await nora.press(page, "/networks/seen")
        assert "they were restored from a backup" not in (await nora.open("/networks")).text.lower()
        assert (await nora.send("/networks/seen", {"number": "one"})).status == 404

    on_the_street(*place, story)


def test_a_network_is_lost_written_off_found_again_and_owed_again(place: tuple[str, Path]) -> None:
    async def story(street: Street) -> None:
        await help_across(street, "2")
        north, nora = street.north, street.north.browser("nora")
        too_early = await nora.send("/networks/write-off", {"host": "riverside.example"})
        assert too_early.status == 409
        await nora.press("/networks/riverside.example", "/networks/lost")
        assert "Gone for good" in (await nora.open("/networks")).text
        assert (await nora.send("/networks/lost", {"host": "riverside.example"})).status == 409
        await nora.press("/networks/riverside.example", "/networks/write-off")
        assert north.balance("chest") == 120
        assert "Neither owes the other anything." in (await nora.open("/networks/riverside.example")).text
        await nora.press("/networks/riverside.example", "/networks/undo-write-off")
        assert north.balance("chest") == 0
        await nora.press("/networks/riverside.example", "/networks/found")
        assert "Accepted" in (await nora.open("/networks")).text
        assert (await nora.send("/networks/found", {"host": "riverside.example"})).status == 409
        assert (await nora.send("/networks/lost", {"host": "oak.example"})).status == 404
        await nora.press("/networks/riverside.example", "/networks/line", line_hours="3")
        assert peer(north, street.river).line == 180

    on_the_street(*place, story)


def test_hours_confirmed_too_late_and_beyond_the_line_are_the_admins_to_take(place: tuple[str, Path]) -> None:
    async def story(street: Street) -> None:
        river, rui, ana = street.river, street.river.browser("rui"), street.north.browser("ana")
        await river.browser("ben").press("/hours/claim", "/hours/claim", to="@ana@northside.example", hours="2")
        await street.settle()
        await ana.press("/hours", "/hours/confirm")
        limits = replace(river.instance.settings.timebank)
        with river.instance.units.begin() as work:
            peering.declare_lost(work, street.north.instance.settings.names.ledger, limits)
            peering.set_line(work, street.north.instance.settings.names.ledger, 0)
        await street.settle()
        page = await rui.open("/networks")
        assert "2 h from northside.example were confirmed too late" in page.text
        await rui.press(page, "/networks/take-late")
        assert river.balance("ben") == 120
        assert (await rui.send("/networks/take-late", {"transfer": "nothing"})).status == 404

    on_the_street(*place, story)


def test_the_journal_is_downloaded_in_each_format(place: tuple[str, Path], tmp_path: Path) -> None:
    file = tmp_path / "hours.beancount"

    async def story(street: Street) -> None:
        await help_across(street, "2")
        nora = street.north.browser("nora")
        assert "1 movement, on " in (await nora.open("/books")).text
        assert "member ana,clearing riverside.example,120" in (await nora.open("/books/journal.csv")).answer.text
        assert len((await nora.open("/books/journal.json")).answer.json()["postings"]) == 1
        file.write_bytes((await nora.open("/books/journal.beancount")).answer.content)

    on_the_street(*place, story)
    checked = subprocess.run([Path(sys.executable).parent / "bean-check", file], check=False, timeout=60)
    assert checked.returncode == 0
