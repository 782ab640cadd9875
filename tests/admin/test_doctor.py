"""The doctor: what is wrong is named with what to do about it, and one trouble does not hide behind another."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import httpx2
import pytest
from sqlalchemy import insert

from activitypub.client import Client, FetchLimits
from fedaid.admin import doctor
from fedaid.admin.doctor import Finding
from inbox.journal import Entry, write_down
from inbox.tables import inbox_letter
from outbox import tables
from outbox.queue import Outgoing, post
from tests.admin.test_deliveries_desk import opened, pressed
from tests.small_house import RULES, START
from tests.support import postgresql
from tests.towns import Town

pytestmark = pytest.mark.anyio
ORIGIN, PEER = "https://northside.example", "peer.example"
Answer = Callable[[httpx2.Request], httpx2.Response]


@pytest.fixture(autouse=True)
def on_disk(database_kind: str) -> None:
    """A healthy instance has a database that survives a power cut."""
    if database_kind == "postgresql":
        postgresql.force_to_disk()


class World(httpx2.AsyncBaseTransport):
    """Northside behind a proxy that can be wrong, and another server with a clock of its own."""

    def __init__(self, town: Town, change: Mapping[str, Answer], skew_seconds: int = 0) -> None:
        self._town = httpx2.ASGITransport(app=town.instance.web)
        self._change = change
        self._date = format_datetime(START + timedelta(seconds=skew_seconds), usegmt=True)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.host == PEER:
            return httpx2.Response(404, headers={"date": self._date}, stream=httpx2.ByteStream(b""))
        for part, answer in self._change.items():
            if part in str(request.url) and (part != "inbox" or request.method == "POST"):
                return answer(request)
        return await self._town.handle_async_request(request)


def answers(status: int, body: object = "", kind: str = "text/html") -> Answer:
    text = body if isinstance(body, str) else json.dumps(body)
    return lambda request: httpx2.Response(
        status, headers={"content-type": kind}, stream=httpx2.ByteStream(text.encode())
    )


def unreachable(request: httpx2.Request) -> httpx2.Response:
    raise httpx2.ConnectError("refused", request=request)


async def examined(
    town: Town,
    change: Mapping[str, Answer] | None = None,
    addresses: tuple[str, ...] = ("93.184.216.34",),
    skew: int = 0,
) -> list[Finding]:
    async def resolver(host: str) -> tuple[str, ...]:
        return addresses

    client = Client(RULES, FetchLimits(), transport=World(town, change or {}, skew))
    try:
        return await doctor.examine(replace(town.instance.patient, client=client, resolver=resolver))
    finally:
        await client.aclose()


def wrong(findings: list[Finding]) -> str:
    """What is to be mended; there must be exactly one thing."""
    (found,) = [finding.what for finding in findings if not finding.ok]
    return found


async def test_a_healthy_instance_has_nothing_to_mend(north: Town) -> None:
    findings = await examined(north)
    assert [finding.what for finding in findings if not finding.ok] == []
    told = " ".join(finding.what for finding in findings)
    for words in ("MB are free", "its schema is", "The ledger verifies", "leads to 93.184.216.34"):
        assert words in told
    for words in (f"{ORIGIN} answers", "@board@northside.example is found by WebFinger", "refuses those without"):
        assert words in told


@pytest.mark.parametrize(
    ("change", "fix"),
    [
        ({"northside": unreachable}, "is fedaid serve running"),
        ({"northside": answers(421)}, "proxy_set_header Host $host"),
        ({"northside": answers(502)}, "answers 502 instead of fedaid"),
        ({"webfinger": answers(404)}, "let the proxy pass /.well-known/webfinger on with its query"),
        ({"webfinger": answers(200, "<html>")}, "let the proxy pass /.well-known/webfinger on"),
        (
            {
                "webfinger": answers(
                    200,
                    {
                        "subject": "acct:board@northside.example",
                        "links": [
                            {"rel": "self", "type": "application/activity+json", "href": "https://old.example/b"}
                        ],
                    },
                    "application/jrd+json",
                )
            },
            "is https://old.example/b, not https://northside.example/groups/board: check origin",
        ),
        ({"inbox": answers(405)}, "let the proxy pass POST with the type application/activity+json"),
        (
            {"inbox": answers(403, "<h1>Blocked by our firewall")},
            "answers 403 to a letter, which is not fedaid's answer",
        ),
        ({"inbox": answers(401, {"code": "unknown_host"}, "application/problem+json")}, "no signature will fit"),
        ({"inbox": unreachable}, "let the proxy pass POST on"),
    ],
)
async def test_what_a_proxy_spoils_is_named_with_the_fix(north: Town, change: Mapping[str, Answer], fix: str) -> None:
    assert fix in wrong(await examined(north, change))


@pytest.mark.parametrize(
    ("addresses", "fix"), [((), "add an A or AAAA record"), (("10.0.0.1",), "point its record at the public address")]
)
async def test_a_name_that_leads_nowhere_is_named(north: Town, addresses: tuple[str, ...], fix: str) -> None:
    assert fix in wrong(await examined(north, addresses=addresses))


def known(town: Town, **values: Any) -> None:
    with town.instance.database.write() as connection:
        connection.execute(insert(tables.host).values(host=PEER, **values))


@pytest.mark.parametrize(("skew", "ok"), [(0, True), (25, True), (-25, True), (40, False), (-7200, False)])
async def test_the_clock_is_held_against_that_of_a_server_we_know(north: Town, skew: int, ok: bool) -> None:
    known(north, last_success_ms=1)
    findings = await examined(north, skew=skew)
    if ok:
        assert f"The clock agrees with that of {PEER}." in [finding.what for finding in findings]
    else:
        assert f"{abs(skew)} s apart: set the clock by NTP" in wrong(findings)


async def test_a_sleeping_server_is_named_with_how_to_wake_it(north: Town) -> None:
    known(north, state="asleep", asleep_since_ms=1, last_error="no answer in time")
    assert f"when it is back: fedaid deliveries resume {PEER}" in wrong(await examined(north))


async def test_mail_that_nobody_takes_up_means_that_nobody_works(north: Town) -> None:
    entry = Entry("x", "https://a.example/u", "a.example", "Like", "/inbox", b"{}", "k", "rfc9421", 0, 0)
    now_ms = int(START.timestamp() * 1000)
    with north.instance.database.write() as connection:
        write_down(connection, [entry])
        connection.execute(inbox_letter.update().values(received_ms=now_ms))
    assert all(finding.ok for finding in await examined(north))
    north.clock.pass_seconds(1_200)
    assert "Letters that came in wait since 20 minutes and no worker" in wrong(await examined(north, skew=1_200))
    with north.instance.database.write() as connection:
        connection.execute(inbox_letter.delete())
        post(connection, Outgoing({"id": f"{ORIGIN}/activities/1", "type": "Like"}, f"{ORIGIN}/actor"), now_ms)
    assert "Messages that go out wait since 20 minutes and no worker" in wrong(await examined(north))


async def test_letters_that_failed_are_named_with_how_to_try_them_again(north: Town) -> None:
    entry = Entry("x", "https://a.example/u", "a.example", "Like", "/inbox", b"{}", "k", "rfc9421", 0, 0)
    with north.instance.database.write() as connection:
        write_down(connection, [entry])
        connection.execute(inbox_letter.update().values(state="failed", sentence="OSError: disk full"))
    assert "OSError: disk full. Mend that, then: fedaid letters retry --all-failed" in wrong(await examined(north))


async def test_too_little_room_is_named(north: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fedaid.admin.doctor.inside.FREE_BYTES_MIN", 2**80)
    assert "make room" in wrong(await examined(north))


async def test_a_database_without_this_versions_schema_is_all_that_is_said(north: Town) -> None:
    with north.instance.database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    findings = await examined(north)
    assert "start fedaid serve once" in wrong(findings)
    assert len(findings) == 2


async def test_the_doctors_page_looks_only_when_the_admin_presses_the_button(north: Town) -> None:
    assert (await opened(north, "/check-up", "cora")).status_code == 403
    assert (await pressed(north, "/check-up", "cora")).status_code == 403
    waiting = (await opened(north, "/check-up")).text
    assert "Look now" in waiting
    assert "MB are free" not in waiting
    assert north.cable.carried == []
    looked = (await pressed(north, "/check-up")).text
    assert "MB are free" in looked
    assert "is found by WebFinger" in looked
    assert "Mend" not in looked


async def test_a_proxy_that_is_not_believed_is_named(north: Town) -> None:
    patient = replace(north.instance.patient, trusts_a_proxy=False)
    findings = await doctor.examine(patient)
    assert "set trusted_proxies" in wrong(findings)
