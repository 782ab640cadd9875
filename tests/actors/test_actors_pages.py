"""What other servers read of us: refusals and privacy first."""

from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from activitypub import webfinger
from activitypub.documents import is_activity_content_type, parse_actor, parse_json
from fedaid.actors import commands, pages
from fedaid.actors.rules import Kind
from fedaid.foundation.clock import milliseconds
from outbox.queue import Outgoing, post
from tests.small_house import NORTH, RIVER, RULES, START, SmallHouse, browser, remote_actor, some_keys

AP = {"Accept": 'application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams"'}
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
ANA, BOARD, BEN = f"{NORTH}/users/ana", f"{NORTH}/groups/board", f"{RIVER}/users/ben"
ABOVE = pages.FromAbove(
    featured=lambda connection, actor: [f"{NORTH}/listings/1"] if actor == BOARD else [],
    active_since=lambda connection, moment: 1 if moment > START.replace(year=2026, month=5) else 2,
    posts=lambda connection: 7,
    source_url="https://code.example/fedaid",
)


@pytest.fixture
def server(house: SmallHouse) -> TestClient:
    """Another server, asking ours, which has a server actor, a ledger, a board and Ana; Ben follows both."""
    with house.units.begin() as work:
        for kind, handle in (
            (Kind.SERVER, ""),
            (Kind.LEDGER, ""),
            (Kind.GROUP, "board"),
            (Kind.PERSON, "ana"),
        ):
            commands.create_actor(work, kind, handle, keys=some_keys())
        commands.remember(work, remote_actor(BEN))
        for number, followee in enumerate((ANA, BOARD)):
            commands.receive_follow(work, BEN, followee, f"{BEN}/follows/{number}")
    shown = {Kind.PERSON: lambda request: PlainTextResponse("Ana's page")}
    return browser(house, [*pages.routes(ABOVE), pages.by_handle(shown)])


def say(house: SmallHouse, number: int, *, public: bool) -> str:
    url = house.names.activity(number)
    activity = {"id": url, "type": "Create", "actor": BOARD, "object": {"id": f"{NORTH}/listings/{number}"}}
    with house.units.begin() as work:
        post(work.connection, Outgoing(activity, BOARD, public=public), milliseconds(work.now))
    return url


def get(server: TestClient, url: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    answer = server.get(url, headers=headers or AP)
    assert answer.status_code == 200, answer.text
    return parse_json(answer.content)


@pytest.mark.parametrize(
    "path",
    [
        "/users/nobody",
        "/users/board",
        "/groups/ana",
        "/users/ANA",
        "/users/ledger",
        "/groups/nobody/followers",
        "/users/nobody/outbox?page=true",
        "/@nobody",
        "/@a%00b",
        "/users/a%00b",
        "/nodeinfo/1.0",
        "/activities/x",
        "/activities/-1",
        "/activities/" + "9" * 5000,
        "/groups/board/outbox?page=true&before=x",
        "/groups/board/followers?page=true&after=99999999999999999999",
        "/users/ana/moderators",
    ],
)
def test_what_is_not_there_is_not_found(server: TestClient, path: str) -> None:
    assert server.get(path, headers=AP).status_code == 404


# S47
def test_a_private_activity_and_none_answer_alike(server: TestClient, house: SmallHouse) -> None:
    hidden = server.get(say(house, 41, public=False), headers=AP)
    absent = server.get(house.names.activity(42), headers=AP)
    assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content) == (404, hidden.content)


def test_a_public_activity_is_served_as_it_was_sent(server: TestClient, house: SmallHouse) -> None:
    url = say(house, 41, public=True)
    assert get(server, url)["id"] == url


def test_who_follows_a_person_is_not_told(server: TestClient) -> None:
    for address in (f"{ANA}/followers", f"{ANA}/followers?page=true"):
        told = get(server, address)
        assert told["totalItems"] == 1
        assert BEN not in str(told)
        assert "first" not in told


