"""Joining as browsers see it: invitations, applications, the agreement, coming in again, roles; attackers first."""

import re
from pathlib import Path

import pytest

from fedaid.foundation.viewer import Role
from fedaid.members import commands as members
from fedaid.members.commands import joining
from fedaid.members.commands.joining import Terms
from fedaid.members.limits import MemberLimits
from tests.web.street import Browser, House, Page, Street, on_the_street

PASSWORD = "correct horse battery"
NEWCOMER = {"name": "Kira", "handle": "kira", "password": PASSWORD}


def set_password(house: House, handle: str) -> None:
    chosen = members.hash_password(PASSWORD)
    with house.instance.units.begin() as work:
        found = members.queries.by_handle(work.connection, handle)
        assert found
        members.set_password(work, found.id, chosen)


def secret_on(page: Page, name: str) -> str:
    found = re.search(rf"{name}=([\w-]+)", page.answer.text)
    assert found, page.text
    return found[1]


async def let_join(nora: Browser, way: str, questions: str = "") -> None:
    kept = await nora.send("/neighbourhood/joining", {"joining": way, "questions": questions})
    assert kept.leads_to == "/neighbourhood/joining?said=changed"


async def invitation_by(browser: Browser, **fields: str) -> str:
    made = await browser.send("/invitations", {"uses": "1", "days": "7", **fields})
    assert made.status == 200, made.text
    return secret_on(made, "invitation")


