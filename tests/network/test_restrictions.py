"""Who is not welcome here: what a block or a limit covers, what laying one does at once, and what is refused."""

from itertools import product

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from fedaid.actors import commands as actors
from fedaid.actors.rules import Kind as ActorKind
from fedaid.actors.tables import follow
from fedaid.foundation import schema
from fedaid.foundation.database import Database
from fedaid.foundation.federation import Federation
from fedaid.foundation.refused import NotFound, Refused
from fedaid.network import commands, queries
from fedaid.network.commands import Lifted, Restricted
from fedaid.network.rules.restrictions import (
    REASON_CHARACTERS_MAX,
    Kind,
    Laid,
    Severity,
    Standing,
    Target,
    Terms,
    chosen_target,
    host_of,
    verdict,
)
from outbox import tables as outbox
from outbox.queue import Outgoing, post
from tests.network.test_network import FACTS
from tests.small_house import NORTH, RIVER, SmallHouse, remote_actor, some_keys

EVE, BEN, ANA = "https://evil.example/users/eve", f"{RIVER}/users/ben", f"{NORTH}/users/ana"
NORA = f"{NORTH}/users/nora"
BLOCK, LIMIT = Terms(Severity.BLOCK), Terms(Severity.LIMIT)


def lay(house: SmallHouse, typed: str, terms: Terms = BLOCK, by: str = NORA) -> None:
    with house.units.begin() as work:
        commands.restrict(work, commands.chosen(work, typed), terms, by)


def standing(house: SmallHouse, address: str, federation: Federation = Federation.OPEN) -> Standing:
    with house.database.read() as connection:
        return queries.verdict_on(connection, federation, address).standing


# refusals


@pytest.mark.parametrize("typed", ["", "a b", "a\x00b", "a/b", "evil..example", ".", "@", "x" * 300, "ex ample.org"])
def test_what_names_no_host_and_no_actor_is_refused(house: SmallHouse, typed: str) -> None:
    with pytest.raises(Refused) as refusal:
        lay(house, typed)
    assert refusal.value.code == "network_host"


@pytest.mark.parametrize("typed", ["northside.example", "Example", f"{NORTH}/users/ana", f"{NORTH}/"])
def test_nobody_shuts_out_their_own_network(house: SmallHouse, typed: str) -> None:
    with pytest.raises(Refused) as refusal:
        lay(house, typed)
    assert refusal.value.code == "network_self"


