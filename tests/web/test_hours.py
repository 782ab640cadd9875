"""Hours as people see them: given, claimed, confirmed, questioned, corrected, by several, by code and for others."""

import json
from pathlib import Path

import pytest

from tests.web.street import Browser, Page, Street, on_the_street


@pytest.fixture
def place(database_kind: str, tmp_path: Path) -> tuple[str, Path]:
    return database_kind, tmp_path


async def give(browser: Browser, **fields: str) -> Page:
    return await browser.press("/hours/give", "/hours/give", **fields)


async def claim(browser: Browser, **fields: str) -> Page:
    return await browser.press("/hours/claim", "/hours/claim", **fields)


def test_hours_are_given_to_several_at_once_and_pressing_twice_gives_once(place: tuple[str, Path]) -> None:
    async def story(street: Street) -> None:
        ana, north = street.north.browser("ana"), street.north
        page = await ana.open("/hours/give")
        for _ in range(2):
            answer = await ana.press(page, "/hours/give", to="kim, @cora", hours="1:30", note="the garden")
            assert answer.leads_to == "/hours?said=hours_given"
        assert (north.balance("ana"), north.balance("kim"), north.balance("cora")) == (-180, 90, 90)
        assert "From Ana : the garden" in (await north.browser("kim").open("/hours")).text

    on_the_street(*place, story)


@pytest.mark.parametrize("kind", ["give", "claim"])
def test_a_refusal_is_a_sentence_and_keeps_what_was_typed(place: tuple[str, Path], kind: str) -> None:
    async def story(street: Street) -> None:
        ana = street.north.browser("ana")
        for fields, sentence in (
            ({"to": "zoe", "hours": "1"}, "Nobody here has the handle zoe."),
            ({"to": "kim", "hours": "a while"}, "Hours are written as 1:30 or 1.5, in whole minutes."),
            ({"to": "kim", "hours": "0"}, "Hours are written as 1:30 or 1.5, in whole minutes."),
            ({"to": "", "hours": "1"}, "Please say who it is"),
            ({"to": "ana", "hours": "1"}, "Hours go from one account to another."),
            ({"to": "@ben@elsewhere.example", "hours": "1"}, "Nobody called @ben@elsewhere.example was found"),
            ({"to": ",".join(f"p{n}" for n in range(21)), "hours": "1"}, "At most 20 people at once."),
            ({"to": "kim", "hours": "1", "note": "x" * 501}, "at most 500 characters"),
            ({"to": "kim", "hours": "1", "about": "https://northside.example/listings/7"}, "not one of your listings"),
        ):
            page = await ana.press(f"/hours/{kind}", f"/hours/{kind}", **fields)
            assert 400 <= page.status < 500
            assert sentence in page.text
            kept = page.form(f"/hours/{kind}")
            assert {name: kept[name] for name in ("to", "hours")} == {"to": fields["to"], "hours": fields["hours"]}
        assert street.north.balance("kim") == 0

    on_the_street(*place, story)


def test_one_of_several_who_is_not_known_keeps_all_from_being_given(place: tuple[str, Path]) -> None:
    async def story(street: Street) -> None:
        page = await give(street.north.browser("ana"), to="kim zoe", hours="1")
        assert page.status == 404
        assert street.north.balance("ana") == 0

    on_the_street(*place, story)


def test_help_without_an_agreement_is_claimed_for_a_listing_or_none_and_confirmed(place: tuple[str, Path]) -> None:
    async def story(street: Street) -> None:
        north = street.north
        ana, kim = north.browser("ana"), north.browser("kim")
        await kim.press("/post?kind=offer", "/post?kind=offer", title="Mending bicycles", hours="1")
        page = await kim.open("/hours/claim")
        assert "Mending bicycles" in page.text
        uri = page.answer.text.partition('<option value="https')[2].partition('"')[0]
        await claim(kim, to="ana", hours="1:15", note="a chain", about="https" + uri)
        waiting = await ana.open("/hours")
        assert "Kim says they gave you 1 h 15 min" in waiting.text
        assert (await ana.press(waiting, "/hours/confirm")).leads_to == "/hours?said=hours_confirmed"
        assert (north.balance("ana"), north.balance("kim")) == (-75, 75)

    on_the_street(*place, story)


