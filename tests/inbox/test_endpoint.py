"""The slot in the door: what is taken is proved, durable and taken once; everything else is refused with a reason."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection
from starlette.applications import Starlette
from starlette.routing import Route
from structlog.testing import capture_logs

from activitypub.keys import SigningKey
from inbox.journal import Journal
from inbox.limits import InboxLimits
from tests.inbox.post import Post, bring, draft_post, rfc9421_post
from tests.inbox.world import (
    BEN,
    EVE,
    OUR_HOST,
    START,
    Directory,
    World,
    actor_document,
    as_bytes,
    assertion_method,
    entry,
    like,
    signing_key,
    until,
    verification_key,
)

pytestmark = pytest.mark.anyio


async def refused(world: World, post: Post, status: int, code: str | None = None) -> dict[str, Any]:
    """The post is refused with this status, nothing is stored, and the answer says why."""
    answer = await bring(world.app(), post)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert set(problem) == {"title", "code", "detail"}
    assert code in (None, problem["code"])
    for challenge in ("www-authenticate", "accept-signature"):
        assert (challenge in answer.headers) == (status == 401)
    assert world.letters() == []
    return problem


# taken


async def test_a_letter_signed_by_draft_cavage_is_taken(world: World) -> None:
    ben = world.directory.meet(BEN)
    answer = await bring(world.app(), draft_post(like(1), ben))
    assert (answer.status_code, answer.content) == (202, b"")
    (letter,) = world.letters()
    assert (letter.activity_id, letter.sender, letter.host) == (like(1)["id"], BEN, "river.example")
    assert (letter.body, letter.key_id, letter.proof) == (as_bytes(like(1)), ben.key_id, "draft-cavage")
    assert (letter.inbox, letter.type, letter.state) == ("/inbox", "Like", "new")
    assert letter.signed_ms == letter.received_ms == world.now_ms


async def test_a_letter_signed_by_rfc_9421_with_rsa_is_taken(world: World) -> None:
    ben = world.directory.meet(BEN)
    assert (await bring(world.app(), rfc9421_post(like(1), ben))).status_code == 202
    assert world.letters()[0].proof == "rfc9421"


async def test_a_letter_signed_by_rfc_9421_with_ed25519_is_taken(world: World) -> None:
    key = signing_key(BEN, "ed25519-key")
    world.directory.keys[key.key_id] = verification_key(key)
    assert (await bring(world.app(), rfc9421_post(like(1), key))).status_code == 202


async def test_a_letter_to_a_persons_inbox_is_taken_there(world: World) -> None:
    ben = world.directory.meet(BEN)
    assert (await bring(world.app(), draft_post(like(1), ben, path="/users/ana/inbox"))).status_code == 202
    assert world.letters()[0].inbox == "/users/ana/inbox"


async def test_a_replay_is_answered_alike_and_stored_once(world: World) -> None:
    post = draft_post(like(1), world.directory.meet(BEN))
    app = world.app()
    assert [(await bring(app, post)).status_code for _ in range(3)] == [202, 202, 202]
    assert len(world.letters()) == 1


async def test_a_replay_to_another_process_at_the_same_time_is_stored_once(world: World) -> None:
    post = draft_post(like(1), world.directory.meet(BEN))
    answers = await asyncio.gather(*(bring(world.app(), post) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [202] * 4
    assert len(world.letters()) == 1


async def test_a_letter_in_chunks_without_a_length_is_taken(world: World) -> None:
    post = draft_post(like(1), world.directory.meet(BEN))
    assert (await bring(world.app(), post, chunk_bytes=50)).status_code == 202


async def test_the_application_stands_in_a_route(world: World) -> None:
    app = Starlette(routes=[Route("/users/{handle}/inbox", world.app())])
    ben = world.directory.meet(BEN)
    post = draft_post(like(1), ben, path="/users/ana/inbox")
    assert (await bring(app, post)).status_code == 202  # type: ignore[arg-type]


# not proved


async def test_an_unsigned_letter_is_refused(world: World) -> None:
    await refused(world, draft_post(like(1), world.directory.meet(BEN)).but(signature=None), 401, "unsigned")


async def test_a_malformed_signature_is_refused(world: World) -> None:
    ben = world.directory.meet(BEN)
    for broken in ('keyId="x"', "nonsense", 'keyId="' + "x" * 5000):
        await refused(world, draft_post(like(1), ben).but(signature=broken), 401)


async def test_a_signature_by_another_key_is_refused(world: World) -> None:
    world.directory.meet(BEN)
    post = draft_post(like(1), signing_key(EVE))
    forged = post.headers["signature"].replace(f"{EVE}#main-key", f"{BEN}#main-key")
    await refused(world, post.but(signature=forged), 401)


async def test_a_changed_body_is_refused(world: World) -> None:
    post = draft_post(like(1), world.directory.meet(BEN))
    await refused(world, Post(as_bytes(like(2)), post.headers), 401)


async def test_a_changed_body_with_its_own_digest_is_refused(world: World) -> None:
    ben = world.directory.meet(BEN)
    post, other = draft_post(like(1), ben), draft_post(like(2), ben)
    await refused(world, Post(other.body, other.headers).but(signature=post.headers["signature"]), 401)


async def test_a_letter_without_a_digest_is_refused(world: World) -> None:
    await refused(world, draft_post(like(1), world.directory.meet(BEN)).but(digest=None), 401)


async def test_two_digests_are_refused(world: World) -> None:
    post = draft_post(like(1), world.directory.meet(BEN))
    await refused(world, post.but(digest=post.headers["digest"] + ",SHA-256=AAAA"), 401)


@pytest.mark.parametrize("covers", [("date",), ("(request-target)", "host", "date"), ("host", "date", "digest")])
async def test_a_signature_that_leaves_out_what_matters_is_refused(world: World, covers: tuple[str, ...]) -> None:
    await refused(world, draft_post(like(1), world.directory.meet(BEN), covers=covers), 401)


@pytest.mark.parametrize("hours", [-13, -2, 2])
async def test_a_stale_or_future_date_is_refused(world: World, hours: int) -> None:
    ben = world.directory.meet(BEN)
    at = START + timedelta(hours=hours)
    await refused(world, draft_post(like(1), ben, at=at), 401)
    await refused(world, rfc9421_post(like(1), ben, at=at), 401)


async def test_a_letter_kept_for_later_is_refused(world: World) -> None:
    post = draft_post(like(1), world.directory.meet(BEN))
    world.clock.advance(3601)
    await refused(world, post, 401)


async def test_a_signature_made_for_a_get_is_refused(world: World) -> None:
    await refused(world, draft_post(like(1), world.directory.meet(BEN), method="get"), 401)


async def test_a_signature_made_for_another_inbox_is_refused(world: World) -> None:
    post = draft_post(like(1), world.directory.meet(BEN), path="/users/ana/inbox")
    await refused(world, Post(post.body, post.headers, "/inbox"), 401)


async def test_a_letter_to_another_server_replayed_here_is_refused(world: World) -> None:
    post = draft_post(like(1), world.directory.meet(BEN), host="c.example")
    await refused(world, post, 401, "unknown_host")
    await refused(world, post.but(host=OUR_HOST), 401)
    other = rfc9421_post(like(1), world.directory.meet(BEN), host="c.example")
    await refused(world, other.but(host=OUR_HOST), 401)


async def test_who_signs_for_somebody_else_is_refused(world: World) -> None:
    eve = world.directory.meet(EVE)
    await refused(world, draft_post(like(1, BEN), eve), 401)


async def test_who_signs_for_a_neighbour_on_the_same_server_is_refused(world: World) -> None:
    cat = world.directory.meet("https://river.example/users/cat")
    await refused(world, draft_post(like(1, BEN), cat), 401)


async def test_who_uses_an_id_of_another_server_is_refused(world: World) -> None:
    eve = world.directory.meet(EVE)
    await refused(world, draft_post({**like(1, EVE), "id": f"{BEN}/likes/1"}, eve), 401)


async def test_who_claims_a_key_of_ours_is_refused_and_we_do_not_ask_ourselves(world: World) -> None:
    ours = f"https://{OUR_HOST}/users/ana"
    await refused(world, draft_post(like(1, ours), signing_key(ours)), 401, "own_key")
    assert world.web.asked == []


# not acceptable


async def test_a_letter_from_a_blocked_host_is_refused_and_nothing_is_fetched(world: World) -> None:
    world.directory.blocked.add("evil.example")
    await refused(world, draft_post(like(1, EVE), signing_key(EVE)), 403, "blocked")
    below = "https://sub.evil.example/users/eve"
    await refused(world, draft_post(like(1, below), signing_key(below)), 403, "blocked")
    assert world.web.asked == []


@pytest.mark.attack("S48")
async def test_one_blocked_actor_is_thanked_and_forgotten(world: World) -> None:
    """S48: who is blocked alone does not learn it."""
    key = world.directory.meet(EVE)
    world.directory.blocked.add(EVE)
    answer = await bring(world.app(), draft_post(like(1, EVE), key))
    assert (answer.status_code, answer.content) == (202, b"")
    assert world.letters() == []


async def test_what_passes_a_block_is_decided_by_the_key_and_again_by_its_proved_owner(world: World) -> None:
    """A key document at the address that may pass can name another owner of the same server."""
    ledger = "https://evil.example/ledger"
    world.directory.blocked.add("evil.example")
    world.directory.excepted.add(ledger)
    key = SigningKey(f"{ledger}#main-key", EVE, signing_key(EVE).private_key)
    claimed = {"id": ledger, "owner": EVE}
    world.web.documents = {ledger: claimed, EVE: actor_document(EVE, key)}
    await refused(world, draft_post(like(1, EVE), key), 403, "blocked")
    assert world.web.asked == [ledger, EVE]
    own = signing_key(ledger)
    world.web.documents = {ledger: actor_document(ledger, own)}
    world.clock.advance(world.limits.negative_cache_seconds + 1)
    assert (await bring(world.app(), draft_post(like(2, ledger), own, at=world.clock.now()))).status_code == 202


async def test_an_inbox_that_is_not_there_is_not_found(world: World) -> None:
    post = draft_post(like(1), world.directory.meet(BEN), path="/users/nobody/inbox")
    await refused(world, post, 404, "no_inbox")


async def test_a_query_string_is_refused(world: World) -> None:
    post = draft_post(like(1), world.directory.meet(BEN))
    await refused(world, Post(post.body, post.headers, "/inbox?x=1"), 404, "query")


async def test_another_content_type_is_refused(world: World) -> None:
    post = draft_post(like(1), world.directory.meet(BEN))
    await refused(world, post.but(content_type="text/plain"), 415, "content_type")


async def test_an_oversized_body_is_refused_also_in_chunks(world: World) -> None:
    post = draft_post(b" " * 2 * 1024 * 1024, world.directory.meet(BEN))
    await refused(world, post, 413, "too_large")
    answer = await bring(world.app(), post, chunk_bytes=65536)
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")


async def test_a_header_that_stands_twice_is_refused(world: World) -> None:
    post = draft_post(like(1), world.directory.meet(BEN))
    twice = Post(post.body, post.headers, more_headers=[("Date", "Thu, 01 Jan 1970 00:00:00 GMT")])
    await refused(world, twice, 400, "duplicate_header")


async def test_a_signature_parameter_that_stands_twice_is_refused(world: World) -> None:
    post = draft_post(like(1), world.directory.meet(BEN))
    await refused(world, post.but(signature=f'keyId="{EVE}#main-key",' + post.headers["signature"]), 400)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b'[{"type":"Like"}]',
        b'{"type":"Like"}',
        b'{"id":1,"type":2,"actor":3,"object":4}',
        b'{"a":1,"a":2}',
        b"[" * 100_000,
        '{"type":"Like"}'.encode("utf-16"),
        b'{"a":"\\ud800"}',
    ],
)
async def test_what_is_no_activity_is_refused(world: World, body: bytes) -> None:
    await refused(world, draft_post(body, world.directory.meet(BEN)), 400)


async def test_a_get_is_refused_with_the_method_that_works(world: World) -> None:
    answer = await bring(world.app(), Post(b"", {"host": OUR_HOST}, method="GET"))
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


# keys of strangers


async def test_the_key_of_a_stranger_is_fetched_once_and_its_owner_remembered(world: World) -> None:
    world.web.documents[BEN] = actor_document(BEN)
    app = world.app()
    answers = [await bring(app, draft_post(like(number), signing_key(BEN))) for number in range(3)]
    assert [answer.status_code for answer in answers] == [202] * 3
    assert world.web.asked == [BEN]
    assert [document["id"] for document in world.directory.remembered] == [BEN]


async def test_many_letters_of_a_stranger_at_once_cost_one_fetch(world: World) -> None:
    world.web.documents[BEN] = actor_document(BEN)
    app = world.app()
    posts = [draft_post(like(number), signing_key(BEN)) for number in range(20)]
    answers = await asyncio.gather(*(bring(app, post) for post in posts))
    assert [answer.status_code for answer in answers] == [202] * 20
    assert world.web.asked == [BEN]


async def test_an_ed25519_key_of_a_stranger_is_found_in_its_assertion_methods(world: World) -> None:
    key = signing_key(BEN, "ed25519-key")
    world.web.documents[BEN] = actor_document(BEN, assertionMethod=[assertion_method(key)])
    assert (await bring(world.app(), rfc9421_post(like(1), key))).status_code == 202


async def test_a_key_in_a_document_of_its_own_is_taken_from_its_owner(world: World) -> None:
    key = signing_key(BEN)
    apart = f"{BEN}/main-key"
    moved = type(key)(apart, BEN, key.private_key)
    world.web.documents[apart] = {"id": apart, "owner": BEN, "publicKeyPem": "…"}
    world.web.documents[BEN] = actor_document(BEN, moved)
    assert (await bring(world.app(), draft_post(like(1), moved))).status_code == 202
    assert world.web.asked == [apart, BEN]


async def test_a_key_its_owner_does_not_list_is_refused(world: World) -> None:
    world.web.documents[BEN] = actor_document(BEN, signing_key(BEN, "other-key"))
    await refused(world, draft_post(like(1), signing_key(BEN)), 401, "key_unclaimed")
    assert world.directory.remembered == []


async def test_a_key_document_that_names_an_owner_elsewhere_is_refused(world: World) -> None:
    file = "https://files.river.example/eve.json"
    key = type(signing_key(EVE))(f"{file}#k", BEN, signing_key(EVE).private_key)
    world.web.documents[file] = {"id": file, "owner": BEN}
    world.web.documents[BEN] = actor_document(BEN)
    await refused(world, draft_post(like(1), key), 401)


async def test_a_key_that_cannot_be_fetched_is_refused(world: World) -> None:
    await refused(world, draft_post(like(1), signing_key(BEN)), 401)
    assert world.web.asked == [BEN]


@pytest.mark.parametrize(
    "key_id",
    [
        "http://127.0.0.1/k",
        "https://169.254.169.254/k",
        "https://localhost/k",
        "https://a@b.example/k",
        "file:///etc/x",
    ],
)
async def test_a_key_nobody_would_fetch_is_refused(world: World, key_id: str) -> None:
    post = draft_post(like(1), type(signing_key(BEN))(key_id, BEN, signing_key(BEN).private_key))
    await refused(world, post, 401)
    assert world.web.asked == []


async def test_cheap_refusals_come_before_any_fetch(world: World) -> None:
    world.web.documents[BEN] = actor_document(BEN)
    stranger = signing_key(BEN)
    good = draft_post(like(1), stranger)
    for post in [
        Post(as_bytes(like(2)), good.headers),
        draft_post(like(1), stranger, at=START - timedelta(hours=13)),
        rfc9421_post(like(1), stranger, at=START - timedelta(hours=13)),
        draft_post(like(1), stranger, covers=("date",)),
        draft_post(like(1, EVE), stranger),
        good.but(digest=None),
        good.but(host="c.example"),
    ]:
        await refused(world, post, 401)
    await refused(world, draft_post(b"{", stranger), 400)
    assert world.web.asked == []


async def test_a_farewell_of_a_stranger_is_accepted_without_asking_who_it_is(world: World) -> None:
    gone = {**like(1), "type": "Delete", "object": BEN}
    changed = {**like(1), "type": "Update", "object": {"id": BEN, "type": "Person"}}
    for activity in (gone, changed):
        assert (await bring(world.app(), draft_post(activity, signing_key(BEN)))).status_code == 202
    assert (world.web.asked, world.letters()) == ([], [])


async def test_a_farewell_of_somebody_we_know_is_kept(world: World) -> None:
    gone = {**like(1), "type": "Delete", "object": BEN}
    assert (await bring(world.app(), draft_post(gone, world.directory.meet(BEN)))).status_code == 202
    assert [letter.type for letter in world.letters()] == ["Delete"]


@pytest.mark.attack("S16")
async def test_a_hundred_made_up_keys_cost_their_host_few_requests(world: World) -> None:
    app = world.app()
    for number in range(100):
        actor = f"https://v.example/k/{number}"
        key = type(signing_key(EVE))(actor, actor, signing_key(EVE).private_key)
        assert (await bring(app, draft_post(like(1, actor), key))).status_code == 401
    assert len(world.web.asked) <= 5


@pytest.mark.attack("S16")
async def test_a_hundred_forgeries_of_real_people_cost_their_host_few_requests(world: World) -> None:
    app = world.app()
    for number in range(100):
        actor = f"https://v.example/users/u{number}"
        world.web.documents[actor] = actor_document(
            actor, type(signing_key(BEN))(f"{actor}#main-key", actor, signing_key(BEN).private_key)
        )
        key = type(signing_key(EVE))(f"{actor}#main-key", actor, signing_key(EVE).private_key)
        assert (await bring(app, draft_post(like(1, actor), key))).status_code == 401
    assert len(world.web.asked) <= 5


async def test_a_host_left_alone_is_asked_again_later(world: World) -> None:
    app = world.app()
    post = draft_post(like(1), signing_key(BEN))
    assert [(await bring(app, post)).status_code for _ in range(3)] == [401] * 3
    assert world.web.asked == [BEN]
    world.web.documents[BEN] = actor_document(BEN)
    world.clock.advance(world.limits.negative_cache_seconds)
    assert (await bring(app, post)).status_code == 202


async def test_a_sender_who_starts_anew_is_believed_as_soon_as_its_server_answers(world: World) -> None:
    """A key that could not be had for a moment is not absent; S16 is bounded by how often its host is asked in vain."""
    app = world.app()
    post = draft_post(like(1), signing_key(BEN))
    world.web.down.add(BEN)
    assert (await bring(app, post)).status_code == 401
    world.web.down.clear()
    world.web.documents[BEN] = actor_document(BEN)
    assert (await bring(app, post)).status_code == 202
    assert world.web.asked == [BEN, BEN]


@pytest.mark.attack("S16")
async def test_a_server_that_does_not_answer_is_asked_only_so_often(world: World) -> None:
    app = world.app()
    world.web.down.add(BEN)
    for _ in range(20):
        assert (await bring(app, draft_post(like(1), signing_key(BEN)))).status_code == 401
    assert len(world.web.asked) <= world.limits.vain_fetches_per_host_max


async def test_a_key_that_changed_is_fetched_anew(world: World) -> None:
    old = signing_key(BEN, "old")
    key_id = f"{BEN}#main-key"
    stored = type(old)(key_id, BEN, old.private_key)
    world.directory.keys[key_id] = verification_key(stored, START - timedelta(minutes=10))
    world.web.documents[BEN] = actor_document(BEN)
    assert (await bring(world.app(), draft_post(like(1), signing_key(BEN)))).status_code == 202
    assert world.web.asked == [BEN]


@pytest.mark.attack("S17")
async def test_fifty_bad_signatures_cost_at_most_one_fetch(world: World) -> None:
    world.directory.meet(BEN, START - timedelta(minutes=10))
    world.web.documents[BEN] = actor_document(BEN)
    post = draft_post(like(1), signing_key(EVE))
    forged = post.but(signature=post.headers["signature"].replace(f"{EVE}#", f"{BEN}#"))
    app = world.app()
    answers = await asyncio.gather(*(bring(app, forged) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {401}
    assert len(world.web.asked) <= 1


async def test_a_fault_that_is_not_the_keys_costs_no_fetch(world: World) -> None:
    ben = world.directory.meet(BEN, START - timedelta(hours=2))
    good = draft_post(like(1), ben)
    await refused(world, Post(as_bytes(like(2)), good.headers), 401)
    await refused(world, draft_post(like(1), ben, at=START - timedelta(hours=3)), 401)
    assert world.web.asked == []


async def test_a_key_fetched_a_moment_ago_is_not_fetched_again(world: World) -> None:
    world.directory.meet(BEN, START - timedelta(seconds=299))
    post = draft_post(like(1), signing_key(EVE))
    await refused(world, post.but(signature=post.headers["signature"].replace(f"{EVE}#", f"{BEN}#")), 401)
    assert world.web.asked == []


async def test_a_key_that_another_process_fetched_anew_is_used(world: World) -> None:
    old = signing_key(BEN, "old")
    key_id = f"{BEN}#main-key"
    world.directory.keys[key_id] = verification_key(type(old)(key_id, BEN, old.private_key), START)
    app = world.app()
    assert (await bring(app, draft_post(like(1), signing_key(BEN)))).status_code == 401
    world.directory.keys[key_id] = verification_key(signing_key(BEN), START + timedelta(seconds=1))
    assert (await bring(app, draft_post(like(1), signing_key(BEN)))).status_code == 202
    assert world.web.asked == []


async def test_an_old_key_is_refreshed_but_works_while_its_server_is_silent(world: World) -> None:
    world.directory.meet(BEN, START - timedelta(hours=25))
    app = world.app()
    assert [(await bring(app, draft_post(like(n), signing_key(BEN)))).status_code for n in range(5)] == [202] * 5
    assert world.web.asked == [BEN]


# too much, or our own trouble


@pytest.mark.attack("S58")
async def test_too_many_follows_from_one_host_are_put_off(world: World) -> None:
    ben = world.directory.meet(BEN)
    app = world.app(InboxLimits(follows_per_host_per_minute_max=3))
    posts = [draft_post({**like(number), "type": "Follow"}, ben) for number in range(5)]
    answers = [await bring(app, post) for post in posts]
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429, 429]
    assert answers[-1].headers["retry-after"] == "60"
    assert (await bring(app, draft_post(like(9), ben))).status_code == 202
    world.clock.advance(60)
    assert (await bring(app, posts[-1])).status_code == 202


@pytest.mark.attack("S50")
async def test_too_many_reports_from_one_host_are_put_off(world: World) -> None:
    ben = world.directory.meet(BEN)
    app = world.app()
    posts = [draft_post({**like(number), "type": "Flag"}, ben) for number in range(25)]
    answers = [(await bring(app, post)).status_code for post in posts]
    assert answers == [202] * 20 + [429] * 5


async def test_a_letter_that_cannot_be_kept_is_not_acknowledged(world: World) -> None:
    @contextmanager
    def broken() -> Iterator[Connection]:
        raise OSError("disk full")
        yield

    app = world.app(journal=Journal(broken, world.clock))
    answer = await bring(app, draft_post(like(1), world.directory.meet(BEN)))
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "unavailable", "30")
    assert "disk" not in answer.text


async def test_a_full_queue_asks_to_come_back_later(world: World) -> None:
    ben = world.directory.meet(BEN)
    app = world.app(InboxLimits(queue_letters_max=1))
    assert (await bring(app, draft_post(like(1), ben))).status_code == 202
    answer = await bring(app, draft_post(like(2), ben))
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "full", "30")
    with world.database.write() as connection:
        connection.exec_driver_sql("UPDATE inbox_letter SET state = 'done'")
    world.clock.advance(10)
    assert (await bring(app, draft_post(like(3), ben))).status_code == 202


async def test_a_fault_of_ours_is_not_shown_and_the_letter_may_come_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ben = world.directory.meet(BEN)

    def stumble(*_: object) -> None:
        raise KeyError("secret")

    monkeypatch.setattr(Directory, "unwelcome", stumble)
    answer = await bring(world.app(), draft_post(like(1), ben))
    assert (answer.status_code, answer.json()["code"]) == (503, "fault")
    assert "secret" not in answer.text


async def test_a_refusal_is_logged_with_its_reason_and_without_the_letter(world: World) -> None:
    secret = {**like(1), "content": "private words"}
    with capture_logs() as logs:
        await refused(world, draft_post(secret, world.directory.meet(BEN)).but(signature=None), 401)
    assert [(line["event"], line["code"], line["status"]) for line in logs] == [("inbox.refused", "unsigned", 401)]
    assert "private" not in str(logs)


async def test_what_was_taken_is_applied_by_the_worker(world: World) -> None:
    await bring(world.app(), draft_post(like(1), world.directory.meet(BEN)))
    await world.worker({}).drain()
    assert [(letter.state, letter.activity_id) for letter in world.letters()] == [("ignored", entry(1).activity_id)]


# what a sender says of its followers (FEP-8fcf)

SAYS = {"collection-synchronization": 'collectionId="x", url="y", digest="z"'}
COVERED = ("(request-target)", "host", "date", "digest", "collection-synchronization")


async def test_what_a_sender_signs_of_its_followers_is_passed_on_after_the_letter_is_safe(world: World) -> None:
    ben = world.directory.meet(BEN)
    assert (await bring(world.app(), draft_post(like(1), ben, covers=COVERED, more=SAYS))).status_code == 202
    assert world.directory.followers == [(BEN, SAYS["collection-synchronization"])]


async def test_what_is_not_signed_of_followers_is_ignored(world: World) -> None:
    ben = world.directory.meet(BEN)
    assert (await bring(world.app(), draft_post(like(1), ben, more=SAYS))).status_code == 202
    assert world.directory.followers == []


async def test_what_a_carrier_says_of_followers_is_ignored(world: World) -> None:
    eve = world.directory.meet(EVE)
    world.web.documents[like(1)["id"]] = like(1)
    assert (await bring(world.app(), draft_post(like(1), eve, covers=COVERED, more=SAYS))).status_code == 202
    assert world.directory.followers == []


async def test_followers_are_heard_of_once_a_minute_per_sender(world: World) -> None:
    ben, app = world.directory.meet(BEN), world.app()
    for number in range(3):
        await bring(app, draft_post(like(number), ben, covers=COVERED, more=SAYS))
    assert len(world.directory.followers) == 1
    world.clock.advance(61)
    await bring(app, draft_post(like(9), ben, covers=COVERED, more=SAYS, at=world.clock.now()))
    assert len(world.directory.followers) == 2


async def test_a_letter_is_taken_though_what_it_says_of_followers_makes_us_stumble(world: World) -> None:
    ben = world.directory.meet(BEN)
    world.directory.followers = None  # type: ignore[assignment]
    with capture_logs() as logs:
        answer = await bring(world.app(), draft_post(like(1), ben, covers=COVERED, more=SAYS))
    assert answer.status_code == 202
    assert [line["event"] for line in logs] == ["inbox.followers_failed"]


# more than can be taken in


async def test_of_twice_as_many_as_may_wait_half_are_told_to_come_back_and_none_is_lost(world: World) -> None:
    """The disk stands still until all have come, so it is the same each time."""
    going_on = threading.Event()

    @contextmanager
    def slow() -> Iterator[Connection]:
        with world.database.write() as connection:
            yield connection
            going_on.wait(10)

    limits = InboxLimits(waiting_letters_max=20)
    app = world.app(limits, Journal(slow, world.clock, limits))
    ben = world.directory.meet(BEN)
    going_on.set()
    await bring(app, draft_post(like(99), ben))  # the key is in memory after it
    going_on.clear()
    posts = [draft_post(like(number), ben) for number in range(40)]
    answering = [asyncio.create_task(bring(app, post)) for post in posts]
    await until(lambda: sum(task.done() for task in answering) == 20)
    going_on.set()
    answers = await asyncio.gather(*answering)
    assert sorted(answer.status_code for answer in answers) == [202] * 20 + [503] * 20
    refused = [answer for answer in answers if answer.status_code == 503]
    assert {(answer.json()["code"], answer.headers["retry-after"]) for answer in refused} == {("full", "30")}
    accepted = {like(number)["id"] for number, answer in enumerate(answers) if answer.status_code == 202}
    assert {letter.activity_id for letter in world.letters()} == accepted | {like(99)["id"]}
    again = await asyncio.gather(*(bring(app, post) for post in posts[20:]))  # as their senders will
    assert {answer.status_code for answer in again} == {202}


async def test_letters_hold_only_so_much_memory_while_they_are_read(world: World) -> None:
    ben = world.directory.meet(BEN)
    app = world.app(InboxLimits(in_hand_bytes_max=100))
    arrived, going_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> dict[str, Any]:
        arrived.set()
        if not going_on.is_set():
            await going_on.wait()
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": b"", "more_body": False}

    parts = iter([{"type": "http.request", "body": b"x" * 100, "more_body": True}])

    async def receive() -> dict[str, Any]:
        return next(parts, None) or await slowly()

    statuses: list[int] = []

    async def send(message: Any) -> None:
        statuses.append(message.get("status", 0))

    post = draft_post(like(1), ben)
    headers = [(name.encode(), value.encode()) for name, value in post.headers.items()]
    scope = {"type": "http", "method": "POST", "path": "/inbox", "query_string": b"", "headers": headers}
    slow = asyncio.create_task(app(scope, receive, send))
    await arrived.wait()
    answer = await bring(app, post)
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "full", "30")
    going_on.set()
    await slow
    assert (await bring(app, post)).status_code == 202
