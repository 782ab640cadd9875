"""The parts as the app joins them: what only shows once they stand together."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient

from activitypub.keys import SigningKey, private_from_pem
from fedaid import app, settings
from fedaid.actors import commands as actors
from fedaid.admin import founding
from fedaid.foundation import schema
from fedaid.foundation.database import Database
from inbox.tables import State, inbox_letter
from tests.inbox.post import draft_post
from tests.small_house import NORTH, RIVER, START, StillClock, remote_actor, some_keys

LEDGER = f"{RIVER}/ledger"


@pytest.fixture
def instance(tmp_path: Path) -> app.Instance:
    """Northside, founded, which has met Riverside's ledger."""
    chosen = settings.load(tmp_path, origin=NORTH, name="Northside")
    database = Database(chosen.database)
    schema.upgrade(database)
    database.dispose()
    built = app.build(chosen, works=False, clock=StillClock())
    with built.units.begin() as work:
        founding.found(work, "Northside")
        actors.remember(work, remote_actor(LEDGER, "Service"))
    return built


@pytest.mark.parametrize(("path", "state"), [("/ledger/inbox", State.NEW), ("/inbox", State.REFUSED)])
def test_a_letter_that_comes_again_is_taken_again_by_the_ledger_and_by_nobody_else(
    instance: app.Instance, path: str, state: State
) -> None:
    letter: dict[str, Any] = {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"{LEDGER}/transfers/1/undo",
        "type": "Undo",
        "actor": LEDGER,
        "to": [f"{NORTH}/ledger"],
        "object": f"{LEDGER}/transfers/1/offer",
    }
    key = SigningKey(f"{LEDGER}#main-key", LEDGER, private_from_pem(some_keys().rsa_pem))
    post = draft_post(orjson.dumps(letter), key, at=START, host="northside.example", path=path)
    with TestClient(instance.web, base_url=NORTH) as door:
        assert door.post(path, content=post.body, headers=dict(post.headers)).status_code == 202
        with instance.database.write() as connection:
            connection.execute(update(inbox_letter).values(state=State.REFUSED.value))
        assert door.post(path, content=post.body, headers=dict(post.headers)).status_code == 202
        with instance.database.read() as connection:
            assert connection.execute(select(inbox_letter.c.state)).scalars().all() == [state]
