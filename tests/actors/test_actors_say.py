"""What leaves here carries a proof of whoever says it, made once, so that sent, served and signed are the same bytes."""

import ast
from pathlib import Path

import orjson
import pytest
from sqlalchemy import select

import fedaid
from activitypub.errors import SignatureRefused
from activitypub.keys import VerificationKey, private_from_pem
from activitypub.signatures.proofs import verify_proof
from activitypub.vocabulary import DATA_INTEGRITY_V2
from fedaid.actors import commands, pages, wire
from fedaid.actors.rules import Kind
from fedaid.foundation.clock import milliseconds
from outbox.collection import stored
from outbox.queue import Outgoing
from outbox.tables import activity as outbox_activity
from tests.actors.test_actors_pages import ABOVE, AP
from tests.small_house import NORTH, RIVER, START, SmallHouse, browser, remote_actor, some_keys

ANA, BOARD, BEN = f"{NORTH}/users/ana", f"{NORTH}/groups/board", f"{RIVER}/users/ben"


@pytest.fixture
def town(house: SmallHouse) -> SmallHouse:
    with house.units.begin() as work:
        commands.create_actor(work, Kind.PERSON, "ana", keys=some_keys())
        commands.create_actor(work, Kind.GROUP, "board", keys=some_keys())
        commands.remember(work, remote_actor(BEN))
    return house


def ed25519_key_of(actor: str) -> VerificationKey:
    key = private_from_pem(some_keys().ed25519_pem).public_key()
    return VerificationKey(f"{actor}#ed25519-key", actor, key, START)


def said(house: SmallHouse, number: int = 41, actor: str = BOARD) -> str:
    activity = {"@context": "https://www.w3.org/ns/activitystreams", "id": house.names.activity(number)}
    body = {**activity, "type": "Create", "actor": actor, "object": {"id": f"{NORTH}/listings/1", "radius": 0.5}}
    with house.units.begin() as work:
        wire.say(work, Outgoing(body, actor, public=True))
    return house.names.activity(number)


def test_an_activity_is_served_byte_for_byte_as_it_was_proved_and_stored(town: SmallHouse) -> None:
    url = said(town)
    with town.database.read() as connection:
        kept = stored(connection, url)
    assert kept is not None
    served = browser(town, pages.routes(ABOVE)).get(url, headers=AP).content
    assert served == kept.body.encode()
    assert verify_proof(orjson.loads(served), ed25519_key_of(BOARD), START).actor.text == BOARD


def test_an_activity_of_one_actor_does_not_pass_for_anothers(town: SmallHouse) -> None:
    said(town)
    with town.database.read() as connection:
        document = orjson.loads(connection.execute(select(outbox_activity.c.body)).scalar_one())
    with pytest.raises(SignatureRefused):
        verify_proof(document, ed25519_key_of(ANA), START)


def test_nobody_speaks_for_an_actor_that_is_not_ours(town: SmallHouse) -> None:
    with pytest.raises(LookupError):
        said(town, actor=BEN)
    with town.database.read() as connection:
        assert stored(connection, town.names.activity(41)) is None


def test_what_is_said_again_under_one_id_stays_as_it_was_first_proved(town: SmallHouse) -> None:
    url = said(town)
    town.clock.pass_seconds(60)
    said(town)
    with town.database.read() as connection:
        kept = stored(connection, url)
    assert kept is not None
    assert (kept.created_ms, orjson.loads(kept.body)["proof"]["created"]) == (
        milliseconds(START),
        "2026-09-01T09:00:00Z",
    )


def test_follows_and_answers_name_the_context_of_their_proof(town: SmallHouse) -> None:
    with town.units.begin() as work:
        commands.follow(work, ANA, BEN)
        commands.receive_follow(work, BEN, BOARD, f"{BEN}/follows/1")
        commands.describe_actor(work, ANA, "Ana", "")
    with town.database.read() as connection:
        documents = [orjson.loads(body) for body in connection.execute(select(outbox_activity.c.body)).scalars()]
    assert {document["type"] for document in documents} == {"Follow", "Accept", "Update"}
    for document in documents:
        assert DATA_INTEGRITY_V2 in document["@context"]
        assert verify_proof(document, ed25519_key_of(document["actor"]), START)


def test_only_one_door_leads_out_besides_those_for_what_has_a_proof_already() -> None:
    """The ledger's messages are proved by its own pinned key where they are made; what is forwarded, by its author."""
    root = Path(fedaid.__file__).parent
    leading_out = set()
    for file in root.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom):
                continue
            names = {alias.name for alias in node.names}
            if (node.module == "outbox.queue" and "post" in names) or (node.module == "outbox" and "queue" in names):
                leading_out.add(file.relative_to(root).as_posix())
    assert leading_out == {"actors/wire/say.py", "actors/wire/forward.py", "timebank/commands/channel.py"}