def test_a_handle_nobody_met_is_refused_as_its_actor_is_not_known(house: SmallHouse) -> None:
    with pytest.raises(Refused) as refusal:
        lay(house, "@eve@evil.example")
    assert refusal.value.code == "not_met"


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        (Terms(Severity.BLOCK, "x" * (REASON_CHARACTERS_MAX + 1)), "reason_length"),
        (Terms(Severity.NONE), "restriction_empty"),
    ],
)
def test_a_restriction_without_sense_is_refused(house: SmallHouse, terms: Terms, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        lay(house, "evil.example", terms)
    assert refusal.value.code == code


def test_lifting_what_was_not_laid_is_refused(house: SmallHouse) -> None:
    with pytest.raises(NotFound), house.units.begin() as work:
        commands.lift(work, chosen_target("evil.example"))


# what is covered


# S48
@pytest.mark.parametrize(
    ("laid_on", "address", "covered"),
    [
        ("evil.example", "evil.example", True),
        ("evil.example", EVE, True),
        ("evil.example", "https://a.b.evil.example/users/eve", True),
        ("Evil.Example.", "a.b.EVIL.example", True),
        ("https://evil.example/", "evil.example.", True),
        ("evil.example", "notevil.example", False),
        ("evil.example", "evil.example.org", False),
        ("evil.example", "https://good.example/evil.example", False),
        ("sub.evil.example", "evil.example", False),
        ("exаmple.org", "xn--exmple-4nf.org", True),  # with a Cyrillic a (S66)
        ("exаmple.org", "example.org", False),
        ("127.0.0.1:8002", "127.0.0.1:8002", True),
        ("127.0.0.1:8002", "http://127.0.0.1:8002/users/eve", True),
        ("127.0.0.1:8002", "127.0.0.1:8001", False),
        ("127.0.0.1", "127.0.0.1:8001", True),
        ("0.1", "127.0.0.1:8001", False),
        (EVE, EVE, True),
        (EVE, "https://evil.example/users/evelyn", False),
        (EVE, "evil.example", False),
        (f"{EVE}#main-key", EVE, True),
    ],
)
def test_a_block_covers_the_domains_below_or_one_actor(
    house: SmallHouse, laid_on: str, address: str, covered: bool
) -> None:
    lay(house, laid_on)
    assert (standing(house, address) is Standing.SHUT_OUT) is covered
    with house.units.begin() as work:
        commands.lift(work, chosen_target(laid_on))
    assert standing(house, address) is Standing.WELCOME


@pytest.mark.parametrize(
    ("federation", "linked", "above", "own"),
    list(product(Federation, [False, True], [None, *Severity], [None, *Severity])),
)
def test_the_strongest_restriction_counts_and_strangers_are_shut_out_of_a_network_of_neighbours(
    federation: Federation, linked: bool, above: Severity | None, own: Severity | None
) -> None:
    pairs = ((Target(Kind.HOST, "evil.example"), above), (Target(Kind.ACTOR, EVE), own))
    found = verdict(federation, linked, [Laid(target, severity) for target, severity in pairs if severity])
    if Severity.BLOCK in (above, own):
        assert (found.standing, found.code) == (Standing.SHUT_OUT, "blocked")
        assert found.alone is (above is not Severity.BLOCK)
    elif federation is Federation.NEIGHBOURS and not linked:
        assert (found.standing, found.code, found.alone) == (Standing.SHUT_OUT, "not_a_neighbour", False)
    else:
        limited = Severity.LIMIT in (above, own)
        assert found.standing is (Standing.LIMITED if limited else Standing.WELCOME)


def test_a_network_of_neighbours_speaks_with_whom_its_admin_has_a_link(house: SmallHouse) -> None:
    assert standing(house, BEN, Federation.NEIGHBOURS) is Standing.SHUT_OUT
    with house.units.begin() as work:
        commands.propose(work, FACTS)  # from now on their answer is waited for
    assert standing(house, BEN, Federation.NEIGHBOURS) is Standing.WELCOME
    assert (
        standing(house, f"{RIVER.replace('riverside', 'a.riverside')}/users/ben", Federation.NEIGHBOURS)
        is Standing.SHUT_OUT
    )
    with house.units.begin() as work:
        commands.end(work, "riverside.example")
    assert standing(house, BEN, Federation.NEIGHBOURS) is Standing.SHUT_OUT


def test_many_are_asked_about_at_once(house: SmallHouse) -> None:
    lay(house, "evil.example")
    many = [f"https://h{n}.example/users/ann" for n in range(1_200)]
    with house.database.read() as connection:
        found = queries.verdicts_on(connection, Federation.OPEN, [*many, EVE])
    assert [address for address, one in found.items() if one.is_shut_out] == [EVE]


# what laying one does


def test_a_restriction_says_who_laid_it_when_and_why_and_the_last_word_counts(house: SmallHouse) -> None:
    lay(house, "evil.example", Terms(Severity.LIMIT, "many\ncomplaints"))
    lay(house, "evil.example", Terms(Severity.BLOCK, "spam"))
    lay(house, "evil.example", Terms(Severity.BLOCK, "spam"))
    with house.database.read() as connection:
        (found,) = queries.restrictions(connection)
        log = [(line.decision, line.reason, line.decided_by) for line in queries.log_of(connection, "evil.example")]
    assert (found.terms, found.laid_by, found.laid_at) == (Terms(Severity.BLOCK, "spam"), NORA, house.clock.now())
    assert log == [("block", "spam", NORA), ("limit", "many complaints", NORA)]


def test_the_other_side_is_told_the_reason(house: SmallHouse) -> None:
    lay(house, "evil.example", Terms(Severity.BLOCK, "spam since May"))
    with house.database.read() as connection:
        told = queries.verdict_on(connection, Federation.OPEN, "https://a.evil.example/users/x").sentence
    assert told == "evil.example is blocked here. The reason given: spam since May"


def test_laying_the_same_again_and_lifting_are_recorded_once_each(house: SmallHouse) -> None:
    with house.units.begin() as work:
        target = chosen_target("evil.example")
        commands.restrict(work, target, BLOCK)
        commands.restrict(work, target, BLOCK)
        commands.lift(work, target)
        assert work.facts == [Restricted(target, BLOCK), Lifted(target)]


def test_a_block_ends_all_follows_and_a_limit_none(house: SmallHouse) -> None:
    with house.units.begin() as work:
        actors.create_actor(work, ActorKind.PERSON, "ana", keys=some_keys())
        for uri in (EVE, "https://sub.evil.example/users/ed", BEN):
            actors.remember(work, remote_actor(uri, endpoints={}))
            actors.receive_follow(work, uri, ANA, f"{uri}/follows/1")
            actors.follow(work, ANA, uri)
    lay(house, "evil.example", LIMIT)
    assert len(follows(house)) == 6
    lay(house, "evil.example")
    assert follows(house) == {(BEN, ANA), (ANA, BEN)}
    lay(house, BEN)
    assert follows(house) == set()


def follows(house: SmallHouse) -> set[tuple[str, str]]:
    with house.database.read() as connection:
        return {(row.follower, row.followee) for row in connection.execute(select(follow))}


def test_what_waits_for_a_blocked_actor_is_given_up_but_not_the_ledgers_mail(house: SmallHouse) -> None:
    with house.units.begin() as work:
        actors.remember(work, remote_actor(BEN))
        for number, keep_trying in ((1, False), (2, True)):
            letter = {"id": f"{NORTH}/activities/{number}", "type": "Note"}
            row = {"inbox": f"{BEN}/inbox", "host": "riverside.example", "actor": ANA, "next_try_ms": 0}
            activity = post(work.connection, Outgoing(letter, ANA, keep_trying=keep_trying), 0)
            values = {**row, "activity": activity, "keep_trying": keep_trying}
            work.connection.execute(outbox.delivery.insert().values(values))
    lay(house, "@ben@riverside.example")
    with house.database.read() as connection:
        states = connection.execute(select(outbox.delivery.c.state).order_by(outbox.delivery.c.n)).scalars().all()
    assert states == ["failed", "waiting"]


def test_the_log_of_decisions_can_only_grow(database: Database) -> None:
    schema.upgrade(database)
    row = "INSERT INTO moderation_entry VALUES (1, '2026-09-01', '', 'block', 'evil.example', '')"
    with database.write() as connection:
        connection.execute(text(row))
    for change in ("UPDATE moderation_entry SET reason = 'x'", "DELETE FROM moderation_entry"):
        with pytest.raises(DBAPIError, match="append-only"), database.write() as connection:
            connection.execute(text(change))


def test_blocks_of_an_older_version_are_kept(database: Database) -> None:
    from alembic import command

    with database.write() as connection:
        config = schema._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text("INSERT INTO block VALUES (7, 'evil.example', '2026-09-01')"))
    schema.upgrade(database)
    with database.read() as connection:
        assert queries.is_blocked(connection, EVE)


@pytest.mark.attack("S48", "S66")
@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://evil.example/users/eve", "evil.example"),
        ("https://EVIL.example:443/users/eve", "evil.example"),
        ("https://ex\u0430mple.org/users/eve", "xn--exmple-4nf.org"),
        ("http://127.0.0.1:8001/users/eve", "127.0.0.1:8001"),
        ("https://b.example@evil.example:8443/users/eve", "evil.example:8443"),
        ("https://[::1", "[::1"),
        ("://", ""),
        ("evil.example", "evil.example"),
    ],
)
def test_the_host_of_an_address_is_found_however_it_is_spelled(address: str, host: str) -> None:
    assert host_of(address) == host
