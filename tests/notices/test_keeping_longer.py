"""Before a listing leaves the board its author is told once, and keeps it longer with one press, also out of a mail."""

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from fedaid.board import commands as board
from fedaid.board.limits import BoardLimits
from fedaid.board.queries import my_listings
from fedaid.board.rules import warning_due
from fedaid.foundation.federation import Federation
from fedaid.foundation.refused import Refused
from fedaid.foundation.viewer import SIGNED_OUT, Role, Viewer
from fedaid.members import commands as members
from fedaid.members.commands.neighbourhood import publish_agreement
from fedaid.members.limits import MemberLimits
from fedaid.notices import commands, queries
from fedaid.notices.limits import MailLimits, Security
from fedaid.notices.rules import Channel, Keeping, Topic, keeping_of_token, keeping_token, unsubscribe_token
from fedaid.notices.sending import Postman
from fedaid.web.shell import build_templates
from tests.notices.postbox import Postbox, text_of
from tests.notices.told import Town

DAYS = timedelta(days=1)
LIMITS = BoardLimits()
KEY = b"k" * 32
ABOUT = Keeping(7, datetime(2026, 9, 21, 9, 0, tzinfo=UTC))


def warn(town: Town) -> int:
    with town.units.begin() as work:
        return board.warn_ending(work, LIMITS)


@pytest.mark.parametrize(
    ("days", "before"),
    [(90, 8), (16, 8), (14, 7), (2, 1)],
)
def test_a_listing_is_told_of_eight_days_before_it_ends_and_never_in_the_first_half_of_its_time(
    days: int, before: int
) -> None:
    begun = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)
    assert warning_due(begun, begun + days * DAYS, 8) == begun + (days - before) * DAYS


def test_its_author_is_told_once_of_each_end(town: Town) -> None:
    listing = town.post()  # for 20 days
    assert warn(town) == 0
    town.street.pass_days(12)
    assert (warn(town), warn(town)) == (1, 0)
    (told,) = town.notices(town.ana)
    assert told.told
    assert (told.kind, told.told.yes, told.told.until) == ("ending", True, "21 Sep 2026")
    with town.units.begin() as work:
        until = board.keep_longer(work, town.ana, listing.id, LIMITS)
    assert listing.expires_at
    assert until == listing.expires_at + 14 * DAYS
    assert [one.told.yes for one in town.notices(town.ana) if one.told] == [False]
    assert warn(town) == 0
    town.street.pass_days(14)
    assert warn(town) == 1
    assert town.kinds(town.ana) == ["ending"]
    assert town.notices(town.bea) == []


def test_what_found_its_helpers_or_was_taken_down_does_not_end(town: Town) -> None:
    town.accept(town.answer(town.post("A sofa")))
    cupboard = town.post("A cupboard")
    with town.units.begin() as work:
        board.withdraw_listing(work, town.ana, cupboard.id)
    town.street.pass_days(13)
    assert warn(town) == 0


def test_the_button_stands_behind_the_notice_and_not_where_it_was_pressed(town: Town) -> None:
    listing = town.post()
    town.street.pass_days(13)
    warn(town)
    ana = town.browser(town.ana)
    page = ana.get("/notices").text
    assert "Your listing “Help with a sofa” leaves the board on 21 Sep 2026. You can keep it longer." in page
    (form,) = re.findall(r'action="(/listings/\d+/extend)"', page)
    assert ana.post(form, data={"back": "notices"}).headers["location"] == "/notices?said=extended"
    after = ana.get("/notices").text
    assert "/extend" not in after
    assert "was about to leave the board" in after
    assert town.street.again(listing).expires_at == listing.expires_at + 14 * DAYS  # type: ignore[operator]


