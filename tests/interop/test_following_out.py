"""Our board follows a board of a server that is not ours, by its leave, shows what it sends, and stops following it."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from activitypub.documents import CONTENT_TYPE
from activitypub.vocabulary import AS2, PUBLIC
from tests.interop.fedify import MANUAL_ACCEPT, NO_PROOF, Peer
from tests.interop.northside import ANA, Northside
from tests.interop.transcript import check_signed_by
from tests.interop.waiting import wait_for


def _followed_by(northside: Northside) -> list[str]:
    url = f"{northside.board}/following?page=true"
    answer = httpx2.get(url, headers={"Accept": CONTENT_TYPE}, trust_env=False)
    return list(answer.json()["orderedItems"])


def _ask(peer: Peer, northside: Northside) -> str:
    """Our board asks to follow theirs; the id of the Follow, which they believed."""
    board, since = peer.actor("board"), peer.transcript().length
    northside.follow(board)
    asked = peer.wait_for_delivery("Follow", board, since)
    check_signed_by(northside.board, asked)
    return asked.believed.id


def _answer(peer: Peer, answer: str, asked: str) -> None:
    """Somebody there says yes or no, as soon as the Follow waits for them."""
    wait_for("the Follow at their desk", lambda: asked in peer.tell("state")["pending"].get("board", {}))
    peer.tell(answer, by="board", follow=asked)


@pytest.fixture
def followed(peer: Peer, northside: Northside) -> Iterator[Peer]:
    """The peer, whose board ours follows."""
    asked = _ask(peer, northside)
    if peer.mode is MANUAL_ACCEPT:
        assert peer.actor("board") not in _followed_by(northside)
        _answer(peer, "accept", asked)
    wait_for("their Accept", lambda: peer.actor("board") in _followed_by(northside))
    yield peer
    northside.unfollow(peer.actor("board"))
    check_signed_by(northside.board, peer.wait_for_delivery("Undo", asked))
    wait_for("the end", lambda: northside.board not in peer.tell("state")["followers"].get("board", {}))


def _say(peer: Peer, northside: Northside, kind: str, about: Any) -> None:
    """Their board says something with terms of Valueflows, which Fedify's own vocabulary would leave out."""
    board = peer.actor("board")
    activity = {"@context": AS2, "id": f"{peer.origin}/activities/{uuid4()}", "type": kind, "actor": board}
    activity |= {"to": [PUBLIC], "cc": [f"{board}/followers"], "object": about}
    inbox, proof = f"{northside.town.origin}/inbox", peer.mode is not NO_PROOF
    sent = peer.tell("raw", by="board", inbox=inbox, body=activity, spec=peer.mode.first_knock, proof=proof)
    assert sent["status"] == 202


def test_what_a_board_we_follow_posts_stands_on_ours_changes_and_goes(followed: Peer, northside: Northside) -> None:
    title = f"A ladder for the week ({followed.mode.name})"
    note = {
        "id": f"{followed.origin}/notes/{uuid4()}",
        "type": "Note",
        "attributedTo": followed.actor("board"),
        "to": [PUBLIC],
        "name": title,
        "purpose": "offer",
        "content": f"<p>{title}</p>",
        "publishes": {"type": "Intent", "action": "transferCustody", "provider": followed.actor("board")},
    }
    _say(followed, northside, "Create", note)
    northside.wait_for_page(ANA, "/board", lambda page: page.says(title))
    changed = {"name": f"{title}, with a rope", "updated": "2036-01-01T00:00:00Z"}
    _say(followed, northside, "Update", {**note, **changed})
    northside.wait_for_page(ANA, "/board", lambda page: page.says(f"{title}, with a rope"))
    _say(followed, northside, "Delete", {"type": "Tombstone", "id": note["id"]})
    northside.wait_for_page(ANA, "/board", lambda page: not page.says(title))


@pytest.mark.parametrize("peer", [MANUAL_ACCEPT], indirect=True, ids=["manual-accept"])
def test_a_board_that_says_no_is_not_followed(peer: Peer, northside: Northside) -> None:
    asked = _ask(peer, northside)
    assert northside.board not in peer.tell("state")["followers"].get("board", {})
    _answer(peer, "reject", asked)
    # Letters of one server are taken in their order: when Alice follows us, the Reject before it was read.
    peer.wait_for_delivery("Accept", peer.tell("follow", target=northside.board)["id"])
    again = _ask(peer, northside)
    assert again != asked  # the first was over
    _answer(peer, "reject", again)
