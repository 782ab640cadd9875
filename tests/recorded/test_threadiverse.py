"""Forums that follow a board (FEP-1b12), and boards that follow each other (FEP-d36d)."""

from typing import Any

import pytest

from activitypub.vocabulary import PUBLIC
from fedaid.actors import commands as actors
from fedaid.board import commands
from fedaid.mentions.tables import message
from tests.recorded.town import BOARD, Town
from tests.small_house import NORTH, remote_document

pytestmark = pytest.mark.anyio
ANA = f"{NORTH}/users/ana"
RIVER_BOARD = "https://riverside.example/groups/board"


def required(activity: dict[str, Any], fields: dict[str, Any]) -> None:
    """The activity has at least these fields with these values."""
    assert {name: activity.get(name) for name in fields} == fields


async def test_a_forum_is_told_of_a_members_listing_as_it_expects(town: Town) -> None:
    """Lemmy's AnnounceActivity, CreateOrUpdatePage and Page: every field that they do not take as optional."""
    lemmy = town.servers["lemmy"]
    await town.bring(lemmy, "follow")
    listing = await town.list_something(own_name=True)
    whole, short = (one for one in town.sent_to(lemmy) if one["type"] == "Announce")
    required(whole, {"actor": BOARD, "to": [PUBLIC], "cc": [f"{BOARD}/followers", ANA]})
    create = whole["object"]
    required(create, {"type": "Create", "actor": ANA, "to": [PUBLIC], "cc": [f"{ANA}/followers", BOARD]})
    page = create["object"]
    required(
        page,
        {
            "type": "Note",
            "id": listing.uri,
            "attributedTo": ANA,
            "audience": BOARD,
            "to": [PUBLIC],
            "cc": [f"{ANA}/followers", BOARD],
            "name": "Help moving furniture",
            "published": "2026-09-01T09:00:00Z",
        },
    )
    assert "attachment" not in page
    required(short, {"actor": BOARD, "object": listing.uri})
    served = (await town.get(create["id"])).json()
    assert served == create


async def test_a_forum_is_told_of_changes_and_of_the_end_in_the_same_way(town: Town) -> None:
    lemmy = town.servers["lemmy"]
    await town.bring(lemmy, "follow")
    listing = await town.list_something(own_name=True)
    town.clock.pass_seconds(60)
    with town.instance.units.begin() as work:
        commands.withdraw_listing(work, town.ana, listing.id)
    await town.settle()
    announced = [one["object"] for one in town.sent_to(lemmy) if one["type"] == "Announce"]
    assert [one["type"] for one in announced if isinstance(one, dict)] == ["Create", "Delete"]
    assert announced[-1]["object"]["id"] == listing.uri


async def test_comments_are_not_announced(town: Town) -> None:
    """Mastodon would show each as a boost (mastodon #18069, lemmy #2224)."""
    lemmy = town.servers["lemmy"]
    await town.bring(lemmy, "follow")
    listing = await town.list_something(own_name=True)
    before = len(town.sent_to(lemmy))
    assert await town.bring(lemmy, "public_reply", listing) == 202
    assert len(town.sent_to(lemmy)) == before


async def test_a_forums_post_to_a_board_comes_to_the_coordinators(town: Town) -> None:
    lemmy = town.servers["lemmy"]
    page = {
        "type": "Page",
        "id": "https://lemmy.example/post/55",
        "attributedTo": lemmy.person,
        "to": [BOARD, PUBLIC],
        "name": "Is anybody giving away jars?",
        "cc": [],
        "content": "<p>For jam.</p>",
        "mediaType": "text/html",
        "attachment": [],
        "sensitive": False,
        "published": "2026-09-01T09:05:00Z",
        "audience": BOARD,
        "tag": [{"type": "Hashtag", "href": "https://lemmy.example/post/55", "name": "#board"}],
    }
    create = {
        "@context": ["https://join-lemmy.org/context.json", "https://www.w3.org/ns/activitystreams"],
        "actor": lemmy.person,
        "to": [PUBLIC],
        "object": page,
        "cc": [BOARD],
        "type": "Create",
        "id": "https://lemmy.example/activities/create/1",
        "audience": BOARD,
    }
    assert await town.post(lemmy, f"{BOARD}/inbox", create) == 202
    with town.instance.database.read() as connection:
        (row,) = connection.execute(message.select()).all()
    assert (row.text, row.public) == ("Is anybody giving away jars?\n\nFor jam.", True)


async def test_the_moderators_that_a_group_is_attributed_to_can_be_asked_for(town: Town) -> None:
    """FEP-1b12; who coordinates is nobody's business outside."""
    actor = (await town.get(BOARD)).json()
    found = (await town.get(actor["attributedTo"])).json()
    required(found, {"type": "OrderedCollection", "id": actor["attributedTo"], "totalItems": 0, "orderedItems": []})


async def test_a_board_that_follows_ours_is_accepted_and_answered_each_time(town: Town) -> None:
    """FEP-d36d: a Follow by a Group may be accepted at once; asked twice, it still follows once."""
    mitra = town.servers["mitra"]
    group = dict(mitra.actor) | {"type": "Group"}
    town.network.documents[mitra.person] = group
    for number in range(2):
        await town.bring(mitra, "follow", id=f"https://mitra.example/activities/follow/{number}")
    assert [one["type"] for one in town.sent_to(mitra)] == ["Accept", "Accept"]
    assert (await town.get(f"{BOARD}/followers")).json()["totalItems"] == 1
    listing = await town.list_something()
    assert town.sent_to(mitra)[-1]["object"]["id"] == listing.uri


async def test_our_board_follows_another_as_a_group(town: Town) -> None:
    """FEP-d36d: the Follow is by our Group actor, and what the other then shows is on our board."""
    town.network.documents[RIVER_BOARD] = remote_document(RIVER_BOARD, "Group")
    with town.instance.units.begin() as work:
        actors.follow(work, BOARD, RIVER_BOARD)
    await town.settle()
    ((inbox, follow),) = town.network.posted
    assert inbox == f"{RIVER_BOARD}/inbox"
    required(follow, {"type": "Follow", "actor": BOARD, "object": RIVER_BOARD, "to": [RIVER_BOARD]})
    assert (await town.get(BOARD)).json()["type"] == "Group"
