"""The metrics of a process: closed to strangers, complete, and made of our own words alone."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families as families

from fedaid.admin.metrics.catalogue import HELD, INFO, OF_PROCESS, OF_SYSTEM
from fedaid.admin.metrics.limits import MetricsLimits
from fedaid.foundation.tally import KINDS_MAX, OTHER, Count, Durations
from tests.towns import Town, found

pytestmark = pytest.mark.anyio
TOKEN = "a token of many characters"
WATCHER = "192.0.2.7"
Shown = Mapping[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def town(tmp_path: Path, database_kind: str) -> AsyncIterator[Town]:
    limits = MetricsLimits(token=TOKEN, addresses=f"198.51.100.0/24, {WATCHER}", gauges_seconds=0)
    async with found(tmp_path, database_kind, "northside.example", metrics=limits) as (town,):
        yield town


async def ask(town: Town, address: str = "203.0.113.1", **headers: str) -> httpx2.Response:
    async with town.browser(address=address) as browser:
        return await browser.get("/metrics", headers={name.replace("_", "-"): one for name, one in headers.items()})


async def shown(town: Town) -> Shown:
    answer = await ask(town, WATCHER)
    assert answer.status_code == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families(answer.text)
        for sample in family.samples
    }


def value(found: Shown, name: str, **labels: str) -> float:
    return found.get((name, tuple(sorted(labels.items()))), 0.0)


async def test_nobody_reads_them_unless_the_admin_says_who_may(tmp_path: Path) -> None:
    async with found(tmp_path, "sqlite", "northside.example") as (town,):
        for address in ("203.0.113.1", "127.0.0.1", "::1"):
            answer = await ask(town, address, authorization="Bearer ")
            assert (answer.status_code, answer.json()["code"]) == (403, "metrics_closed")


async def test_a_token_opens_them_from_everywhere_and_a_wrong_one_from_nowhere(town: Town) -> None:
    assert (await ask(town, authorization=f"Bearer {TOKEN}", x_forwarded_for="203.0.113.9")).status_code == 200
    for wrong in ({}, {"authorization": "Bearer no"}, {"authorization": f"Basic {TOKEN}"}):
        answer = await ask(town, **wrong)
        assert (answer.status_code, answer.json()["code"]) == (401, "metrics_closed")
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert (await ask(town, WATCHER, authorization="Bearer no")).status_code == 401


async def test_an_address_is_believed_of_whoever_asks_us_and_not_of_a_proxy(town: Town) -> None:
    for address in (WATCHER, "198.51.100.200"):
        assert (await ask(town, address)).status_code == 200
    for header in ("forwarded", "x_forwarded_for", "x_real_ip", "via"):
        assert (await ask(town, WATCHER, **{header: WATCHER})).status_code == 401


async def test_they_are_read_and_nothing_else(town: Town) -> None:
    async with town.browser(address=WATCHER) as browser:
        assert (await browser.post("/metrics")).status_code == 405
        assert (await browser.get("/metrics/more")).status_code == 404
        answer = await browser.get("/metrics", headers={"host": "127.0.0.1:8000"})
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "given", [{"token": "short"}, {"token": "é" * 30}, {"addresses": "northside"}, {"addresses": "10.0.0.1/8"}]
)
def test_a_token_that_can_be_guessed_and_an_address_that_is_none_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        MetricsLimits(**given)


async def test_everything_that_is_shown_is_in_the_catalogue_and_the_other_way_round(town: Town) -> None:
    tallies = town.instance.tallies
    for count in (tallies.letters_answered, tallies.deliveries):
        count.add("one")
    for count in (tallies.letters_settled, tallies.errands, tallies.chores):
        count.add("one", "two")
    await town.browser().get("/me")
    text = (await ask(town, WATCHER)).text
    names = {family.name for family in families(text)}
    assert names == {*OF_SYSTEM, f"{INFO[0]}_info", *(one.name for one in (*OF_PROCESS, *HELD))}
    meanings = {one.name: one.meaning for one in (*OF_PROCESS, *HELD)}
    for family in families(text):
        assert family.documentation == meanings.get(family.name, family.documentation)


async def test_answers_are_counted_by_room_and_class_and_never_by_what_a_stranger_says(town: Town) -> None:
    async with town.browser(town.session("ana")) as browser:
        for path in ("/me", "/board", "/static/style.css", "/nowhere", "/api/fedaid/v1/nothing", "/@nobody"):
            await browser.get(path)
        await browser.post("/inbox", content=b"{}")
        await browser.get("/groups/board", headers={"accept": "application/activity+json"})
    found = await shown(town)
    name = "fedaid_http_answer_seconds_count"
    groups = {labels for labels in (dict(key[1]).get("group") for key in found if key[0] == name) if labels}
    assert {"web", "board", "static", "refused", "api", "inbox", "actors"} <= groups
    assert not any("nowhere" in group or "nobody" in group for group in groups)
    assert value(found, name, group="board", status="2xx") == 1
    assert value(found, name, group="inbox", status="4xx") == 1
    assert value(found, "fedaid_letters_answered_total", code="content_type") == 1
    assert value(found, "fedaid_commit_seconds_count") > 0


async def test_what_waits_is_read_from_the_database_and_what_was_done_is_counted(town: Town) -> None:
    with town.instance.database.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO outbox_host (host, state, due_ms) VALUES ('a.example', 'asleep', 1), ('b.example', 'awake', NULL)"
        )
    found = await shown(town)
    assert value(found, "fedaid_hosts", state="asleep") == value(found, "fedaid_hosts", state="awake") == 1
    assert value(found, "fedaid_deliveries_overdue_seconds") > 0
    assert value(found, "fedaid_letters_waiting") == 0
    assert value(found, "fedaid_database_up") == 1


async def test_without_its_database_a_process_still_tells_what_it_counted(town: Town) -> None:
    await shown(town)
    with town.instance.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE errand RENAME TO errand_away")
    found = await shown(town)
    assert value(found, "fedaid_database_up") == 0
    assert ("fedaid_letters_waiting", ()) not in found
    assert value(found, "process_resident_memory_bytes") > 1_000_000


@pytest.mark.attack("S90")
def test_more_kinds_than_there_may_be_are_counted_as_one() -> None:
    """S90: words of strangers fill no memory."""
    count, durations = Count(), Durations()
    for number in range(KINDS_MAX + 50):
        count.add(f"code{number}", "x")
        durations.add(0.001, f"group{number}")
    assert len(count.read()) == len(durations.read()) == KINDS_MAX + 1
    assert count.read()[OTHER, OTHER] == 50
    assert sum(durations.read()[OTHER,].counts) == 50
