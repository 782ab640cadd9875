"""The journal as others read it: a year of a neighbourhood passes bean-check, and its chain can be recomputed."""

import csv
import hashlib
import io
import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import rfc8785

from fedaid.foundation.ids import new_key
from fedaid.foundation.wording import zone
from fedaid.timebank import commands, queries
from fedaid.timebank.rules.books import GENESIS, AccountKind
from fedaid.timebank.rules.journal import BookAccount, Format, Journal, account_names, write
from tests.small_house import START
from tests.timebank.world import ANA, BEN, KIM, LIMITS, NORTH, Town, claim, confirm, deliver, pass_time

SEED = 20_260_901
BEAN_CHECK = Path(sys.executable).parent / "bean-check"


def live_a_year(north: Town, river: Town) -> None:
    """Every few days somebody helps: here, across the border, in the group, from the chest; some is corrected."""
    chance = random.Random(SEED)
    garden = f"{NORTH}/groups/garden.club"
    with north.work() as work:
        commands.open_account(work, AccountKind.GROUP, garden, floor_minutes=-600)
        commands.give(work, new_key(), payer=ANA, payee=north.names.ledger, minutes=90)
    for _ in range(73):
        pass_time(north, river, days=5, seconds=chance.randrange(3_600))
        minutes = chance.randrange(1, 90)
        payer, payee = chance.sample([ANA, KIM, garden], 2)
        member = chance.choice([ANA, KIM])
        if chance.random() < 0.3:
            made = claim(river, payee=BEN, payer=member, minutes=minutes)
            deliver(north, river)
            confirm(north, made, member)
            deliver(north, river)
            with river.work() as work:
                commands.pay(work, LIMITS, new_key(), payer=BEN, payee=member, minutes=minutes)
            deliver(north, river)
            continue
        with north.work() as work:
            given = commands.give(work, new_key(), payer=payer, payee=payee, minutes=minutes)
            if chance.random() < 0.2:
                commands.correct(work, LIMITS, new_key(), given, payee, minutes=minutes)
            else:
                commands.give(work, new_key(), payer=payee, payee=payer, minutes=minutes)


def journal_of(town: Town) -> Journal:
    with town.database.read() as connection:
        return queries.journal(connection, town.names, 'North "side" \\', zone("Pacific/Auckland"))


def text_of(town: Town, wanted: Format) -> str:
    found = write(journal_of(town), wanted)
    assert isinstance(found, str)
    return found


def bean_check(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    file = folder / "hours.beancount"
    file.write_text(text, encoding="utf-8")
    return subprocess.run([BEAN_CHECK, file], capture_output=True, text=True, check=False, timeout=120)


def test_a_simulated_year_passes_bean_check_with_every_balance_asserted(
    north: Town, river: Town, tmp_path: Path
) -> None:
    live_a_year(north, river)
    for town in (north, river):
        found = journal_of(town)
        text = text_of(town, Format.BEANCOUNT)
        checked = bean_check(tmp_path, text)
        assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
        last = [line for line in text.splitlines() if " balance " in line][-len(found.accounts) :]
        assert {line.split()[2] for line in last} == set(account_names(found.accounts).values())
    assert len(journal_of(north).entries) > 100


def test_bean_check_sees_what_was_changed(north: Town, tmp_path: Path) -> None:
    for minutes in (30, 90, 45):
        with north.work() as work:
            commands.give(work, new_key(), payer=ANA, payee=KIM, minutes=minutes)
    text = text_of(north, Format.BEANCOUNT)
    head, _, *rest = text.split("\n\n")
    for wrong in (
        text.replace("  90 MINUTE", "  91 MINUTE").replace("  -90 MINUTE", "  -91 MINUTE"),
        "\n\n".join([head, *rest]),
        text.replace("Kim  -165 MINUTE", "Kim  -166 MINUTE"),
    ):
        assert wrong != text
        assert bean_check(tmp_path, wrong).returncode == 1
    assert bean_check(tmp_path, text).returncode == 0


def test_the_json_holds_what_the_seals_are_made_of(north: Town, river: Town) -> None:
    live_a_year(north, river)
    found: Any = json.loads(json.dumps(write(journal_of(north), Format.JSON)))
    prev, sums = GENESIS, Counter[str]()
    for one in found["postings"]:
        assert one["prev"] == prev
        sealed = {name: value for name, value in one.items() if name not in ("hash", "corrects")}
        digest = hashlib.sha256(prev.encode() + b"|" + rfc8785.dumps(sealed)).hexdigest()
        assert one["hash"] == prev.partition(":")[0] + ":" + digest
        prev = one["hash"]
        sums[one["debit"]] -= one["minutes"]
        sums[one["credit"]] += one["minutes"]
    assert {one["id"]: one["balance"] for one in found["accounts"]} == {
        one["id"]: sums[one["id"]] for one in found["accounts"]
    }
    assert any(one["corrects"] for one in found["postings"])


def test_the_csv_has_a_line_for_every_posting_and_no_notes(north: Town) -> None:
    with north.work() as work:
        commands.give(work, new_key(), payer=ANA, payee=KIM, minutes=30, note="the secret garden")
    text = text_of(north, Format.CSV)
    (line,) = csv.DictReader(io.StringIO(text))
    assert (line["from"], line["to"], line["minutes"]) == ("member ana", "member kim", "30")
    assert line["day"] == "2026-09-01"
    assert "secret" not in text


def test_an_empty_journal_is_a_good_one(north: Town, tmp_path: Path) -> None:
    checked = bean_check(tmp_path, text_of(north, Format.BEANCOUNT))
    assert checked.returncode == 0, checked.stderr


def test_accounts_whose_names_would_be_alike_are_told_apart() -> None:
    def account(number: int, name: str) -> BookAccount:
        return BookAccount(number, AccountKind.MEMBER, name, "", 0, START)

    named = account_names([account(1, "ana_b"), account(2, "ana.b"), account(3, "7th"), account(4, "__")])
    assert [name.rpartition(":")[2] for name in named.values()] == ["Ana-b", "Ana-b-2", "7th", "Account"]
