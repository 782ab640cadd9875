"""Groups as browsers see them: who joins, who posts, what coordinators decide, linked boards; refusals first."""

import re
from pathlib import Path

from fedaid.members import queries as members
from tests.web.street import Browser, Page, Street, on_the_street

GARDEN = {"name": "Garden circle", "handle": "garden", "about": "Beds and seeds", "place": "Mill Lane"}


async def found(browser: Browser, **fields: str) -> None:
    made = await browser.send("/new-group", GARDEN | {"joining": "open", "posting": "everybody"} | fields)
    assert made.leads_to == "/groups/garden/about?said=group_made", made.text


def member_id(street: Street, handle: str) -> int:
    with street.north.instance.database.read() as connection:
        who = members.by_handle(connection, handle)
    assert who
    return who.id


async def post(browser: Browser, title: str, board: str = "garden") -> Page:
    return await browser.send("/post?kind=request", {"title": title, "board": board, "mode": "gift"})


def queued(page: Page, what: str, decision: str) -> list[str]:
    return re.findall(rf'action="(/groups/garden/queue/{what}/\d+/{decision})"', page.answer.text)


def test_only_its_coordinators_look_after_a_group(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        ana, kim, cora, visitor = (street.north.browser(name) for name in ("ana", "kim", "cora", ""))
        await found(ana)
        mine = member_id(street, "kim")
        for path in ("settings", "queue", "links"):
            assert (await visitor.open(f"/groups/garden/{path}")).status == 401
            assert (await kim.open(f"/groups/garden/{path}")).status == 403
            assert (await ana.open(f"/groups/garden/{path}")).status == 200
            assert (await cora.open(f"/groups/garden/{path}")).status == 200
        await kim.send("/groups/garden/join")
        for path, fields in (
            ("settings", GARDEN),
            ("members", {"handle": "cora"}),
            (f"members/{mine}/role", {"role": "coordinator"}),
            (f"members/{member_id(street, 'ana')}/out", {}),
            ("queue/applications/1/accept", {}),
            ("links", {"board": "@board@riverside.example"}),
            ("links/add", {"theirs": "https://riverside.example/groups/board"}),
            ("links/end", {"theirs": "https://riverside.example/groups/board"}),
        ):
            assert (await kim.send(f"/groups/garden/{path}", fields)).status == 403, path
        assert (await ana.send(f"/groups/garden/members/{mine}/role", {"role": "admin"})).status == 422
        assert (await kim.open("/neighbourhood")).status == 403

    on_the_street(database_kind, tmp_path, story)


def test_a_group_is_made_found_joined_and_left(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        ana, kim, visitor = (street.north.browser(name) for name in ("ana", "kim", ""))
        assert (await visitor.send("/new-group", GARDEN)).status == 401
        taken = await ana.send("/new-group", GARDEN | {"handle": "tools"})
        assert (taken.status, taken.form("/new-group")["about"]) == (409, "Beds and seeds")
        assert (await ana.send("/new-group", GARDEN | {"posting": "nobody"})).status == 422
        assert (await ana.send("/new-group", GARDEN | {"joining": "never"})).status == 422
        await found(ana)
        assert "Garden circle" in (await visitor.open("/groups?q=mill")).text
        assert "Garden circle" not in (await visitor.open("/groups?q=%25")).text
        assert "Garden circle" not in (await visitor.open("/groups?after=garden")).text
        assert (await visitor.open("/groups/garden/members")).status == 401
        about = await visitor.open("/groups/garden/about")
        assert "Beds and seeds" in about.text
        assert "Ana" not in about.text
        assert (await kim.send("/groups/garden/join")).leads_to == "/groups/garden/about?said=group_joined"
        assert (await kim.send("/groups/garden/join")).status == 303
        assert "Members of Garden circle 2" in (await kim.open("/groups/garden/members")).text
        refused = await ana.send("/groups/garden/leave")
        assert (refused.status, "make another its coordinator first" in refused.text) == (409, True)
        assert (
            await ana.send(f"/groups/garden/members/{member_id(street, 'ana')}/role", {"role": "member"})
        ).status == 409
        await ana.send(f"/groups/garden/members/{member_id(street, 'kim')}/role", {"role": "coordinator"})
        assert (await ana.send("/groups/garden/leave")).leads_to == "/groups/garden/about?said=group_left"
        assert (await ana.open("/groups/garden/settings")).status == 403
        assert (await ana.send("/groups/board/leave")).status == 409
        assert (await ana.open("/groups/nothing/about")).status == 404

    on_the_street(database_kind, tmp_path, story)


def test_who_asks_to_join_is_answered_by_its_coordinators(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        ana, kim, cora = (street.north.browser(name) for name in ("ana", "kim", "cora"))
        await found(ana, joining="application", questions="What do you grow?")
        assert (await kim.send("/groups/garden/join")).status == 409
        missing = await kim.send("/groups/garden/apply")
        assert (missing.status, "What do you grow?" in missing.text) == (422, True)
        await kim.send("/groups/garden/apply", {"answer-0": "Beans <b>"})
        await kim.send("/groups/garden/apply", {"answer-0": "Beans & peas"})
        assert "1 thing waits" in (await ana.open("/me")).text
        queue = await ana.open("/groups/garden/queue")
        assert "Beans & peas" in queue.text
        (decline,) = queued(queue, "applications", "decline")
        unsaid = await ana.send(decline, {"sentence": " "})
        assert unsaid.status == 422
        await ana.send(decline, {"sentence": "We are full until spring."})
        assert (await ana.send(decline.replace("decline", "accept"))).status == 409
        assert "We are full until spring." in (await kim.open("/groups/garden/about")).text
        await kim.send("/groups/garden/apply", {"answer-0": "Still beans"})
        await kim.send("/groups/garden/withdraw")
        assert queued(await ana.open("/groups/garden/queue"), "applications", "accept") == []
        await kim.send("/groups/garden/apply", {"answer-0": "Beans again"})
        (accept,) = queued(await ana.open("/groups/garden/queue"), "applications", "accept")
        assert (await ana.send(accept.replace("garden", "tools"))).status == 403
        assert (await cora.send(accept.replace("garden", "tools"))).status == 404  # of another group
        assert (await ana.send(accept)).leads_to == "/groups/garden/queue?said=group_let_in"
        assert "Kim" in (await kim.open("/groups/garden/members")).text
        nobody = await ana.send("/groups/garden/members", {"handle": "nobody"})
        assert (nobody.status, nobody.form("/groups/garden/members")["handle"]) == (404, "nobody")
        await ana.send("/groups/garden/members", {"handle": "@cora"})
        assert "Cora" in (await ana.open("/groups/garden/members")).text
        await ana.send(f"/groups/garden/members/{member_id(street, 'cora')}/out")
        assert "Cora" not in (await ana.open("/groups/garden/members")).text

    on_the_street(database_kind, tmp_path, story)


def test_where_only_members_post_others_are_told_to_join(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        ana, kim = street.north.browser("ana"), street.north.browser("kim")
        await found(ana, posting="members")
        form = await kim.open("/post?kind=request&board=garden")
        assert "Garden circle" in form.text
        refused = await post(kim, "A rake")
        assert (refused.status, "You can join it first" in refused.text) == (403, True)
        assert refused.form("/post?kind=request")["title"] == "A rake"
        await kim.send("/groups/garden/join")
        assert (await post(kim, "A rake")).status == 303
        assert "A rake" in (await ana.open("/@garden")).text

    on_the_street(database_kind, tmp_path, story)


def test_what_waits_for_a_look_is_seen_by_nobody_else_here_or_elsewhere(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        ana, kim, visitor = (street.north.browser(name) for name in ("ana", "kim", ""))
        ben = street.river.browser("ben")
        await found(ana, posting="reviewed")
        posted = await post(kim, "A secret rake")
        assert posted.leads_to.endswith("?said=look_asked")
        listing = posted.leads_to.partition("?")[0]
        await street.settle()
        assert "looks at it first" in (await kim.open(listing)).text
        for browser in (visitor, ben, street.north.browser("cora")):
            assert "A secret rake" not in (await browser.open("/board")).text
        assert (await visitor.open(listing)).status == 404
        document = await visitor.client.get(listing, headers={"Accept": "application/activity+json"})
        assert document.status_code == 404
        assert "secret rake" not in (await visitor.open("/groups/garden/outbox?page=true")).answer.text
        assert (await ana.open(listing)).status == 200
        queue = await ana.open("/groups/garden/queue")
        (approve,), (decline,) = queued(queue, "listings", "approve"), queued(queue, "listings", "decline")
        assert (await kim.send(approve)).status == 403
        assert (await ana.send(decline, {"sentence": ""})).status == 422
        await ana.send(decline, {"sentence": "Please say where."})
        assert "Please say where." in (await kim.open(listing)).text
        changed = await kim.press(f"{listing}/edit", f"{listing}/edit", title="A rake near Mill Lane", mode="gift")
        assert changed.status == 303, changed.text
        assert (await ana.send(approve)).leads_to == "/groups/garden/queue?said=look_approved"
        assert (await ana.send(approve)).status == 409
        assert "A rake near Mill Lane" in (await visitor.open("/@garden")).text
        again = await post(kim, "A spade")
        await kim.send(f"{again.leads_to.partition('?')[0]}/withdraw")
        assert queued(await ana.open("/groups/garden/queue"), "listings", "approve") == []
        outbox = (await visitor.open("/groups/garden/outbox?page=true")).answer.text
        assert "spade" not in outbox
        assert '"Delete"' not in outbox
        own = await post(ana, "Compost")  # coordinators need no look
        assert own.leads_to.endswith("?said=posted")

    on_the_street(database_kind, tmp_path, story)


def test_settings_are_kept_and_followers_told(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        ana, cora = street.north.browser("ana"), street.north.browser("cora")
        await found(ana)
        long = await ana.send("/groups/garden/settings", GARDEN | {"place": "x" * 201})
        assert (long.status, long.form("/groups/garden/settings")["about"]) == (422, "Beds and seeds")
        kept = await ana.press(
            "/groups/garden/settings", "/groups/garden/settings", name="Garden & yard", posting="members"
        )
        assert kept.leads_to == "/groups/garden/about?said=changed"
        about = await street.north.browser().open("/groups/garden/about")
        assert "Garden & yard" in about.text
        assert "Members of the group" in about.text
        await cora.press("/groups/board/settings", "/groups/board/settings", posting="reviewed", joining="invitation")
        everybody = await ana.open("/groups/board/about")
        assert "after a coordinator’s look" in everybody.text
        assert "Coordinators take people in" not in everybody.text

    on_the_street(database_kind, tmp_path, story)


def test_boards_are_linked_after_a_preview_and_unlinked(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        ana, ben, rui = street.north.browser("ana"), street.river.browser("ben"), street.river.browser("rui")
        await found(ana)
        await post(ana, "A rake for a day")
        for wrong, status in (
            ("tools", 422),
            ("@tools@far.example", 409),
            ("@nothing@riverside.example", 404),
            ("@ben@riverside.example", 404),
        ):
            refused = await ana.send("/groups/garden/links", {"board": wrong})
            assert (refused.status, refused.form("/groups/garden/links")["board"]) == (status, wrong)
        preview = await ana.send("/groups/garden/links", {"board": "@tools@riverside.example"})
        assert "What will be shared with Tool library" in preview.text
        assert "A rake for a day" in preview.text
        assert (await ana.open("/groups/garden/links")).text.count("Unlink") == 0  # nothing is done yet
        linked = await ana.press(preview, "/groups/garden/links/add")
        assert linked.leads_to == "/groups/garden/links?said=board_linked"
        await street.settle()
        assert "theirs stands on your board" in (await ana.open("/groups/garden/links")).text
        await ben.send("/post?kind=offer", {"title": "A drill to lend", "board": "tools", "mode": "loan"})
        await street.settle()
        assert "A drill to lend" in (await ana.open("/@garden")).text
        asked = await rui.open("/groups/tools/links")
        assert "yours stands on theirs" in asked.text
        both = await rui.press(asked, "/groups/tools/links")
        await rui.press(both, "/groups/tools/links/add")
        await street.settle()
        await post(ana, "A barrow")
        await street.settle()
        assert "A barrow" in (await ben.open("/@tools")).text
        links = await ana.open("/groups/garden/links")
        assert (await ana.press(links, "/groups/garden/links/end")).leads_to.endswith("board_unlinked")
        await street.settle()
        assert "No board is linked yet" in (await ana.open("/groups/garden/links")).text
        assert "A drill to lend" not in (await ana.open("/@garden")).text
        await post(ana, "Nobody else's spade")
        await street.settle()
        assert "Nobody else's spade" not in (await ben.open("/board")).text
        assert "yours stands on theirs" not in (await rui.open("/groups/tools/links")).text

    on_the_street(database_kind, tmp_path, story)


def test_boards_of_groups_part_when_the_networks_do(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        ana = street.north.browser("ana")
        await found(ana)
        preview = await ana.send("/groups/garden/links", {"board": "@tools@riverside.example"})
        await ana.press(preview, "/groups/garden/links/add")
        await street.settle()
        await street.north.instance.desk.end(street.river.host)
        await street.settle()
        assert "No board is linked yet" in (await ana.open("/groups/garden/links")).text

    on_the_street(database_kind, tmp_path, story)
