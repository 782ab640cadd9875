"""What people can do for each other, as it is clicked: the directory, who is suggested and why, who is asked, searches."""

from tests.browser.street import Windows, listing_at


def test_a_skill_is_put_in_found_by_all_filters_vouched_for_and_taken_out(windows: Windows) -> None:
    cleo, ana, title = windows.of("cleo"), windows.of("ana"), windows.named("Tuning pianos")
    page = cleo.press(cleo.open("/me/skills"), "/me/skills", {"title": title, "category": "other", "details": "Slowly"})
    assert page.says("It is in the directory.")
    cleo.press(cleo.open("/me/skills"), "/me/free-times", {"day-5": "1", "from": "10:00", "to": "12:00"})
    cleo.press(cleo.open("/me/skills"), "/me/helping", {"language-es": "1", "may_be_asked": "1", "place": "Mill Lane"})
    found = ana.press(
        ana.open("/people"), "/people", {"q": "piano", "language": "es", "day": "5", "from": "10:30", "to": "11:00"}
    )
    assert found.says(title)
    assert not ana.open("/people?q=piano&day=0").says(title)
    page = ana.open(found.link("/skills/"))
    page = ana.press(page, "/vouch", {"sentence": "My piano sings again."})
    assert page.says("Thank you. It stands there with your name.")
    cleo.press(cleo.open("/me/skills"), "/delete", about=title)
    cleo.press(cleo.open("/me/skills"), "/me/free-times/delete")
    assert not ana.open("/people?q=piano").says(title)


def test_a_skill_for_the_neighbourhood_alone_is_not_seen_by_the_street(windows: Windows) -> None:
    cleo, title = windows.of("cleo"), windows.named("Cutting hair")
    cleo.press(cleo.open("/me/skills"), "/me/skills", {"title": title, "visible": "network"})
    assert windows.of("ana").open("/people?q=hair").says(title)
    stranger = windows.new(windows.town)
    assert stranger.open("/people?q=hair").url.startswith(f"{windows.town.origin}/sign-in")


def test_who_could_help_is_suggested_with_reasons_and_asked(windows: Windows) -> None:
    ana, cleo, word = windows.of("ana"), windows.of("cleo"), windows.handle("accordion")
    cleo.press(cleo.open("/me/skills"), "/me/skills", {"title": f"Mending an {word}", "category": "repair"})
    cleo.press(cleo.open("/me/skills"), "/me/helping", {"may_be_asked": "1"})
    typed = {"title": f"My {word} is broken", "category": "repair"}
    page = ana.press(ana.open("/post?kind=request"), "/post?", typed)
    path = listing_at(page)
    assert page.says("could help")
    assert page.says(f"can do: “Mending an {word}”")
    assert ana.press(page, "/ask").says("They are asked.")
    page = cleo.open("/me")
    assert page.says(f"Ana asks: My {word} is broken")
    assert page.says(f"“Mending an {word}” is among your skills")
    cleo.press(page, "/yes", {"message": "Bring it over."}, about=word)
    assert ana.open(path).says("Bring it over.")


def test_a_search_is_kept_and_says_what_is_new(windows: Windows) -> None:
    ana, nora, word = windows.of("ana"), windows.of("nora"), windows.handle("trampoline")
    page = ana.open(ana.open(f"/board?q={word}&kind=offer").link("/searches/new"))
    assert ana.press(page, "/searches", {"name": windows.named("Jumping")}).says("What is new for it will stand here.")
    nora.press(nora.open("/post?kind=offer"), "/post?", {"title": f"A {word} to lend"})
    page = ana.open("/me")
    assert page.says("1 new listing fits this search.")
    assert ana.press(page, "/show", about=windows.named("Jumping")).says(f"A {word} to lend")