def test_who_follows_a_board_is_told_page_by_page(server: TestClient, house: SmallHouse) -> None:
    with house.units.begin() as work:
        for number in range(pages.PAGE_ITEMS_MAX):
            commands.receive_follow(work, f"{RIVER}/users/u{number}", BOARD, f"{RIVER}/follows/{number}")
    told = get(server, f"{BOARD}/followers")
    first = get(server, told["first"])
    second = get(server, first["next"])
    assert told["totalItems"] == pages.PAGE_ITEMS_MAX + 1
    assert (first["id"], first["partOf"]) == (told["first"], f"{BOARD}/followers")
    assert first["orderedItems"][0] == BEN
    assert (len(first["orderedItems"]), len(second["orderedItems"])) == (pages.PAGE_ITEMS_MAX, 1)
    assert "next" not in second


def test_the_outbox_shows_public_activities_only_newest_first(server: TestClient, house: SmallHouse) -> None:
    for number in range(1, pages.PAGE_ITEMS_MAX + 4):
        say(house, number, public=number != 2)
    told = get(server, f"{BOARD}/outbox")
    first = get(server, told["first"])
    second = get(server, first["next"])
    ids = [item["id"] for page in (first, second) for item in page["orderedItems"]]
    assert told["totalItems"] == len(ids) == pages.PAGE_ITEMS_MAX + 2
    assert ids[0] == house.names.activity(pages.PAGE_ITEMS_MAX + 3)
    assert house.names.activity(2) not in ids


def test_what_was_said_about_something_taken_down_is_gone_and_listed_no_more(
    server: TestClient, house: SmallHouse
) -> None:
    created, other = say(house, 1, public=True), say(house, 2, public=True)
    tombstone = {"id": f"{NORTH}/listings/1", "type": "Tombstone"}
    deleted = {"id": house.names.activity(3), "type": "Delete", "actor": BOARD, "object": tombstone}
    with house.units.begin() as work:
        post(work.connection, Outgoing(deleted, BOARD, public=True), milliseconds(work.now))
    assert server.get(created, headers=AP).status_code == 410
    assert get(server, deleted["id"])["object"] == tombstone
    whole = {"id": created, "type": "Create", "object": {"name": "What was taken down"}}
    announced = {"id": house.names.activity(4), "type": "Announce", "actor": BOARD, "object": whole}
    with house.units.begin() as work:
        post(work.connection, Outgoing(announced, BOARD, to=(ANA,)), milliseconds(work.now))
        found = pages.sent.stored(work.connection, announced["id"])
        assert found is not None
        assert pages._repeats_deleted(work.connection, found)
    told = get(server, f"{BOARD}/outbox")
    assert told["totalItems"] == 2
    assert [item["id"] for item in get(server, told["first"])["orderedItems"]] == [deleted["id"], other]


@pytest.mark.parametrize("path", ["/actor", "/ledger", "/users/ana", "/groups/board"])
def test_an_actor_is_read_without_a_signature_under_its_own_id(server: TestClient, path: str) -> None:
    answer = server.get(path, headers=AP)
    parsed = parse_actor(parse_json(answer.content), RULES, START)
    assert parsed.id.text == f"{NORTH}{path}"
    assert is_activity_content_type(answer.headers["content-type"])
    assert "Accept" in answer.headers["vary"]
    assert "max-age" in answer.headers["cache-control"]
    assert server.head(path, headers=AP).status_code == 200


def test_every_collection_an_actor_names_can_be_read(server: TestClient) -> None:
    collections = ("outbox", "followers", "following", "featured", "attributedTo")
    for path in ("/actor", "/ledger", "/users/ana", "/groups/board"):
        document = get(server, path)
        for address in [document[name] for name in collections if name in document]:
            assert get(server, address)["type"] == "OrderedCollection"


def test_featured_shows_what_the_board_puts_first(server: TestClient) -> None:
    assert get(server, f"{BOARD}/featured")["orderedItems"] == [f"{NORTH}/listings/1"]
    assert get(server, f"{ANA}/featured")["orderedItems"] == []


@pytest.mark.parametrize(
    ("path", "page"), [("/users/ana", "/@ana"), ("/groups/board", "/@board"), ("/actor", "/"), ("/ledger", "/")]
)
def test_people_are_led_from_an_id_to_a_page(server: TestClient, path: str, page: str) -> None:
    answer = server.get(path, headers=HTML)
    assert (answer.status_code, answer.headers["location"]) == (302, f"{NORTH}{page}")
    assert "Accept" in answer.headers["vary"]