def test_a_claim_is_questioned_answered_refused_and_taken_back(place: tuple[str, Path]) -> None:
    async def story(street: Street) -> None:
        north = street.north
        ana, kim, cora = (north.browser(handle) for handle in ("ana", "kim", "cora"))
        await claim(kim, to="ana", hours="2")
        waiting = await ana.open("/hours")
        empty = await ana.press(waiting, "/hours/question", reason=" ")
        assert empty.status == 422
        assert "Please say in a few words" in empty.text
        await ana.press(waiting, "/hours/question", reason="Was it not one hour?")
        assert "Ana asks: Was it not one hour?" in (await kim.open("/hours")).text
        assert "Kim says they helped Ana" in (await cora.open("/hours/questions")).text
        assert (await ana.open("/hours/questions")).status == 403
        await kim.press("/hours", "/hours/answer", answer="With the way there, two.")
        assert "Kim answers: With the way there, two." in (await ana.open("/hours")).text
        await cora.press("/hours/questions", "/hours/answer", answer="We say one hour.")
        stranger = await north.browser("nora").send("/hours/answer", {"transfer": "x", "answer": "y"})
        assert stranger.status == 404
        await ana.press("/hours", "/hours/refuse")
        assert "Nobody has a question" in (await cora.open("/hours/questions")).text
        await claim(kim, to="ana", hours="1")
        await kim.press("/hours", "/hours/withdraw")
        assert not (await ana.open("/hours")).has_form("/hours/confirm")
        assert north.balance("ana") == 0

    on_the_street(*place, story)


def test_hours_that_went_are_corrected_by_an_opposite_entry_that_names_them(place: tuple[str, Path]) -> None:
    async def story(street: Street) -> None:
        north = street.north
        ana, kim = north.browser("ana"), north.browser("kim")
        await give(ana, to="kim", hours="3")
        page = await ana.open("/hours")
        link = page.answer.text.partition('href="/hours/correct')[2].partition('"')[0].replace("&amp;", "&")
        asks = await ana.open(f"/hours/correct{link}")
        too_much = await ana.press(asks, "/hours/correct", hours="4")
        assert (too_much.status, too_much.form("/hours/correct")["hours"]) == (409, "4")
        await ana.press(asks, "/hours/correct", hours="1", note="it was two")
        waiting = await kim.open("/hours")
        assert "Ana asks for 1 h back, as a correction" in waiting.text
        await kim.press(waiting, "/hours/confirm")
        assert (north.balance("ana"), north.balance("kim")) == (-120, 120)
        gives_back = await kim.open(f"/hours/correct{link}")
        assert (await kim.press(gives_back, "/hours/correct", hours="2:01")).status == 409
        await kim.press(gives_back, "/hours/correct", hours="2:00")
        assert (north.balance("ana"), north.balance("kim")) == (0, 0)
        assert "a correction" in (await kim.open("/hours")).text
        assert (await north.browser("cora").open(f"/hours/correct{link}")).status == 404

    on_the_street(*place, story)


def test_hours_go_to_a_neighbouring_network_and_are_claimed_and_corrected_across_it(place: tuple[str, Path]) -> None:
    async def story(street: Street) -> None:
        north, river = street.north, street.river
        ana, ben = north.browser("ana"), river.browser("ben")
        await give(ana, to="@ben@riverside.example", hours="2", note="the boat")
        assert "on hold until their network has taken them up" in (await ana.open("/hours")).text
        await street.settle()
        assert (north.balance("ana"), river.balance("ben")) == (-120, 120)
        link = (await ben.open("/hours")).answer.text.partition('href="/hours/correct')[2].partition('"')[0]
        await ben.press(f"/hours/correct{link}".replace("&amp;", "&"), "/hours/correct", hours="0:30")
        await street.settle()
        assert (north.balance("ana"), river.balance("ben")) == (-90, 90)
        await claim(ben, to="@ana@northside.example", hours="1")
        await street.settle()
        await ana.press("/hours", "/hours/confirm")
        await street.settle()
        assert (north.balance("ana"), river.balance("ben")) == (-150, 150)

    on_the_street(*place, story)


