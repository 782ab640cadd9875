"""Attacks by the clock: what could be learnt from how long an answer takes (S39)."""

import statistics
import time
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import update

from fedaid.members.limits import MemberLimits
from fedaid.members.tables import member
from tests.attacks.siege import besieged
from tests.support.databases import KINDS


@pytest.mark.attack("S39")
@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_name_is_answered_in_the_time_of_a_known_one(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the medians of 200 tries each, which take turns. The hash is a cheaper one for both: it hides less."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1)
    monkeypatch.setattr("fedaid.members.commands._nobodys_hash", lambda: nobodys)
    nobodys, anas = cheap.hash("nobody's password"), cheap.hash("ana's password")
    taken: dict[str, list[float]] = {"ana": [], "nobody-of-this-name": []}
    patience = MemberLimits(sign_in_tries_per_account_max=10**9, sign_in_tries_per_address_max=10**9)
    with besieged(kind, tmp_path, members=patience) as siege:
        with siege.database.write() as connection:
            connection.execute(update(member).values(password_hash=anas))
        for _ in range(200):
            for handle, times in taken.items():
                typed = {"handle": handle, "password": "wrong password"}
                started = time.process_time()
                answer = siege.ask("/sign-in", method="POST", data=typed)
                times.append(time.process_time() - started)
                assert answer.status_code == 401
    known, unknown = (statistics.median(times) for times in taken.values())
    assert 0.9 < known / unknown < 1.1, f"known {known * 1000:.2f} ms, unknown {unknown * 1000:.2f} ms"
