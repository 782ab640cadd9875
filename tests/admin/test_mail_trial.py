"""The admin's test of mail: it goes out at once, what the mail server says is read there, and nobody else may."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fedaid.notices.limits import MailLimits, Security
from tests.notices.postbox import Postbox, postbox, text_of
from tests.towns import Town, found

pytestmark = pytest.mark.anyio
PAGE = "/neighbourhood/mail"
NORA = "nora@mail.example"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def mailing(tmp_path: Path, database_kind: str) -> AsyncIterator[tuple[Town, Postbox]]:
    with postbox() as box:
        mail = MailLimits(host="127.0.0.1", port=box.port, security=Security.NONE)
        async with found(tmp_path, database_kind, "northside.example", mail=mail) as (town,):
            yield town, box


async def test_a_mail_goes_out_at_once_and_the_step_of_the_wizard_is_done(mailing: tuple[Town, Postbox]) -> None:
    town, box = mailing
    async with town.browser(town.session("nora")) as nora:
        assert "Send me a test mail" in (await nora.get(PAGE)).text
        tried = await nora.post(f"{PAGE}?setup=1", data={"address": NORA})
        assert tried.headers["location"].endswith("said=mail_tried"), tried.text
        assert "A test of mail</a><span" in (await nora.get("/setup")).text  # seen
    (mail,) = box.mails
    assert mail["To"] == NORA
    assert "Northside" in text_of(mail)


async def test_what_the_mail_server_says_is_read_and_what_was_typed_stays(mailing: tuple[Town, Postbox]) -> None:
    town, box = mailing
    box.says = "554 We take nothing from you"
    async with town.browser(town.session("nora")) as nora:
        refused = await nora.post(PAGE, data={"address": NORA})
    assert (refused.status_code, f'value="{NORA}"' in refused.text) == (422, True)
    assert "554 We take nothing from you" in refused.text


@pytest.mark.parametrize("typed", ["", "nora", "nora@mail.example\nBcc: all@mail.example"])
async def test_what_is_no_address_is_refused_and_nothing_is_sent(mailing: tuple[Town, Postbox], typed: str) -> None:
    town, box = mailing
    async with town.browser(town.session("nora")) as nora:
        assert (await nora.post(PAGE, data={"address": typed})).status_code == 422
    assert box.mails == []


@pytest.mark.parametrize("handle", ["", "ana", "cora"])
async def test_nobody_but_an_admin_sends_one(mailing: tuple[Town, Postbox], handle: str) -> None:
    town, box = mailing
    async with town.browser(town.session(handle) if handle else "") as other:
        answers = [await other.get(PAGE), await other.post(PAGE, data={"address": NORA})]
    assert [one.status_code for one in answers] == ([403, 403] if handle else [303, 303])
    assert box.mails == []


async def test_a_page_of_somebody_else_cannot_have_one_sent(mailing: tuple[Town, Postbox]) -> None:
    town, box = mailing
    async with town.browser(town.session("nora")) as nora:
        forged = await nora.post(PAGE, data={"address": NORA}, headers={"origin": "https://evil.example"})
    assert forged.status_code == 403
    assert box.mails == []