def test_a_link_is_good_for_one_end_of_one_listing() -> None:
    token = keeping_token(KEY, ABOUT)
    assert keeping_of_token(KEY, token) == ABOUT
    number, end, signature = token.split(".")
    wrong = [
        "",
        ".",
        "..",
        f"8.{end}.{signature}",
        f"{number}.{int(end) + 1}.{signature}",
        f"{number}.{end}.",
        f"{number}.{end}.{signature}x",
        f"{number}.{'9' * 12}.{signature}",
        f"x.{end}.{signature}",
        f"{number}.{end}.{signature}\udc80é",
        unsubscribe_token(KEY, 7),
    ]
    for one in wrong:
        with pytest.raises(Refused) as refused:
            keeping_of_token(KEY, one)
        assert (refused.value.code, refused.value.status) == ("keeping_link", 404), one
    for key in (b"", b"x" * 32):
        with pytest.raises(Refused):
            keeping_of_token(key, token)


def mailed(town: Town, box: Postbox, who: Viewer) -> str:
    """The text of the mail that somebody gets at once."""
    limits = MailLimits(host="127.0.0.1", port=box.port, security=Security.NONE)
    templates = build_templates("", "0")
    postman = Postman(
        town.units, templates, lambda: "Northside", Federation.OPEN, limits, MemberLimits(), language="en"
    )
    assert asyncio.run(postman.go()) == 1
    return text_of(box.mails[-1])


@pytest.fixture
def link(town: Town, box: Postbox) -> str:
    """The link in the mail about Ana's sofa, which ends in a week."""
    with town.units.begin() as work:
        members.change_email(work, town.ana.member_id or 0, "ana@mail.example")
        present = queries.channels(work.connection, town.ana.member_id or 0)
        commands.choose(work, town.ana.member_id or 0, {**present, Topic.ANSWERS: Channel.AT_ONCE})
    town.post()
    town.street.pass_days(13)
    warn(town)
    (found,) = re.findall(r"Keep it longer: (\S+)", mailed(town, box, town.ana))
    parts = urlsplit(found)
    return f"{parts.path}?{parts.query}"


def ends(town: Town) -> Any:
    with town.units.database.read() as connection:
        return my_listings(connection, town.ana)[0].expires_at


def test_the_link_in_the_mail_asks_and_only_its_button_keeps_the_listing_longer_once(town: Town, link: str) -> None:
    before, anybody = ends(town), town.browser(SIGNED_OUT)
    page = anybody.get(link)
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
    assert "It leaves the board on 21 Sep 2026." in page.text
    assert f'action="{link.replace("&", "&amp;")}"' in page.text
    assert ends(town) == before
    pressed = anybody.post(link)
    assert "It stays on the board until 5 Oct 2026." in pressed.text
    assert ends(town) == before + 14 * DAYS
    assert "It stays on the board until 5 Oct 2026." in anybody.post(link).text
    assert ends(town) == before + 14 * DAYS
    assert anybody.post(link[:-1]).status_code == 404


def test_who_reads_the_mail_late_has_the_listing_come_back(town: Town, link: str) -> None:
    before, anybody = ends(town), town.browser(SIGNED_OUT)
    town.street.pass_days(10)
    with town.units.begin() as work:
        assert board.expire_due(work) == 1
    assert "It left the board on 21 Sep 2026, and can come back." in anybody.get(link).text
    assert "It stays on the board until 8 Oct 2026." in anybody.post(link).text
    assert ends(town) == town.units.clock.now() + 14 * DAYS > before


def test_the_link_does_nothing_for_a_listing_that_was_taken_down(town: Town, link: str) -> None:
    anybody = town.browser(SIGNED_OUT)
    with town.units.database.read() as connection:
        (listing,) = my_listings(connection, town.ana)
    with town.units.begin() as work:
        board.withdraw_listing(work, town.ana, listing.id)
    assert [anybody.get(link).status_code, anybody.post(link).status_code] == [410, 410]


def test_who_owes_the_agreement_accepts_it_before_the_link_does_anything(town: Town, link: str) -> None:
    before, anybody = ends(town), town.browser(SIGNED_OUT)
    with town.units.begin() as work:
        publish_agreement(work, replace(town.cora, role=Role.ADMIN), "Be kind.", asks_again=True)
    assert anybody.post(link).status_code == 403
    assert ends(town) == before
