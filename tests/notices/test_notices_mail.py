"""Mails: who gets one, when and what is in it; what becomes of one that is not taken; and every way out."""

import asyncio
import random
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from fedaid.actors.tables import local_actor
from fedaid.board import commands as board
from fedaid.foundation.federation import Federation
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.viewer import SIGNED_OUT, Role, Viewer
from fedaid.members import commands as members
from fedaid.members.commands import access, change_language
from fedaid.members.limits import MemberLimits
from fedaid.notices import commands, queries
from fedaid.notices.commands import mails as mail_commands
from fedaid.notices.limits import MailLimits, Security
from fedaid.notices.queries import mails
from fedaid.notices.rules import (
    USUAL,
    Channel,
    Kind,
    Topic,
    member_of_token,
    next_digest,
    retry_wait_seconds,
    unsubscribe_token,
)
from fedaid.notices.sending import Postman
from fedaid.notices.tables import MailState, mail
from fedaid.web.shell import build_templates
from tests.notices.postbox import Postbox, text_of
from tests.notices.told import Town
from tests.small_house import some_keys

PLACE = "Door 7, behind the bakery"
PHONE = "0777 123456"
DAYS = timedelta(days=1)


class Mailing:
    """The town with a mail server."""

    def __init__(self, town: Town, box: Postbox, **limits: Any) -> None:
        self.town, self.box = town, box
        self.limits = MailLimits(host="127.0.0.1", port=box.port, security=Security.NONE, **limits)
        town.mail = self.limits
        self.postman = Postman(
            town.units,
            build_templates("", "0"),
            lambda: "Northside",
            Federation.OPEN,
            self.limits,
            MemberLimits(),
            language="en",
        )

    def want(self, who: Viewer, channel: Channel, *topics: Topic) -> None:
        with self.town.units.begin() as work:
            present = queries.channels(work.connection, who.member_id or 0)
            chosen = {one: channel if not topics or one in topics else was for one, was in present.items()}
            commands.choose(work, who.member_id or 0, chosen)

    def go(self) -> int:
        return asyncio.run(self.postman.go())

    def pass_days(self, days: float) -> None:
        self.town.street.pass_days(days)

    def states(self) -> list[str]:
        with self.town.units.database.read() as connection:
            return list(connection.execute(select(mail.c.state).order_by(mail.c.id)).scalars())


@pytest.fixture
def mailing(town: Town, box: Postbox) -> Mailing:
    return Mailing(town, box)


# when


def test_the_weekly_mail_comes_on_monday_at_eight_on_the_readers_clock() -> None:
    tuesday = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)
    assert next_digest(tuesday, ZoneInfo("Europe/London")) == datetime(2026, 9, 7, 7, 0, tzinfo=UTC)
    assert next_digest(tuesday, ZoneInfo("Pacific/Auckland")) == datetime(2026, 9, 6, 20, 0, tzinfo=UTC)
    monday = datetime(2026, 9, 7, 7, 0, tzinfo=UTC)
    assert next_digest(monday, ZoneInfo("Europe/London")) == monday + 7 * DAYS


def test_a_weekly_mail_keeps_its_hour_when_the_clocks_change_and_is_at_most_a_week_away() -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    for _ in range(300):
        zone = ZoneInfo(chance.choice(("Europe/London", "America/New_York", "Pacific/Auckland", "Asia/Kolkata")))
        now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(2 * 365 * 24 * 60))
        due = next_digest(now, zone).astimezone(zone)
        assert (due.weekday(), due.hour, due.minute) == (0, 8, 0), (seed, now, zone)
        assert now < due <= now + 7 * DAYS + timedelta(hours=2), (seed, now, zone)


def test_waits_grow_up_to_a_limit() -> None:
    assert [retry_wait_seconds(tries, 300, 7_200) for tries in (1, 2, 3, 4, 5)] == [300, 900, 2_700, 7_200, 7_200]


# what


def test_by_default_there_is_one_mail_a_week_with_what_is_unread(mailing: Mailing) -> None:
    town = mailing.town
    assert USUAL is Channel.WEEKLY
    read, unread = (town.answer(town.post(title)) for title in ("A sofa", "A cupboard"))
    assert read != unread
    with town.units.begin() as work:
        commands.read(work, town.ana.member_id or 0, town.notices(town.ana)[1].id)
    assert mailing.go() == 0
    mailing.pass_days(7)
    assert (mailing.go(), mailing.go()) == (1, 0)
    (sent,) = mailing.box.mails
    assert sent["To"] == "Ana Nightingale <ana@mail.example>"
    assert sent["From"] == "Northside <no-reply@northside.example>"
    assert sent["Subject"] == "1 notice from Northside"
    assert sent["Auto-Submitted"] == "auto-generated"
    for kind in ("plain", "html"):
        assert "A cupboard" in text_of(sent, kind)
        assert "A sofa" not in text_of(sent, kind)