def test_servers_are_led_from_a_page_to_the_id_and_people_see_the_page(server: TestClient) -> None:
    assert server.get("/@Ana", headers=AP).headers["location"] == ANA
    page = server.get("/@ana", headers=HTML)
    assert page.text == "Ana's page"
    assert page.headers["link"] == f'<{ANA}>; rel="alternate"; type="application/activity+json"'
    assert server.get("/@northside.example", headers=HTML).headers["location"] == f"{NORTH}/"


def ask(server: TestClient, resource: str | None) -> Any:
    return server.get("/.well-known/webfinger", params={"resource": resource} if resource is not None else {})


@pytest.mark.parametrize(
    ("resource", "status"),
    [
        (None, 400),
        ("", 400),
        ("acct:" + "a" * 3000, 400),
        ("acct:nobody@northside.example", 404),
        ("acct:ana@riverside.example", 404),
        ("acct:ana@northside.example:8000", 404),
        ("acct:ana@evil.example@northside.example", 404),
        (f"{RIVER}/users/ana", 404),
        ("https://northside.example.evil.example/users/ana", 404),
        ("ana", 404),
        ("\x00", 404),
        (f"{NORTH}/@\x00", 404),
        (f"{NORTH}/users/\x00", 404),
    ],
)
def test_webfinger_knows_only_our_own(server: TestClient, resource: str | None, status: int) -> None:
    assert ask(server, resource).status_code == status


@pytest.mark.parametrize(
    ("resource", "subject", "actor"),
    [
        ("acct:ana@northside.example", "acct:ana@northside.example", ANA),
        ("acct:Ana@Northside.example", "acct:ana@northside.example", ANA),
        ("@ana@northside.example", "acct:ana@northside.example", ANA),
        (ANA, "acct:ana@northside.example", ANA),
        (f"{NORTH}/@ANA", "acct:ana@northside.example", ANA),
        ("acct:board@northside.example", "acct:board@northside.example", BOARD),
        ("acct:ledger@northside.example", "acct:ledger@northside.example", f"{NORTH}/ledger"),
        ("acct:northside.example@northside.example", "acct:northside.example@northside.example", f"{NORTH}/actor"),
        (f"{NORTH}/actor", "acct:northside.example@northside.example", f"{NORTH}/actor"),
    ],
)
def test_webfinger_leads_to_the_actor(server: TestClient, resource: str, subject: str, actor: str) -> None:
    answer = ask(server, resource)
    jrd = webfinger.parse_jrd(answer.json())
    assert (jrd.subject, webfinger.actor_of(jrd)) == (subject, actor)
    assert answer.headers["content-type"] == "application/jrd+json"
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("resource", [NORTH, f"{NORTH}/"])
def test_webfinger_of_the_origin_names_the_server_actor(server: TestClient, resource: str) -> None:
    jrd = webfinger.parse_jrd(ask(server, resource).json())
    assert webfinger.actor_of(jrd, webfinger.SERVICE) == f"{NORTH}/actor"


def test_host_meta_says_where_webfinger_is(server: TestClient) -> None:
    answer = server.get("/.well-known/host-meta")
    assert f"{NORTH}/.well-known/webfinger?resource={{uri}}" in answer.text
    assert answer.headers["content-type"].startswith("application/xrd+xml")


def test_nodeinfo_is_found_in_both_versions(server: TestClient) -> None:
    answer = server.get("/.well-known/nodeinfo")
    assert answer.headers["access-control-allow-origin"] == "*"
    versions = [link["href"] for link in answer.json()["links"] if "schema" in link["rel"]]
    for address, version in zip(versions, ("2.0", "2.1"), strict=True):
        told = server.get(address).json()
        assert (told["version"], told["software"]["name"]) == (version, "fedaid")
        assert told["usage"] == {"users": {"total": 1, "activeMonth": 1, "activeHalfyear": 2}, "localPosts": 7}
        assert told["openRegistrations"] is False
    assert server.head("/nodeinfo/2.0").status_code == 200
