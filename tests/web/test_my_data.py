"""Taking one's data along, and leaving: what is open is said, hours go to the chest, nothing of others' is given away."""

import io
import json
import zipfile
from pathlib import Path

from fedaid.foundation.viewer import Role
from fedaid.groups import commands as groups
from fedaid.groups import queries as group_queries
from fedaid.members import commands as members
from fedaid.members import queries
from tests.web.street import Street, on_the_street

PASSWORD = "correct horse battery"


def set_up(street: Street, handle: str) -> None:
    chosen = members.hash_password(PASSWORD)
    with street.north.instance.units.begin() as work:
        found = queries.by_handle(work.connection, handle)
        assert found
        members.set_password(work, found.id, chosen)


async def help_each_other(street: Street) -> str:
    """Ana asks, Kim answers, and gives Ana two hours besides. The listing."""
    ana, kim = street.north.browser("ana"), street.north.browser("kim")
    posted = await ana.send("/post?kind=request", {"title": "Moving a sofa", "mode": "hours", "hours": "1"})
    listing = posted.leads_to.partition("?")[0]
    await kim.send(f"{listing}/respond", {"message": "=I can come at ten"})
    given = await kim.press("/hours/give", "/hours/give", to="ana", hours="2:00", note="=SUM(1)")
    assert given.status == 303, given.text
    return listing


def test_the_file_has_all_that_is_mine_and_nothing_of_others(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        ana, kim = street.north.browser("ana"), street.north.browser("kim")
        await help_each_other(street)
        await kim.send("/post?kind=offer", {"title": "What only Kim offers"})
        for who, search, skill in (
            (ana, "Sofas", "Mending bicycles"),
            (kim, "What only Kim keeps", "What only Kim can"),
        ):
            await who.send("/searches", {"query": "q=sofa", "name": search})
            await who.send("/me/skills", {"title": skill})
        assert (await street.north.browser().open("/me/data")).status == 401
        assert (await street.north.browser().open("/me/data.zip")).status == 401
        assert "hours.csv" in (await ana.open("/me/data")).text
        answer = (await ana.open("/me/data.zip")).answer
        assert answer.headers["content-disposition"] == 'attachment; filename="ana-northside.example.zip"'
        assert "no-store" in answer.headers["cache-control"]
        archive = zipfile.ZipFile(io.BytesIO(answer.content))
        files = {name: archive.read(name).decode() for name in archive.namelist()}
        assert all(name in files["README.txt"] for name in files if name != "README.txt")
        board = json.loads(files["board.json"])
        assert [one["title"] for one in board["listings"]] == ["Moving a sofa"]
        assert [one["message"] for one in board["received_answers"]] == ["=I can come at ten"]
        assert json.loads(files["account.json"])["member"]["handle"] == "ana"
        assert [one["group_handle"] for one in json.loads(files["groups.json"])] == ["board"]
        told = json.loads(files["notices.json"])
        listing = json.loads(files["board.json"])["received_answers"][0]
        assert ("answered", str(listing["id"]), None) in [
            (one["kind"], one["about"], one["read_at"]) for one in told["notices"]
        ]
        assert told["choices"]["answers"] == "weekly"
        assert [one["name"] for one in json.loads(files["searches.json"])] == ["Sofas"]
        kept = json.loads(files["skills.json"])
        assert [one["skill"]["title"] for one in kept["entries"]] == ["Mending bicycles"]
        assert kept["preferences"]["languages"] == []
        assert json.loads(files["hours.json"])["proof"]
        assert "'=SUM(1)" in files["hours.csv"]
        whole = "".join(files.values())
        for secret in ("What only Kim", "password_hash", "no password", "PRIVATE KEY", "token_sha256"):
            assert secret not in whole

    on_the_street(database_kind, tmp_path, story)


def test_leaving_says_what_is_open_and_asks_twice(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        set_up(street, "ana")
        ana = street.north.browser("ana")
        await help_each_other(street)
        with street.north.instance.units.begin() as work:
            tools = group_queries.board_by_handle(work.connection, "tools")
            me = queries.by_handle(work.connection, "ana")
            assert tools
            assert me
            groups.join(work, tools.id, me.id, Role.COORDINATOR)
        page = await ana.open("/me/leave")
        for words in ("Moving a sofa", "Your balance of 2 h goes to the community chest", "You alone coordinate"):
            assert words in page.text
        unsure = await ana.send("/me/leave", {"password": PASSWORD})
        assert (unsure.status, "say that you are sure" in unsure.text) == (422, True)
        wrong = await ana.send("/me/leave", {"password": "wrong horse", "sure": "yes"})
        assert (wrong.status, "not your present password" in wrong.text) == (422, True)
        assert (await ana.open("/me")).status == 200

    on_the_street(database_kind, tmp_path, story)


def test_who_leaves_is_gone_and_their_hours_are_in_the_chest(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        set_up(street, "ana")
        ana, visitor = street.north.browser("ana"), street.north.browser()
        listing = await help_each_other(street)
        chest = street.north.balance("chest")
        left = await ana.send("/me/leave", {"password": PASSWORD, "sure": "yes"})
        assert left.leads_to == "/?said=left"
        assert (await ana.open("/me")).status == 401
        assert (await visitor.send("/sign-in", {"handle": "ana", "password": PASSWORD})).status == 401
        assert (await visitor.open(listing)).status == 410
        assert (await visitor.open("/@ana")).status in (404, 410)
        assert street.north.balance("chest") == chest + 120
        assert street.north.balance("ana") == 0
        with street.north.instance.units.begin() as work:
            assert queries.by_handle(work.connection, "ana") is None
            found = group_queries.default_board(work.connection)
            assert found
            assert group_queries.member_count(work.connection, found.id) == 3
        assert (await street.north.browser("kim").open(listing)).status == 410

    on_the_street(database_kind, tmp_path, story)


def test_the_last_admin_does_not_leave(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        set_up(street, "nora")
        nora = street.north.browser("nora")
        refused = await nora.send("/me/leave", {"password": PASSWORD, "sure": "yes"})
        assert (refused.status, "last admin" in refused.text) == (409, True)
        assert (await nora.open("/neighbourhood")).status == 200

    on_the_street(database_kind, tmp_path, story)