def test_the_gentle_limit_warns_and_the_first_help_never_fails(place: tuple[str, Path]) -> None:
    async def story(street: Street) -> None:
        north = street.north
        ana, nora = north.browser("ana"), north.browser("nora")
        limited = {"member": "ana", "hours": "0"}
        assert (await nora.send("/hours/shared/limit", limited)).leads_to == "/hours/shared?said=hours_shared"
        assert (await ana.send("/hours/shared/limit", limited)).status == 403
        await claim(north.browser("kim"), to="ana", hours="8")
        await ana.press("/hours", "/hours/refuse")  # makes no room
        assert "Nothing more can go out below 0:00" in (await ana.open("/hours")).text
        assert (await give(ana, to="kim", hours="8:01")).status == 409
        await give(ana, to="@ben@riverside.example", hours="6")  # promised
        assert (await give(ana, to="kim", hours="2:01")).status == 409
        await give(ana, to="kim", hours="2")
        assert north.balance("ana") == -120
        assert (await give(ana, to="kim", hours="1")).status == 409
        await claim(north.browser("kim"), to="cora", hours="16")
        assert (
            "below the gentle limit. You can confirm all the same" in (await north.browser("cora").open("/hours")).text
        )

    on_the_street(*place, story)


def test_a_balance_that_is_hidden_is_shown_to_nobody_else(place: tuple[str, Path]) -> None:
    async def story(street: Street) -> None:
        ana, kim = street.north.browser("ana"), street.north.browser("kim")
        await give(kim, to="ana", hours="1")
        assert "Gave 1 h, received 0 min" in (await kim.open("/@ana")).text
        assert "Gave" not in (await street.north.browser().open("/@ana")).text
        await ana.press("/hours", "/hours/settings", hides_balance="on")
        assert "Gave" not in (await kim.open("/@ana")).text
        assert "Gave 1 h" in (await ana.open("/@ana")).text
        await ana.send("/hours/settings", {"takes_payments": "on"})
        assert "Gave 1 h" in (await kim.open("/@ana")).text

    on_the_street(*place, story)


def test_a_statement_is_printed_saved_and_signed(place: tuple[str, Path]) -> None:
    async def story(street: Street) -> None:
        ana, kim = street.north.browser("ana"), street.north.browser("kim")
        await give(kim, to="ana", hours="2", note="=1+1")
        street.clock.pass_seconds(3 * 86_400)
        await give(ana, to="kim", hours="0:45")
        whole = await ana.open("/hours/statement")
        assert "Given 2 h , received 45 min 1:15" in whole.text.replace("2 h,", "2 h ,")
        later = "?from=2026-09-03&to=2026-09-30"
        table = (await ana.open(f"/hours/statement.csv{later}")).answer
        assert table.headers["content-type"].startswith("text/csv")
        assert [line.split(",")[5:8] for line in table.text.splitlines()[1:]] == [["-45", "−0:45", "1:15"]]
        assert ",'=1+1," in (await ana.open("/hours/statement.csv")).answer.text
        signed = json.loads((await ana.open(f"/hours/statement.json{later}")).answer.text)
        figures = [signed[f"fa:{name}"] for name in ("opening", "given", "received", "closing")]
        assert figures == [120, 0, 45, 75]
        assert "Kim" not in json.dumps(signed)
        assert (await ana.open("/hours/statement?from=yesterday")).status == 422
        assert (await ana.open("/hours/statement.csv?for=kim")).status == 404

    on_the_street(*place, story)