def test_only_those_who_may_see_the_desks(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        for path in ("/applications", "/invitations", "/members", "/members/kim"):
            assert (await street.north.browser().open(path)).status == 401
            assert (await street.north.browser("ana").open(path)).status == 403
            assert (await street.north.browser("cora").open(path)).status == 200
        for path in ("/neighbourhood", "/neighbourhood/name", "/neighbourhood/agreement", "/setup"):
            assert (await street.north.browser("cora").open(path)).status == 403
            assert (await street.north.browser("nora").open(path)).status == 200
        ana, cora = street.north.browser("ana"), street.north.browser("cora")
        for browser, path, fields in (
            (ana, "/members/ana/role", {"role": "admin"}),
            (cora, "/members/cora/role", {"role": "admin"}),
            (ana, "/members/nora/link", {}),
            (cora, "/members/nora/link", {}),
            (cora, "/invitations", {"uses": "1", "days": "7", "role": "admin"}),
            (cora, "/neighbourhood/joining", {"joining": "open"}),
            (cora, "/neighbourhood/categories/add", {"name": "Cakes"}),
            (cora, "/setup", {"step": "name"}),
        ):
            assert (await browser.send(path, fields)).status == 403, path

    on_the_street(database_kind, tmp_path, story)


def test_an_invitation_from_the_desk_to_the_board(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        nora, cora, visitor = (street.north.browser(name) for name in ("nora", "cora", ""))
        assert "Nobody can join just now" in (await visitor.open("/join")).text
        await let_join(nora, "invitation")
        assert "by invitation" in (await visitor.open("/join")).text
        refused = await cora.send("/invitations", {"uses": "0", "days": "7", "note": "Rose Street"})
        assert refused.status == 422
        assert refused.form("/invitations")["note"] == "Rose Street"
        secret = await invitation_by(cora, note="Rose Street")
        listed = await cora.open("/invitations")
        assert "0 of 1 person came" in listed.text
        assert secret not in listed.answer.text  # shown once
        for link in ("nonsense", "", secret + "x"):
            page = await visitor.open(f"/join?invitation={link}")
            assert page.status in (200, 404)
            assert not page.has_form("/join")
        form = await visitor.open(f"/join?invitation={secret}")
        again = await visitor.press(form, "/join", **NEWCOMER | {"password": "short"})
        assert again.status == 422
        assert again.form("/join")["name"] == "Kira"
        assert "short" not in again.answer.text
        taken = await visitor.press(again, "/join", **NEWCOMER | {"handle": "ana"})
        assert taken.status == 409
        joined = await visitor.press(taken, "/join", **NEWCOMER)
        assert joined.leads_to == "/me?said=joined"
        assert (await visitor.open("/me")).status == 200
        assert (await visitor.open("/join")).leads_to == "/"  # signed in already
        over = await street.north.browser("kim").open(f"/join?invitation={secret}")
        assert over.leads_to == "/"
        reused = await street.river.browser().send("/join", NEWCOMER | {"invitation": secret})
        assert reused.status == 404
        assert "1 of 1 person came" in (await cora.open("/invitations?over=1")).text

    on_the_street(database_kind, tmp_path, story)


def test_an_invitation_that_is_taken_back_lets_nobody_in(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        nora, cora, visitor = (street.north.browser(name) for name in ("nora", "cora", ""))
        await let_join(nora, "invitation")
        secret = await invitation_by(cora)
        listed = await cora.open("/invitations")
        (revoke,) = re.findall(r"/invitations/\d+/revoke", listed.answer.text)
        assert (await cora.send(revoke)).leads_to == "/invitations?said=invitation_revoked"
        refused = await visitor.send("/join", NEWCOMER | {"invitation": secret})
        assert refused.status == 404
        assert "not good any more" in refused.text

    on_the_street(database_kind, tmp_path, story)


def test_an_application_is_asked_read_and_answered(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        nora, cora, visitor = (street.north.browser(name) for name in ("nora", "cora", ""))
        await let_join(nora, "application", "Where do you live?")
        form = await visitor.open("/join")
        missing = await visitor.press(form, "/join", **NEWCOMER)
        assert missing.status == 422
        assert "Please answer this as well: Where do you live?" in missing.text
        asked = await visitor.press(missing, "/join", **NEWCOMER, **{"answer-0": "Rose <b>Street</b>"})
        assert asked.leads_to.startswith("/application?key=")
        mine = await visitor.open(asked.leads_to)
        assert "A coordinator will look at it" in mine.text
        assert (await visitor.open("/application?key=guessed")).status == 404
        assert "1 person waits for an answer" in (await cora.open("/me")).text
        queue = await cora.open("/applications")
        assert "Rose <b>Street</b>" in queue.text
        assert "<b>Street" not in queue.answer.text
        (accept,) = re.findall(r"/applications/\d+/accept", queue.answer.text)
        decline = accept.replace("accept", "decline")
        assert (await street.north.browser("ana").send(accept)).status == 403
        kept = await cora.send(decline, {"sentence": "x" * 501})
        assert kept.form(decline)["sentence"] == "x" * 501
        assert (await cora.send(accept)).leads_to == "/applications?said=admitted"
        assert (await cora.send(decline, {"sentence": "too late"})).status == 409
        assert "Welcome to Northside" in (await visitor.open(asked.leads_to)).text
        signed_in = await visitor.send("/sign-in", {"handle": "kira", "password": PASSWORD, "next": "/me"})
        assert signed_in.leads_to == "/me?said=signed_in"
        assert "Let somebody join" in (await cora.open("/members/kira")).text

    on_the_street(database_kind, tmp_path, story)


def test_who_is_declined_reads_the_sentence_and_cannot_sign_in(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        nora, cora, visitor = (street.north.browser(name) for name in ("nora", "cora", ""))
        await let_join(nora, "application")
        asked = await visitor.send("/join", NEWCOMER)
        (decline,) = re.findall(r"/applications/\d+/decline", (await cora.open("/applications")).answer.text)
        done = await cora.send(decline, {"sentence": "Ask Riverside, it is nearer to you."})
        assert done.leads_to == "/applications?said=turned_down"
        assert "Ask Riverside" in (await visitor.open(asked.leads_to)).text
        refused = await visitor.send("/sign-in", {"handle": "kira", "password": PASSWORD})
        assert refused.status == 401
        again = await visitor.send("/join", NEWCOMER)
        key = again.leads_to.partition("key=")[2].partition("&")[0]
        assert (await visitor.send("/application", {"key": key})).status == 303
        assert "You took it back" in (await visitor.open(again.leads_to)).text
        assert (await visitor.send("/application", {"key": key})).status == 409

    on_the_street(database_kind, tmp_path, story)


@pytest.mark.attack("S85")
def test_from_one_address_only_so_many_try_to_join_or_use_a_link(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        visitor, limits = street.north.browser(), MemberLimits()
        for _ in range(limits.join_tries_per_address_max):
            assert (await visitor.send("/join", {"password": "short"})).status == 422
        assert (await visitor.send("/join", NEWCOMER)).status == 429
        for _ in range(limits.link_tries_per_address_max):
            assert (await visitor.send("/recover", {"link": "guessed", "password": "short"})).status == 404
        limited = await visitor.send("/recover", {"link": "guessed", "password": PASSWORD})
        assert "too many tries" in limited.text

    on_the_street(database_kind, tmp_path, story)


def test_what_was_typed_is_carried_out_once_the_new_agreement_is_accepted(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        nora, ana = street.north.browser("nora"), street.north.browser("ana")
        typed = (await ana.open("/post?kind=request")).form("/post?kind=request") | {"title": "Moving a “sofa” & chair"}
        text = "Be kind. Bring <cake>."
        assert (await nora.send("/neighbourhood/agreement", {"text": text, "asks_again": "1"})).status == 303
        assert "Our agreement has changed" in (await ana.open("/board")).text
        stopped = Page(await ana.client.post("/post?kind=request", data=typed, headers={"Accept": "text/html"}))
        assert stopped.status == 403
        assert "<cake>" not in stopped.answer.text
        assert not re.search("sofa", (await ana.open("/board")).text)
        action = "/agreement?then=%2Fpost%3Fkind%3Drequest"
        old = await ana.send(action, stopped.form(action) | {"agreement_version": "7"})
        assert old.status == 409
        assert old.form(action)["title"] == typed["title"]
        accepted = await ana.press(stopped, action)
        assert (accepted.status, accepted.leads_to) == (307, "/post?kind=request")
        posted = await ana.send(accepted.leads_to, stopped.form(action))
        assert posted.leads_to.endswith("?said=posted")
        assert "Moving a “sofa” & chair" in (await ana.open(posted.leads_to)).text

    on_the_street(database_kind, tmp_path, story)


def test_hours_that_were_to_be_given_are_given_once_the_agreement_is_accepted(
    database_kind: str, tmp_path: Path
) -> None:
    async def story(street: Street) -> None:
        nora, kim = street.north.browser("nora"), street.north.browser("kim")
        typed = (await kim.open("/hours/give")).form("/hours/give") | {"to": "ana", "hours": "1:30"}
        await nora.send("/neighbourhood/agreement", {"text": "Be kind.", "asks_again": "1"})
        stopped = Page(await kim.client.post("/hours/give", data=typed, headers={"Accept": "text/html"}))
        assert (stopped.status, street.north.balance("ana")) == (403, 0)
        accepted = await kim.press(stopped, "/agreement?then=%2Fhours%2Fgive")
        assert (accepted.status, accepted.leads_to) == (307, "/hours/give")
        given = await kim.send(accepted.leads_to, stopped.form("/agreement?then=%2Fhours%2Fgive"))
        assert given.status == 303, given.text
        assert street.north.balance("ana") == 90

    on_the_street(database_kind, tmp_path, story)


def test_a_program_is_told_that_the_agreement_is_missing_and_reading_goes_on(
    database_kind: str, tmp_path: Path
) -> None:
    async def story(street: Street) -> None:
        nora, ana = street.north.browser("nora"), street.north.browser("ana")
        await nora.send("/neighbourhood/agreement", {"text": "Be kind.", "asks_again": "1"})
        refused = await ana.send("/post?kind=request", {"title": "Moving a sofa"})
        assert (refused.status, refused.answer.json()["code"]) == (403, "agreement_needed")
        for path in ("/me", "/board", "/hours", "/agreement", "/me/account"):
            assert (await ana.open(path)).status == 200
        gone = await ana.press("/agreement?then=//evil.example", "/agreement?then=%2F")
        assert gone.leads_to == "/?said=agreement_accepted"
        assert (await ana.send("/post?kind=request", {"title": "Moving a sofa"})).status == 303

    on_the_street(database_kind, tmp_path, story)


def test_coming_in_again_by_a_coordinator_s_link(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        cora, ana, visitor = (street.north.browser(name) for name in ("cora", "ana", ""))
        made = await cora.send("/members/ana/link")
        secret = secret_on(made, "link")
        assert (await visitor.open("/recover?link=guessed")).status == 404
        form = await visitor.open(f"/recover?link={secret}")
        assert "You sign in with the handle ana" in form.text
        short = await visitor.press(form, "/recover", password="short")
        assert short.status == 422
        assert short.form("/recover")["link"] == secret
        done = await visitor.press(short, "/recover", password=PASSWORD)
        assert done.leads_to == "/sign-in?said=password_chosen"
        assert (await ana.open("/me")).status == 401  # signed out
        for reused in (
            await visitor.open(f"/recover?link={secret}"),
            await visitor.press(form, "/recover", password=PASSWORD),
        ):
            assert reused.status == 404
        await visitor.send("/sign-in", {"handle": "ana", "password": PASSWORD})
        account = await visitor.open("/me/account")
        assert "Made by Cora" in account.text
        assert "Made a link to choose a new password" in (await cora.open("/reports/log")).text
        street.clock.pass_seconds(100 * 86_400)

    on_the_street(database_kind, tmp_path, story)


def test_a_link_that_was_kept_too_long_opens_nothing(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        made = await street.north.browser("cora").send("/members/ana/link")
        secret = secret_on(made, "link")
        street.clock.pass_seconds(MemberLimits().recovery_link_minutes * 60 + 1)
        assert (await street.north.browser().open(f"/recover?link={secret}")).status == 404
        refused = await street.north.browser().send("/recover", {"link": secret, "password": PASSWORD})
        assert refused.status == 404

    on_the_street(database_kind, tmp_path, story)


def test_the_account_page_shows_where_one_is_signed_in_and_ends_it(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        set_password(street.north, "ana")
        phone = {"User-Agent": "Mozilla/5.0 (Android 16; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"}
        visitor = street.north.browser()
        await visitor.client.post("/sign-in", data={"handle": "ana", "password": PASSWORD}, headers=phone)
        here, cora = street.north.browser("ana"), street.north.browser("cora")
        page = await visitor.open("/me/account")
        assert "This phone , since today Firefox" in page.text
        other = (await here.open("/me/account")).form("/me/account/end")
        assert (await cora.send("/me/account/end", other)).status == 404
        assert (await visitor.open("/me")).status == 200
        ended = await here.send("/me/account/end-others")
        assert ended.leads_to == "/me/account?said=sessions_ended"
        assert (await visitor.open("/me")).status == 401
        assert (await here.open("/me")).status == 200

    on_the_street(database_kind, tmp_path, story)


def test_the_account_is_changed_and_a_refusal_keeps_what_was_typed(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        set_password(street.north, "ana")
        ana = street.north.browser("ana")
        long = await ana.send("/me/account/profile", {"name": "x" * 101, "summary": "Bicycles"})
        assert long.status == 422
        assert long.form("/me/account/profile")["summary"] == "Bicycles"
        await ana.send("/me/account/profile", {"name": "Ana N.", "summary": "Bicycles"})
        assert "Bicycles" in (await street.north.browser().open("/@ana")).text
        wrong = await ana.send("/me/account/reach", {"email": "nowhere", "zone": "Europe/London"})
        assert wrong.form("/me/account/reach")["email"] == "nowhere"
        assert (await ana.send("/me/account/reach", {"email": "a@b.example", "zone": "Europe/London"})).status == 303
        guessed = await ana.send("/me/account/password", {"present": "wrong horse", "password": "another horse"})
        assert guessed.status == 422
        assert "wrong horse" not in guessed.answer.text
        changed = await ana.send("/me/account/password", {"present": PASSWORD, "password": "another horse battery"})
        assert changed.leads_to == "/me/account?said=password_changed"
        assert (await ana.open("/me")).status == 200
        refused = await street.north.browser().send("/sign-in", {"handle": "ana", "password": PASSWORD})
        assert refused.status == 401
        assert "a@b.example" in (await street.north.browser("nora").open("/members/ana")).text
        assert "a@b.example" not in (await street.north.browser("cora").open("/members/ana")).text

    on_the_street(database_kind, tmp_path, story)


def test_roles_are_changed_by_admins_and_the_last_one_stays(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        nora, cora = street.north.browser("nora"), street.north.browser("cora")
        last = await nora.send("/members/nora/role", {"role": "member"})
        assert (last.status, "The last admin stays one" in last.text) == (409, True)
        assert (await nora.send("/members/cora/role", {"role": "king"})).status == 422
        assert (await nora.send("/members/cora/role", {"role": "admin"})).status == 303
        assert (await cora.open("/neighbourhood")).status == 200
        assert (await nora.send("/members/nora/role", {"role": "member"})).leads_to == "/members?said=role_changed"
        assert (await nora.open("/neighbourhood")).status == 403
        assert "Coordinator → Admin" in (await cora.open("/members/cora")).text

    on_the_street(database_kind, tmp_path, story)


def test_members_are_listed_page_by_page_and_found(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        cora = street.north.browser("cora")
        assert "Kim" in (await cora.open("/members?q=KI")).text
        assert "Nobody of that name" in (await cora.open("/members?q=%25")).text
        assert "Ana" not in (await cora.open("/members?after=ana")).text

    on_the_street(database_kind, tmp_path, story)


def test_the_first_admin_comes_by_the_link_of_the_founding_and_is_led_through(
    database_kind: str, tmp_path: Path
) -> None:
    async def story(street: Street) -> None:
        with street.north.instance.units.begin() as work:
            secret = joining.invite(work, None, Terms("The first admin", role=Role.ADMIN), MemberLimits())
        rosa = street.north.browser()
        form = await rosa.open(f"/join?invitation={secret}")
        joined = await rosa.press(form, "/join", name="Rosa", handle="rosa", password=PASSWORD)
        assert joined.leads_to == "/setup?said=joined"
        assert (await street.river.browser().open(f"/join?invitation={secret}")).status == 404
        assert "Begin" in (await rosa.open("/setup")).text
        name = await rosa.open("/neighbourhood/name?setup=1")
        assert name.form("/neighbourhood/name?setup=1")["name"] == "Northside"
        refused = await rosa.press(name, "/neighbourhood/name?setup=1", name="", area="Between park and river")
        assert refused.form("/neighbourhood/name?setup=1")["area"] == "Between park and river"
        kept = await rosa.press(refused, "/neighbourhood/name?setup=1", name="North & South")
        assert kept.leads_to == "/neighbourhood/joining?setup=1&said=changed"
        assert "North & South" in (await street.north.browser("ana").open("/board")).text
        assert "1" in (await rosa.open("/setup")).text  # left, and continued
        joining_form = await rosa.open(kept.leads_to)
        assert joining_form.form("/neighbourhood/joining?setup=1")["joining"] == "application"
        kept = await rosa.press(joining_form, "/neighbourhood/joining?setup=1")
        await rosa.send("/neighbourhood/categories/add?setup=1", {"name": "Cakes"})
        twice = await rosa.send("/neighbourhood/categories/add?setup=1", {"name": "cakes"})
        assert (twice.status, 'value="cakes"' in twice.answer.text) == (409, True)
        on = await rosa.send("/setup", {"step": "categories"})
        assert on.leads_to == "/neighbourhood/agreement?setup=1"
        kept = await rosa.press(on.leads_to, "/neighbourhood/agreement?setup=1")
        assert kept.leads_to == "/neighbourhood/group?setup=1&said=changed"
        taken = await rosa.send("/neighbourhood/group?setup=1", {"name": "Garden circle", "handle": "tools"})
        assert taken.form("/neighbourhood/group?setup=1")["name"] == "Garden circle"
        done = await rosa.send("/neighbourhood/group?setup=1", {"name": "Garden circle", "handle": "garden"})
        assert done.leads_to == "/neighbourhood/mail?setup=1&said=changed"
        assert "No mail server is set" in (await rosa.open(done.leads_to)).text
        refused = await rosa.send("/neighbourhood/mail?setup=1", {"address": "rosa@mail.example"})
        assert (refused.status, "No mail server is set" in refused.text) == (409, True)
        assert (await rosa.send("/setup", {"step": "mail"})).leads_to == "/setup"
        assert "Invite neighbours" in (await rosa.open("/setup")).text
        assert (await rosa.open("/@garden")).status == 200
        assert "Name and area" in (await rosa.open("/neighbourhood")).text
        assert (await rosa.send("/setup", {"step": "nonsense"})).status == 404

    on_the_street(database_kind, tmp_path, story)


def test_kinds_of_help_come_and_go_and_listings_keep_theirs(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        nora, ana = street.north.browser("nora"), street.north.browser("ana")
        posted = await ana.send("/post?kind=request", {"title": "A sofa", "category": "moving"})
        listing = posted.leads_to.partition("?")[0]
        await nora.send("/neighbourhood/categories/rename", {"slug": "moving", "name": "Carrying"})
        await nora.send("/neighbourhood/categories/retire", {"slug": "moving"})
        assert "Carrying" not in (await ana.open("/post?kind=request")).text
        refused = await ana.send("/post?kind=request", {"title": "A chair", "category": "moving"})
        assert refused.status == 422
        edit = await ana.open(f"{listing}/edit")
        assert "Carrying" in edit.text
        kept = await ana.press(edit, f"{listing}/edit", title="A big sofa", category="moving", mode="hours")
        assert kept.leads_to == f"{listing}?said=changed"
        assert "A big sofa" in (await ana.open("/board?category=moving")).text
        await nora.send("/neighbourhood/categories/bring-back", {"slug": "moving"})
        assert "Carrying" in (await ana.open("/post?kind=request")).text
        for step, fields, status in (
            ("retire", {"slug": "nonsense"}, 404),
            ("add", {"name": ""}, 422),
            ("rename", {"slug": "moving", "name": "Garden"}, 409),
            ("burn", {}, 404),
        ):
            assert (await nora.send(f"/neighbourhood/categories/{step}", fields)).status == status

    on_the_street(database_kind, tmp_path, story)
