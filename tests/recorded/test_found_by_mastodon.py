"""What Mastodon asks of a board before and after it is followed, field by field (wire.md, section 2 of its sources)."""

import re
from typing import Any

import httpx2
import pytest

from activitypub.capabilities import our_capabilities
from activitypub.vocabulary import ACTOR_CONTEXT, LISTING_CONTEXT, PUBLIC
from fedaid.board import commands
from tests.recorded.town import ACTIVITY, BOARD, MASTODON_ACCEPT, Town
from tests.small_house import NORTH

pytestmark = pytest.mark.anyio

WEBFINGER_ACCEPT = "application/jrd+json, application/json"


def cached(answer: httpx2.Response, seconds: int) -> None:
    """Anybody may keep it so long, apart by what was asked for."""
    assert answer.headers["cache-control"] == f"public, max-age={seconds}"
    assert "Accept" in answer.headers["vary"]


async def test_the_handle_leads_to_the_actor_by_webfinger(town: Town) -> None:
    """app/lib/webfinger.rb: https, a self link of exactly this type, the subject as asked."""
    answer = await town.get("/.well-known/webfinger?resource=acct:board@northside.example", WEBFINGER_ACCEPT)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/jrd+json")
    assert answer.headers["access-control-allow-origin"] == "*"
    cached(answer, 600)
    found = answer.json()
    assert found["subject"] == "acct:board@northside.example"
    assert set(found["aliases"]) == {BOARD, f"{NORTH}/@board"}
    assert {"rel": "self", "type": ACTIVITY, "href": BOARD} in found["links"]
    assert {"rel": "http://webfinger.net/rel/profile-page", "type": "text/html", "href": f"{NORTH}/@board"} in found[
        "links"
    ]


@pytest.mark.parametrize(
    ("resource", "status"),
    [("acct:nobody@northside.example", 404), ("acct:board@elsewhere.example", 404), ("nonsense", 404), ("", 400)],
)
async def test_other_handles_are_not_found(town: Town, resource: str, status: int) -> None:
    answer = await town.get(f"/.well-known/webfinger?resource={resource}", WEBFINGER_ACCEPT)
    assert answer.status_code == status


async def test_the_actor_is_a_group_that_mastodon_stores(town: Town) -> None:
    """fetch_remote_actor_service.rb and process_account_service.rb."""
    answer = await town.get(BOARD)
    assert (answer.status_code, answer.headers["content-type"]) == (200, ACTIVITY)
    cached(answer, 180)
    actor: dict[str, Any] = answer.json()
    keys = {name: actor.pop(name) for name in ("publicKey", "assertionMethod")}
    assert actor == {
        "@context": ACTOR_CONTEXT,
        "id": BOARD,
        "type": "Group",
        "preferredUsername": "board",
        "name": "Northside",
        "summary": "",
        "url": f"{NORTH}/@board",
        "inbox": f"{BOARD}/inbox",
        "outbox": f"{BOARD}/outbox",
        "followers": f"{BOARD}/followers",
        "following": f"{BOARD}/following",
        "featured": f"{BOARD}/featured",
        "endpoints": {"sharedInbox": f"{NORTH}/inbox"},
        "published": "2026-09-01T00:00:00Z",
        "manuallyApprovesFollowers": False,
        "webfinger": "board@northside.example",
        "discoverable": True,
        "indexable": True,
        "attributedTo": f"{BOARD}/moderators",
        "generator": {
            "type": "Application",
            "id": f"{NORTH}/actor",
            "implements": our_capabilities(),
        },
    }
    assert (keys["publicKey"]["id"], keys["publicKey"]["owner"]) == (f"{BOARD}#main-key", BOARD)
    assert keys["publicKey"]["publicKeyPem"].startswith("-----BEGIN PUBLIC KEY-----")
    assert re.fullmatch(r"[a-z0-9_]+([.-]+[a-z0-9_]+)*", actor["preferredUsername"])


