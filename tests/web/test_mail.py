"""Mail as the admin sees it, in the whole app: what failed and why, sent again; and that leaving takes it along."""

import asyncio
from pathlib import Path

from sqlalchemy import func, select

from fedaid.notices.commands import mails
from fedaid.notices.limits import MailLimits
from fedaid.notices.queries.mails import troubled
from fedaid.notices.tables import mail, notice
from tests.web.street import Street, on_the_street


def test_the_admin_sees_what_failed_and_sends_it_again(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        instance, limits = street.north.instance, MailLimits(tries_max=1)
        with instance.units.begin() as work:
            work.connection.exec_driver_sql("UPDATE member SET email = 'kim@mail.example'")
            assert mails.mail_recovery(work, "kim", limits)
            (found,) = mails.claim(work, limits)
            reader = mails.members.by_handle(work.connection, "kim")
            assert reader
            mails.failed(work, found, reader, "the address was refused: 550 <b>nobody</b>", limits, refused=True)
        nora, cora, visitor = (street.north.browser(name) for name in ("nora", "cora", ""))
        assert [(await who.open("/mail")).status for who in (visitor, cora, nora)] == [401, 403, 200]
        page = await nora.open("/mail")
        assert "550 &lt;b&gt;nobody&lt;/b&gt;" in page.answer.text
        assert "No mail server is set" in page.text
        assert (await cora.send("/mail/again", {"number": str(found.id)})).status == 403
        assert (await nora.press(page, "/mail/again")).leads_to == "/mail?said=mail_again"
        assert (await nora.send("/mail/again", {"number": "7"})).status == 404
        with instance.database.read() as connection:
            assert troubled(connection) == []

    on_the_street(database_kind, tmp_path, story)


def test_hours_to_confirm_are_told_through_the_whole_app(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        await street.settle()
        ana, kim = street.north.browser("ana"), street.north.browser("kim")
        sent = await kim.press("/hours/claim", "/hours/claim", to="ana", hours="1:30", note="secret words")
        assert sent.status == 303, sent.text
        page = await ana.open("/notices")
        assert "Kim logged 1 h 30 min for help to you. Please confirm." in page.text
        assert "secret words" not in page.text
        assert "secret" not in (await kim.open("/notices")).text

    on_the_street(database_kind, tmp_path, story)


def test_whoever_leaves_takes_notices_and_mails_along(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        from fedaid.admin.leaving import remove_member

        instance = street.north.instance
        with instance.units.begin() as work:
            work.connection.exec_driver_sql("UPDATE member SET email = 'kim@mail.example'")
            mails.mail_recovery(work, "kim", MailLimits())
            remove_member(work, "kim", instance.settings.timebank)
            for table in (mail, notice):
                assert not work.connection.execute(select(func.count()).select_from(table)).scalar_one()
        assert await asyncio.wait_for(instance.postman.go(), 5) == 0

    on_the_street(database_kind, tmp_path, story)