def test_a_code_holds_a_short_link_that_fills_the_form_in(place: tuple[str, Path]) -> None:
    async def story(street: Street) -> None:
        ana, kim = street.north.browser("ana"), street.north.browser("kim")
        page = await ana.open("/hours/code?kind=give&hours=1.5&note=Sofa")
        assert "https://northside.example/give/ana?hours=1%3A30&for=Sofa" in page.text
        assert "<svg" in page.answer.text
        led = await kim.open("/give/ana?hours=1%3A30&for=Sofa")
        assert led.leads_to == "/hours/give?to=ana&hours=1%3A30&note=Sofa"
        await kim.press(led.leads_to, "/hours/give")
        assert street.north.balance("ana") == 90
        stranger = await street.north.browser().open("/claim/ana")
        assert "@ana@northside.example" in stranger.text
        assert (await kim.open("/give/zoe")).status == 404
        assert "Hours are written as" in (await ana.open("/hours/code?hours=soon")).text

    on_the_street(*place, story)


def test_a_coordinator_enters_hours_for_somebody_without_internet_and_it_is_marked(place: tuple[str, Path]) -> None:
    async def story(street: Street) -> None:
        north = street.north
        kim, cora, nora = (north.browser(handle) for handle in ("kim", "cora", "nora"))
        assert (await cora.open("/hours?for=ana")).status == 404
        await nora.press("/hours/shared", "/hours/shared/represent", member="ana")
        assert "Hours of Ana" in (await cora.open("/hours")).text
        assert (await kim.open("/hours?for=ana")).status == 404
        await cora.press("/hours/claim?for=ana", "/hours/claim", to="kim", hours="1")
        waiting = await kim.open("/hours")
        assert "entered by Cora" in waiting.text
        await kim.press(waiting, "/hours/confirm")
        assert "entered by Cora" in (await kim.open("/hours")).text
        assert "entered by Cora" in (await kim.open("/hours/statement")).text
        assert ",cora@northside.example," in (await kim.open("/hours/statement.csv")).answer.text
        await claim(kim, to="ana", hours="0:20")
        page = await cora.press("/hours?for=ana", "/hours/confirm")
        assert page.leads_to == "/hours?for=ana&said=hours_confirmed"
        assert "entered by Cora" in (await north.browser("ana").open("/hours")).text
        assert north.balance("ana") == 40

    on_the_street(*place, story)


def test_groups_have_accounts_and_members_who_may_spend_from_them(place: tuple[str, Path]) -> None:
    async def story(street: Street) -> None:
        north = street.north
        ana, kim, nora = (north.browser(handle) for handle in ("ana", "kim", "nora"))
        assert (await kim.send("/hours/shared/open", {"group": "tools"})).status == 403
        assert (await nora.send("/hours/shared/open", {"group": "none"})).status == 404
        await nora.press("/hours/shared", "/hours/shared/open", group="tools")
        await give(kim, to="tools", hours="3")
        assert north.balance("tools") == 180
        assert (await ana.open("/hours?for=tools")).status == 404
        await nora.press("/hours/shared", "/hours/shared/spender", member="ana")
        assert "Tool library" in (await ana.open("/hours")).text
        await ana.press("/hours/give?for=tools", "/hours/give", to="cora", hours="2", note="Saturday shift")
        assert "entered by Ana" in (await north.browser("cora").open("/hours")).text
        over = await ana.press("/hours/give?for=tools", "/hours/give", to="cora", hours="2")
        assert over.status == 409
        await nora.press("/hours/shared", "/hours/shared/no-spender", member="ana")
        assert (await ana.open("/hours/give?for=tools")).status == 404

    on_the_street(*place, story)