@pytest.mark.parametrize(
    "accept", [ACTIVITY, MASTODON_ACCEPT, 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"']
)
async def test_the_page_leads_to_the_actor_when_it_is_pasted(town: Town, accept: str) -> None:
    """fetch_resource_service.rb: content negotiation, a Link header, or a link element."""
    answer = await town.get("/@board", accept)
    assert (answer.status_code, answer.headers["location"]) == (302, BOARD)
    assert "Accept" in answer.headers["vary"]
    page = await town.get("/@board", "text/html")
    assert f'<{BOARD}>; rel="alternate"; type="{ACTIVITY}"' == page.headers["link"]
    assert f'<link rel="alternate" type="{ACTIVITY}" href="{BOARD}">' in page.text


async def test_a_listings_page_leads_to_its_note_when_it_is_pasted(town: Town) -> None:
    listing = await town.list_something()
    page = await town.get(listing.page, "text/html")
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["link"] == f'<{listing.uri}>; rel="alternate"; type="{ACTIVITY}"'
    note = await town.get(listing.page)
    assert note.json()["id"] == listing.uri


async def test_a_listing_is_a_note_with_its_facts_in_the_first_paragraph(town: Town) -> None:
    """activity/create.rb: type, hosts, the fields that are shown, and who may see it."""
    listing = await town.list_something()
    answer = await town.get(listing.uri)
    assert (answer.status_code, answer.headers["content-type"]) == (200, ACTIVITY)
    cached(answer, 60)
    note = answer.json()
    assert note["@context"] == LISTING_CONTEXT
    assert (note["id"], note["type"], note["attributedTo"], note["audience"]) == (listing.uri, "Note", BOARD, BOARD)
    assert (note["to"], note["cc"]) == ([PUBLIC], [f"{BOARD}/followers", BOARD])
    assert (note["published"], "updated" in note, note["sensitive"]) == ("2026-09-01T09:00:00Z", False, False)
    assert note["url"] == listing.page
    assert "summary" not in note
    assert note["contentMap"] == {"en": note["content"]}
    assert note["content"].startswith(
        "<p><strong>Request: Help moving furniture</strong><br>When: Sat 5 Sep 2026, 10:00-12:00 (Europe/London)<br>"
        "Where: near Rose Street (approximate)<br>Time credit: 2 hours</p>"
    )
    assert set(re.findall(r"<([a-z]+)", note["content"])) <= {"p", "strong", "br", "a"}
    assert [tag["type"] for tag in note["tag"]] == ["Hashtag", "Mention"]


async def test_a_create_can_be_fetched_by_its_id(town: Town) -> None:
    listing = await town.list_something()
    (create,) = [one for one in town.in_outbox() if one["type"] == "Create"]
    answer = await town.get(create["id"])
    assert (answer.status_code, answer.headers["content-type"]) == (200, ACTIVITY)
    cached(answer, 3600)
    assert town.unproved(answer.json()) == create
    assert create["object"]["id"] == listing.uri


async def test_collections_say_how_many_and_show_what_stands_first(town: Town) -> None:
    listing = await town.list_something()
    for name, total in (("outbox", 1), ("followers", 0), ("following", 0), ("featured", 1), ("moderators", 0)):
        answer = await town.get(f"{BOARD}/{name}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, ACTIVITY), name
        cached(answer, 180)
        found = answer.json()
        assert (found["id"], found["type"], found["totalItems"]) == (f"{BOARD}/{name}", "OrderedCollection", total)
    assert (await town.get(f"{BOARD}/featured")).json()["orderedItems"] == [listing.uri]
    page = (await town.get(f"{BOARD}/outbox?page=true")).json()
    assert [(one["type"], one["object"]["id"]) for one in page["orderedItems"]] == [("Create", listing.uri)]


async def test_followers_are_counted_and_named(town: Town) -> None:
    carol = town.servers["mastodon_4_5"]
    await town.bring(carol, "follow")
    assert (await town.get(f"{BOARD}/followers")).json()["totalItems"] == 1
    assert (await town.get(f"{BOARD}/followers?page=true")).json()["orderedItems"] == [carol.person]


async def test_a_withdrawn_listing_is_gone_with_a_tombstone(town: Town) -> None:
    listing = await town.list_something()
    with town.instance.units.begin() as work:
        commands.withdraw_listing(work, town.ana, listing.id)
    answer = await town.get(listing.uri)
    assert (answer.status_code, answer.headers["content-type"]) == (410, ACTIVITY)
    assert (answer.json()["type"], answer.json()["id"]) == ("Tombstone", listing.uri)


@pytest.mark.attack("S47")
async def test_what_is_private_and_what_never_was_answer_alike(town: Town) -> None:
    """Attack S47."""
    listing = await town.list_something()
    carol = town.servers["mastodon_4_5"]
    await town.bring(carol, "private_reply", listing)
    (answer,) = town.answers(listing)
    with town.instance.units.begin() as work:
        commands.make_remark(work, town.ana, answer.id, "Call me")
    sent = town.in_outbox()[-1]
    absent = await town.get("/activities/1")
    for hidden in (sent["id"], sent["object"]["id"], f"{NORTH}/responses/{answer.id}"):
        found = await town.get(hidden)
        assert (found.status_code, found.content) == (absent.status_code, absent.content), hidden
