"""Ana, Bea and Kim of the directory's tests, with what they post, and what matching says to each of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fedaid.actors import commands as actors
from fedaid.board import commands as board
from fedaid.board import queries as listings
from fedaid.board.queries import Listing
from fedaid.board.rules import Kind, Posting
from fedaid.foundation.federation import Federation
from fedaid.foundation.viewer import Viewer
from fedaid.matching import commands, queries
from fedaid.matching.limits import MatchingLimits
from fedaid.matching.queries import Looking, Suggested, Waiting
from tests.board.world import BOARD, RIVER_BOARD, activity, foreign_note
from tests.skills.neighbours import Neighbours
from tests.small_house import remote_actor


@dataclass
class Street:
    """What the tests of matching work with."""

    people: Neighbours

    @property
    def ana(self) -> Viewer:
        return self.people.ana

    @property
    def bea(self) -> Viewer:
        return self.people.bea

    @property
    def kim(self) -> Viewer:
        return self.people.kim

    def looking(self, **limits: Any) -> Looking:
        clock = self.people.world.house.clock
        return Looking(clock.now(), "northside.example", Federation.OPEN, MatchingLimits(**limits))

    def post(self, who: Viewer, title: str, category: str = "", kind: Kind = Kind.REQUEST, **more: Any) -> Listing:
        now = self.people.world.now
        posting = Posting(kind, title, now + timedelta(days=20), category=category, time_zone="Europe/London", **more)
        with self.people.units.begin() as work:
            number = board.post_listing(work, who, BOARD, posting)
        return self.people.world.listing(number)

    def offer(self, who: Viewer, title: str, category: str = "", **more: Any) -> Listing:
        return self.post(who, title, category, Kind.OFFER, **more)

    def neighbouring(self, number: int = 7, *, may_be_found: bool = True, **changes: Any) -> Listing:
        """A listing of Riverside's board, which as a fedaid says that it may be found by its words (FEP-5feb)."""
        world = self.people.world
        with world.units.begin() as work:
            actors.remember(work, remote_actor(RIVER_BOARD, "Group", name="Riverside", indexable=may_be_found))
        note = foreign_note(number, **changes)
        assert world.receive(activity("Create", RIVER_BOARD, note, number))
        found = world.listing_at(note["id"])
        assert found is not None
        return found

    def helpers(self, author: Viewer, request: Listing, **limits: Any) -> list[str]:
        """The handles of those who could be asked."""
        with self.people.world.house.database.read() as connection:
            found = queries.neighbours_for(connection, author, request, self.looking(**limits), 9)
        return [one.person.handle for one in found]

    def ask(self, author: Viewer, request: Listing, whom: Collection[Viewer], **limits: Any) -> int:
        with self.people.units.begin() as work:
            chosen = {one.member_id or 0 for one in whom}
            return commands.ask_neighbours(work, author, request.id, chosen, self.looking(**limits))

    def waiting(self, who: Viewer) -> Sequence[Waiting]:
        with self.people.world.house.database.read() as connection:
            return queries.waiting_asks(connection, who, self.looking())

    def fits_me(self, who: Viewer) -> list[str]:
        """The titles of the requests that are suggested to somebody."""
        with self.people.world.house.database.read() as connection:
            return titles(queries.requests_for_me(connection, who, self.looking()))

    def pass_days(self, days: float) -> None:
        self.people.world.house.clock.pass_seconds(days * 86_400)

    def again(self, found: Listing) -> Listing:
        with self.people.world.house.database.read() as connection:
            again = listings.any_listing(connection, found.id)
        assert again is not None
        return again


def titles(found: Sequence[Suggested]) -> list[str]:
    return [one.noticed.listing.title for one in found]