def test_who_wants_it_gets_a_mail_at_once_and_what_comes_together_is_one(mailing: Mailing) -> None:
    town = mailing.town
    mailing.want(town.ana, Channel.AT_ONCE, Topic.ANSWERS)
    for title in ("A sofa", "A cupboard"):
        town.answer(town.post(title))
    assert mailing.go() == 1
    assert mailing.box.mails[0]["Subject"] == "2 notices from Northside"
    mailing.pass_days(7)
    assert mailing.go() == 0


def test_a_mail_is_in_the_language_that_its_reader_chose(mailing: Mailing) -> None:
    town = mailing.town
    mailing.want(town.ana, Channel.AT_ONCE, Topic.ANSWERS)
    with town.units.begin() as work:
        change_language(work, town.ana.member_id or 0, "es")
    town.answer(town.post("A sofa"))
    assert mailing.go() == 1
    plain = mailing.box.mails[0].get_body(("plain",))
    assert plain is not None
    assert "Todos tus avisos" in plain.get_content()
    page = mailing.box.mails[0].get_body(("html",))
    assert page is not None
    assert '<html lang="es" dir="ltr">' in page.get_content()


def test_who_wants_none_gets_none_and_who_wants_nothing_has_no_notice(mailing: Mailing) -> None:
    town = mailing.town
    mailing.want(town.ana, Channel.HERE)
    town.answer(town.post("A sofa"))
    mailing.want(town.ana, Channel.NONE)
    town.answer(town.post("A cupboard"))
    assert [one.told.title for one in town.notices(town.ana) if one.told] == ["A sofa"]
    mailing.pass_days(8)
    assert mailing.go() == 0


def test_too_many_mails_at_once_wait_for_the_weekly_one(town: Town, box: Postbox) -> None:
    mailing = Mailing(town, box, at_once_per_day_max=2)
    mailing.want(town.ana, Channel.AT_ONCE)
    for number in range(4):
        town.answer(town.post(f"Sofa {number}"))
        mailing.go()
    assert len(box.mails) == 2
    mailing.pass_days(7)
    assert mailing.go() == 1
    assert "Sofa 3" in text_of(box.mails[2])


def test_no_mail_holds_a_place_a_contact_or_what_somebody_wrote(mailing: Mailing) -> None:
    town = mailing.town
    for who in (town.ana, town.bea):
        mailing.want(who, Channel.AT_ONCE)
    listing = town.post("A sofa", description=f"Call {PHONE}", place=PLACE)
    response = town.answer(listing, message=f"My number is {PHONE}, I live at {PLACE}")
    town.accept(response)
    with town.units.begin() as work:
        board.make_remark(work, town.ana, response, f"Come to {PLACE}, {PHONE}")
        board.make_remark(work, town.bea, response, f"Or to {PLACE}, {PHONE}")
    assert mailing.go() == 2
    for sent in mailing.box.mails:
        everything = f"{sent['Subject']} {text_of(sent)} {text_of(sent, 'html')}"
        assert PLACE not in everything
        assert PHONE not in everything
        assert "A sofa" not in sent["Subject"]


def test_what_was_taken_down_before_the_mail_goes_is_not_in_it(mailing: Mailing) -> None:
    town = mailing.town
    mailing.want(town.bea, Channel.AT_ONCE)
    listing = town.post("A secret")
    town.accept(town.answer(listing))
    with town.units.begin() as work:
        board.withdraw_listing(work, town.ana, listing.id)
    assert mailing.go() == 0
    assert mailing.box.mails == []
    assert set(mailing.states()) == {"needless"}


def test_a_name_cannot_write_the_head_of_a_mail(mailing: Mailing) -> None:
    """Attack S75."""
    town = mailing.town
    with town.units.begin() as work:
        dan = members.add_member(work, "dan", "x", name="Dan", email="dan@mail.example", keys=some_keys())
        commands.tell(work, [dan.id], Kind.RECOVERY, "1")
    with town.units.database.write() as connection:
        evil = "Dan\r\nBcc: victim@mail.example"
        connection.execute(local_actor.update().where(local_actor.c.id == dan.actor_id).values(name=evil))
    mailing.pass_days(7)
    assert mailing.go() == 1
    assert mailing.box.mails[0]["Bcc"] is None
    assert mailing.box.mails[0]["To"].addresses[0].addr_spec == "dan@mail.example"


def test_nothing_is_sent_where_no_mail_server_is_set(town: Town, box: Postbox) -> None:
    mailing = Mailing(town, box)
    mailing.postman._limits = MailLimits()
    town.answer(town.post())
    mailing.pass_days(7)
    assert mailing.go() == 0
    assert mailing.states() == []


