"""A neighbour's reply reaches the followers of the board it answers, who believe it for its own proof."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from activitypub.vocabulary import PLAIN_CONTEXT, PUBLIC
from fedaid.actors import commands, wire
from fedaid.board import commands as board
from fedaid.board.rules import Kind, Mode, Posting
from fedaid.foundation.viewer import Role, Viewer
from fedaid.members import commands as members
from inbox.tables import inbox_letter
from outbox.queue import Outgoing
from tests.support.towns import Town, settle, towns

NORTH, RIVER = "https://northside.example", "https://riverside.example"
BOARD = f"{NORTH}/groups/board"


def member(town: Town, handle: str) -> Viewer:
    with town.instance.units.begin() as work:
        added = members.add_member(work, handle, "x")
    return Viewer(added.id, added.handle, added.name, added.actor, Role.MEMBER, "UTC")


def posted(town: Town, author: Viewer) -> str:
    until = town.clock.now() + timedelta(days=7)
    posting = Posting(kind=Kind.REQUEST, title="A ladder", mode=Mode.GIFT, time_zone="UTC", expires_at=until)
    with town.instance.units.begin() as work:
        return work.names.listing(board.post_listing(work, author, BOARD, posting))


def letters(town: Town) -> list[tuple[str, str, str, str]]:
    columns = (inbox_letter.c.type, inbox_letter.c.sender, inbox_letter.c.proof, inbox_letter.c.state)
    with town.instance.database.read() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(inbox_letter.c.n))]


def test_a_reply_is_forwarded_with_its_proof_and_believed(database_kind: str, tmp_path: Path) -> None:
    with towns(database_kind, tmp_path, "northside", "riverside", "hillside") as (north, river, hill):
        ana, ben = member(north, "ana"), member(river, "ben")
        with hill.instance.units.begin() as work:
            commands.follow(work, f"https://{hill.host}/groups/board", BOARD)
        listing = posted(north, ana)
        settle(north, river, hill)
        to: dict[str, Any] = {"to": [PUBLIC], "cc": [BOARD, f"{BOARD}/followers"]}
        note = {"id": f"{RIVER}/notes/1", "type": "Note", "attributedTo": ben.actor, "inReplyTo": listing, **to}
        reply = {"@context": PLAIN_CONTEXT, "id": f"{RIVER}/activities/1", "type": "Create", "actor": ben.actor, **to}
        with river.instance.units.begin() as work:
            wire.say(work, Outgoing({**reply, "object": {**note, "content": "I have one."}}, ben.actor, to=(BOARD,)))
        settle(north, river, hill)
        assert ("Create", ben.actor, "rfc9421", "done") in letters(north)
        sender, proof = letters(hill)[-1][1:3]
        assert (sender, proof) == (ben.actor, "fep-8b32")
