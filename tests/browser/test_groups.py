"""Groups as they are clicked: made, asked to join, looked after, and linked with a board of the neighbouring town."""

from tests.browser.street import Street, Windows, arrives, listing_at


def test_a_group_is_made_joined_with_answers_and_its_board_looked_after(windows: Windows) -> None:
    cleo, ana, handle = windows.of("cleo"), windows.of("ana"), windows.handle("tools")
    typed = {
        "name": windows.named("Tool library"),
        "handle": handle,
        "joining": "application",
        "questions": "What would you lend?",
        "posting": "reviewed",
    }
    assert cleo.press(cleo.open("/new-group"), "/new-group", typed).says("Your group is there")
    about = f"/groups/{handle}/about"
    assert ana.press(ana.open(about), "/apply", {"answer-0": "A drill"}).says("Asked.")
    assert cleo.open("/me").says(typed["name"])
    page = cleo.open(f"/groups/{handle}/queue")
    assert page.says("A drill")
    assert cleo.press(page, "/accept").says("Let in.")
    title = windows.named("Lend me a ladder")
    page = ana.press(ana.open(f"/post?kind=request&board={handle}"), "/post?", {"title": title})
    assert page.says("A coordinator looks at it first.")
    path = listing_at(page)
    assert not windows.of("nora").open(f"/@{handle}").says(title)
    assert cleo.press(cleo.open(f"/groups/{handle}/queue"), "/approve", about=title).says("It stands on the board now.")
    assert windows.of("nora").open(f"/@{handle}").says(title)
    cleo.press(cleo.open(f"/groups/{handle}/members"), "/role", about="Ana")
    assert ana.open(f"/groups/{handle}/queue").status == 200
    ana.press(ana.open(about), "/leave")
    assert ana.open(path).status == 200


def test_a_group_is_linked_with_a_neighbouring_board_after_a_look_and_unlinked(
    street: Street, windows: Windows
) -> None:
    cleo, ben, handle = windows.of("cleo"), windows.of("ben"), windows.handle("garden")
    theirs = windows.handle("plants")
    cleo.press(cleo.open("/new-group"), "/new-group", {"name": windows.named("Gardeners"), "handle": handle})
    ben.press(ben.open("/new-group"), "/new-group", {"name": windows.named("Plant friends"), "handle": theirs})
    title = windows.named("Tomato plants")
    ben.press(ben.open(f"/post?kind=offer&board={theirs}"), "/post?", {"title": title})
    page = cleo.press(cleo.open(f"/groups/{handle}/links"), "/links", {"board": f"@{theirs}@{street.river.host}"})
    assert page.says("What will be shared with")
    assert page.says("Never who posted it")
    assert cleo.press(page, "/links/add").says("Linked.")
    arrives(cleo, f"/groups/{handle}/links", "theirs stands on your board")
    arrives(cleo, f"/@{handle}", title)
    page = cleo.press(cleo.open(f"/groups/{handle}/links"), "/links/end")
    assert page.says("Unlinked.")
    assert cleo.open(f"/groups/{handle}/links").says("No board is linked yet.")