def test_mail_that_is_turned_on_late_does_not_bring_what_is_old(mailing: Mailing) -> None:
    town = mailing.town
    town.answer(town.post())
    mailing.pass_days(30)
    assert mailing.go() == 0
    assert mailing.states() == []


# what becomes of one that is not taken


def test_a_mail_that_the_server_cannot_take_just_now_is_sent_later_and_once(mailing: Mailing) -> None:
    town = mailing.town
    mailing.want(town.ana, Channel.AT_ONCE)
    town.answer(town.post())
    mailing.box.says = "451 come back later"
    assert mailing.go() == 0
    with town.units.database.read() as connection:
        (trouble,) = mails.troubled(connection)
    assert (trouble.mail.state, trouble.mail.tries) == (MailState.WAITING, 1)
    assert "451 come back later" in trouble.mail.error
    mailing.box.says = ""
    assert mailing.go() == 0, "not before its time"
    town.people.world.house.clock.pass_seconds(301)
    assert mailing.go() == 1
    town.people.world.house.clock.pass_seconds(100_000)
    assert mailing.go() == 0
    assert mailing.states() == ["sent"]


def test_a_server_that_is_away_loses_nothing_until_patience_ends(town: Town, box: Postbox) -> None:
    mailing = Mailing(town, box, tries_max=3)
    mailing.want(town.ana, Channel.AT_ONCE)
    box.says = "554 no"
    town.answer(town.post())
    for _ in range(4):
        mailing.go()
        town.people.world.house.clock.pass_seconds(50_000)
    assert mailing.states() == ["failed"]
    with town.units.begin() as work:
        mail_commands.try_again(work, _only_mail(town))
    box.says = ""
    assert mailing.go() == 1
    with pytest.raises(NotFound), town.units.begin() as work:
        mail_commands.try_again(work, _only_mail(town))


def _only_mail(town: Town) -> int:
    with town.units.database.read() as connection:
        return int(connection.execute(select(mail.c.id)).scalar_one())


def test_an_address_that_nobody_has_gets_no_more_mail_until_it_is_changed(mailing: Mailing) -> None:
    town = mailing.town
    mailing.want(town.ana, Channel.AT_ONCE)
    mailing.box.refuse["ana@mail.example"] = "550 nobody here"
    town.answer(town.post("A sofa"))
    assert mailing.go() == 0
    assert mailing.states() == ["failed"]
    assert "came back" in town.browser(town.ana).get("/me/notices").text
    town.answer(town.post("A cupboard"))
    mailing.go()
    assert mailing.states() == ["failed"]
    with town.units.begin() as work:
        members.change_email(work, town.ana.member_id or 0, "ana@elsewhere.example")
    town.answer(town.post("A table"))
    assert mailing.go() == 1
    assert mailing.box.mails[0]["To"].addresses[0].addr_spec == "ana@elsewhere.example"


def test_a_mail_whose_sender_died_is_sent_by_another_when_the_lease_ends(mailing: Mailing) -> None:
    town = mailing.town
    mailing.want(town.ana, Channel.AT_ONCE)
    town.answer(town.post())
    mailing.postman._take()  # and no more
    assert mailing.go() == 0
    town.people.world.house.clock.pass_seconds(mailing.limits.lease_seconds)
    assert mailing.go() == 1


def test_two_processes_send_a_mail_once(mailing: Mailing) -> None:
    town = mailing.town
    for who in (town.ana, town.bea, town.kim):
        mailing.want(who, Channel.AT_ONCE)
        with town.units.begin() as work:
            commands.tell(work, [who.member_id or 0], Kind.RECOVERY, "1")

    async def both() -> list[int]:
        return list(await asyncio.gather(mailing.postman.go(), mailing.postman.go()))

    assert sum(asyncio.run(both())) == len(mailing.box.mails) == 3


def test_that_a_mail_was_sent_is_forgotten_after_a_while(mailing: Mailing) -> None:
    town = mailing.town
    mailing.want(town.ana, Channel.AT_ONCE)
    town.answer(town.post())
    assert mailing.go() == 1
    mailing.pass_days(mailing.limits.kept_days)
    with town.units.begin() as work:
        assert mail_commands.forget_old(work, mailing.limits) == 1
    assert len(town.notices(town.ana)) == 1


# the ways out


