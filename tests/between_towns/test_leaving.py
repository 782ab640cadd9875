"""A member leaves: their things leave the boards, and the servers that had something of theirs forget them."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from fedaid.actors import commands as actors
from fedaid.actors import queries as actor_queries
from fedaid.admin.leaving import remove_member
from fedaid.board import commands as board
from fedaid.board import queries
from fedaid.board.rules import Kind, ListingState, Mode, Posting, ResponseState
from fedaid.board.tables import response
from fedaid.foundation.viewer import Role, Viewer
from fedaid.members import commands as members
from fedaid.members import queries as member_queries
from fedaid.timebank.limits import TimebankLimits
from tests.support.towns import Town, settle, towns

NORTH_BOARD, RIVER_BOARD = "https://northside.example/groups/board", "https://riverside.example/groups/board"
ANA = "https://northside.example/users/ana"


def member(town: Town, handle: str) -> Viewer:
    with town.instance.units.begin() as work:
        added = members.add_member(work, handle, members.hash_password("neighbours help"), email="ana@mail.example")
    return Viewer(added.id, added.handle, added.name, added.actor, Role.MEMBER, "UTC")


def post(town: Town, author: Viewer, on: str, title: str) -> str:
    until = town.clock.now() + timedelta(days=7)
    posting = Posting(kind=Kind.REQUEST, title=title, mode=Mode.GIFT, time_zone="UTC", expires_at=until)
    with town.instance.units.begin() as work:
        return work.names.listing(board.post_listing(work, author, on, posting))


def listing(town: Town, uri: str) -> queries.Listing:
    with town.instance.database.read() as connection:
        found = queries.listing_by_uri(connection, uri)
    assert found is not None
    return found


def test_who_leaves_is_forgotten_everywhere(database_kind: str, tmp_path: Path) -> None:
    with towns(database_kind, tmp_path, "northside", "riverside") as (north, river):
        ana, ben = member(north, "ana"), member(river, "ben")
        for town, follower, followee in ((north, NORTH_BOARD, RIVER_BOARD), (river, RIVER_BOARD, NORTH_BOARD)):
            with town.instance.units.begin() as work:
                actors.follow(work, follower, followee)
        settle(north, river)
        hers, his = post(north, ana, NORTH_BOARD, "A ladder"), post(river, ben, RIVER_BOARD, "A piano")
        settle(north, river)
        with north.instance.units.begin() as work:
            board.respond(work, ana, listing(north, his).id, "I can tune it.")
        settle(north, river)

        with north.instance.units.begin() as work:
            remove_member(work, "Ana", TimebankLimits())
        settle(north, river)

        assert listing(north, hers).state is listing(river, hers).state is ListingState.WITHDRAWN
        with river.instance.database.read() as connection:
            gone = actor_queries.remote(connection, ANA)
            states = connection.execute(select(response.c.state)).scalars().all()
        assert gone is not None
        assert gone.gone_at is not None
        assert states == [ResponseState.WITHDRAWN]
        with north.instance.database.read() as connection:
            assert member_queries.by_handle(connection, "ana") is None
            assert member_queries.credentials(connection, "ana") is None
        assert north.get("/users/ana").status_code == 410