def test_the_chest_takes_contributions_and_the_admin_grants_from_it(place: tuple[str, Path]) -> None:
    async def story(street: Street) -> None:
        north = street.north
        ana, nora = north.browser("ana"), north.browser("nora")
        await give(ana, to="chest", hours="2")
        assert "2:00 in the chest" in (await north.browser("kim").open("/hours/shared")).text
        assert (await ana.open("/hours/give?for=chest")).status == 404
        await nora.press("/hours/give?for=chest", "/hours/give", to="kim", hours="1:30", note="a hard month")
        assert (north.balance("chest"), north.balance("kim")) == (30, 90)
        assert (await nora.press("/hours/give?for=chest", "/hours/give", to="kim", hours="1")).status == 409
        await claim(north.browser("kim"), to="chest", hours="0:30", note="sweeping the hall")
        await nora.press("/hours?for=chest", "/hours/confirm")
        assert (north.balance("chest"), north.balance("kim")) == (0, 120)
        assert "From the community chest" in (await north.browser("kim").open("/hours")).text
        link = (await ana.open("/hours")).answer.text.partition('href="/hours/correct')[2].partition('"')[0]
        await ana.press(f"/hours/correct{link}".replace("&amp;", "&"), "/hours/correct", hours="1")
        await north.browser("kim").press("/hours/give", "/hours/give", to="chest", hours="1")
        await nora.press("/hours?for=chest", "/hours/confirm")
        assert (north.balance("chest"), north.balance("ana")) == (0, -60)

    on_the_street(*place, story)


def test_what_was_agreed_can_be_a_gift(place: tuple[str, Path]) -> None:
    async def story(street: Street) -> None:
        ana, kim = street.north.browser("ana"), street.north.browser("kim")
        await ana.press("/post?kind=request", "/post?kind=request", title="Moving a sofa", hours="2")
        number = (await ana.open("/me")).answer.text.partition('href="/listings/')[2].partition('"')[0]
        await kim.press(f"/listings/{number}", f"/listings/{number}/respond")
        listing = await ana.open(f"/listings/{number}")
        accept = "/responses/" + listing.answer.text.partition('action="/responses/')[2].partition('"')[0]
        await ana.press(listing, accept)
        mine = (await kim.open("/me")).answer.text.partition('href="/hours/claim')[2].partition('"')[0]
        page = await kim.open("/hours/claim" + mine.replace("&amp;", "&"))
        assert (await kim.press(page, "/hours/gift")).leads_to == "/me?said=hours_gift"
        assert "/hours/claim?agreement" not in (await kim.open("/me")).answer.text
        assert street.north.balance("kim") == 0

    on_the_street(*place, story)


def test_nobody_signed_out_sees_or_moves_hours(place: tuple[str, Path]) -> None:
    async def story(street: Street) -> None:
        stranger = street.north.browser()
        for path in ("/hours", "/hours/give", "/hours/claim", "/hours/code", "/hours/statement", "/hours/statement.csv",
                     "/hours/statement.json", "/hours/shared", "/hours/questions", "/hours/correct"):  # fmt: skip
            assert (await stranger.open(path)).status in (303, 401), path
        for path in ("/hours/give", "/hours/claim", "/hours/confirm", "/hours/question", "/hours/answer",
                     "/hours/correct", "/hours/settings", "/hours/shared/open", "/hours/gift"):  # fmt: skip
            assert (await stranger.send(path)).status in (303, 401), path

    on_the_street(*place, story)


def test_the_page_draws_the_last_months_and_says_the_same_in_a_table(place: tuple[str, Path]) -> None:
    async def story(street: Street) -> None:
        ana = street.north.browser("ana")
        before = await ana.open("/hours")
        assert "Nothing moved in the last twelve months" in before.text
        assert 'class="chart"' not in before.answer.text
        await give(ana, to="kim", hours="1:30")
        after = await ana.open("/hours")
        assert after.answer.text.count('<rect class="received"') == 1
        assert '<rect class="given"' not in after.answer.text
        assert "0 min given, in bars above the line, and 1 h 30 min received, in bars below it" in after.text
        assert after.answer.text.count('<tr><th scope="row">') == 12
        assert '<td class="amount">0:00</td><td class="amount">1:30</td>' in after.answer.text
        assert '<rect class="given"' in (await street.north.browser("kim").open("/hours")).answer.text

    on_the_street(*place, story)