def test_one_click_ends_mails_and_needs_no_sign_in(mailing: Mailing) -> None:
    town = mailing.town
    mailing.want(town.ana, Channel.AT_ONCE)
    town.answer(town.post("A sofa"))
    mailing.go()
    (sent,) = mailing.box.mails
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = re.fullmatch(r"<(https://northside\.example/unsubscribe\?token=\S+)>", sent["List-Unsubscribe"])
    assert link
    browser = town.browser(SIGNED_OUT)
    assert browser.get(link[1]).status_code == 200
    town.answer(town.post("A cupboard"))
    assert mailing.go() == 1, "to open the link is not enough: programs do that"
    assert browser.post(link[1], data={"List-Unsubscribe": "One-Click"}).status_code == 200
    town.answer(town.post("A table"))
    mailing.pass_days(8)
    assert mailing.go() == 0
    assert len(town.notices(town.ana)) == 3


@pytest.mark.parametrize("token", ["", "1", "1.", "x.y", "99999999999999999999.x", "1.\ud800"])
def test_a_link_that_we_did_not_make_ends_nothing(town: Town, token: str) -> None:
    with pytest.raises(Refused) as refused:
        member_of_token(b"key", token)
    assert refused.value.code == "unsubscribe_link"


def test_a_link_is_one_members_and_of_this_instance(town: Town) -> None:
    token = unsubscribe_token(b"key", 7)
    assert member_of_token(b"key", token) == 7
    for wrong in (token.replace("7.", "8."), token[:-1], unsubscribe_token(b"other", 7)):
        with pytest.raises(Refused):
            member_of_token(b"key", wrong)
    browser = town.browser(SIGNED_OUT)
    assert browser.get("/unsubscribe?token=7.x").status_code == 404
    assert browser.post("/unsubscribe?token=7.x").status_code == 404


def test_choices_are_kept_and_what_nobody_offered_is_refused(mailing: Mailing) -> None:
    browser = mailing.town.browser(mailing.town.ana)
    page = browser.get("/me/notices").text
    assert page.count('value="weekly" selected') == 7, "coordination is for coordinators"
    assert browser.post("/me/notices", data={"hours": "at_once", "asks": "none"}).status_code == 303
    with mailing.town.units.database.read() as connection:
        chosen = queries.channels(connection, mailing.town.ana.member_id or 0)
    assert (chosen[Topic.HOURS], chosen[Topic.ASKS], chosen[Topic.CARE]) == ("at_once", "none", "weekly")
    refused = browser.post("/me/notices", data={"hours": "by pigeon", "asks": "here"})
    assert refused.status_code == 422
    assert mailing.town.browser(SIGNED_OUT).get("/me/notices").status_code == 303


# a new password


def test_who_forgot_their_password_gets_a_link_that_is_good_once(mailing: Mailing) -> None:
    town = mailing.town
    browser = town.browser(SIGNED_OUT)
    asked = browser.post("/recover/mail", data={"handle": "@ana"})
    assert asked.headers["location"] == "/recover/mail?said=recovery_mailed"
    assert mailing.go() == 1
    (sent,) = mailing.box.mails
    found = re.search(r"/recover\?link=(\S+)", text_of(sent))
    assert found
    with town.units.begin() as work:
        assert access.recover(work, found[1], "hash") == town.ana.member_id
    with pytest.raises(Refused), town.units.begin() as work:
        access.recover(work, found[1], "hash")


def test_the_answer_is_the_same_for_nobody_for_no_address_and_for_the_impatient(mailing: Mailing) -> None:
    """Attack S86."""
    town = mailing.town
    with town.units.begin() as work:
        members.change_email(work, town.kim.member_id or 0, "")
    browser = town.browser(SIGNED_OUT)
    answers = [browser.post("/recover/mail", data={"handle": one}) for one in ("ana", "nobody", "kim", "ana")]
    assert {(one.status_code, one.headers["location"], one.text) for one in answers} == {
        (303, "/recover/mail?said=recovery_mailed", "")
    }
    assert mailing.go() == 1


def test_so_many_links_are_asked_for_from_one_address_and_none_without_a_mail_server(mailing: Mailing) -> None:
    browser = mailing.town.browser(SIGNED_OUT)
    tries = MemberLimits().link_tries_per_address_max
    answers = [browser.post("/recover/mail", data={"handle": f"x{number}"}) for number in range(tries + 1)]
    assert [one.status_code for one in answers] == [303] * tries + [429]
    mailing.town.mail = MailLimits()
    assert mailing.town.browser(SIGNED_OUT).post("/recover/mail", data={"handle": "ana"}).status_code == 409


# settings


def test_a_lease_outlasts_a_round_and_the_password_is_shown_nowhere() -> None:
    with pytest.raises(ValueError, match="lease_seconds"):
        MailLimits(lease_seconds=10)
    assert "open sesame" not in repr(MailLimits(secret="open sesame"))


def test_coordinators_choose_for_what_waits_for_them(mailing: Mailing) -> None:
    assert mailing.town.cora.role is Role.COORDINATOR
    assert "coordinators" in mailing.town.browser(mailing.town.cora).get("/me/notices").text
