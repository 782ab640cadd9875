"""Ana, Bea and Kim of the directory's tests, and Cora who coordinates, in a house that writes notices."""

from dataclasses import dataclass
from typing import Any

from starlette.testclient import TestClient

import fedaid.notices.pages
from fedaid.board import commands as board
from fedaid.board.limits import BoardLimits
from fedaid.board.queries import Listing
from fedaid.foundation.database import Database
from fedaid.foundation.viewer import Role, Viewer
from fedaid.foundation.work import UnitsOfWork, Work
from fedaid.members import commands as members
from fedaid.members import queries as member_queries
from fedaid.members.limits import MemberLimits
from fedaid.notices import queries
from fedaid.notices.commands.telling import ANNOUNCERS
from fedaid.notices.limits import MailLimits, NoticeLimits
from fedaid.notices.live import Live
from fedaid.notices.queries.shown import Reader, Shown, shown
from tests.matching.street import Street
from tests.skills.neighbours import Neighbours, announcers, build_neighbours, joined, signed_in
from tests.small_house import browser, some_keys

LIMITS = NoticeLimits(
    page_rows_max=5,
    live_pages_per_member_max=2,
    live_pages_max=3,
    live_look_seconds=0.02,
    live_heartbeat_seconds=0.2,
)


@dataclass
class Town:
    """What the tests of notices work with."""

    street: Street
    cora: Viewer
    live: Live
    mail: MailLimits

    @property
    def people(self) -> Neighbours:
        return self.street.people

    @property
    def ana(self) -> Viewer:
        return self.street.ana

    @property
    def bea(self) -> Viewer:
        return self.street.bea

    @property
    def kim(self) -> Viewer:
        return self.street.kim

    @property
    def units(self) -> UnitsOfWork:
        units: UnitsOfWork = self.people.units
        return units

    def post(self, title: str = "Help with a sofa", **more: Any) -> Listing:
        """A request of Ana's."""
        return self.street.post(self.ana, title, **more)

    def answer(self, listing: Listing, who: Viewer | None = None, message: str = "") -> int:
        with self.units.begin() as work:
            return board.respond(work, who or self.bea, listing.id, message)

    def accept(self, response_id: int) -> int:
        with self.units.begin() as work:
            return board.accept_response(work, self.ana, response_id)

    def notices(self, who: Viewer) -> list[Shown]:
        """As they stand on the page, newest first."""
        reader = Reader(who, "northside.example")
        with self.units.database.read() as connection:
            found = queries.page(connection, who.member_id or 0, 1_000)
            return [shown(connection, reader, one) for one in found]

    def kinds(self, who: Viewer) -> list[str]:
        return [str(one.kind) for one in self.notices(who)]

    def unread(self, who: Viewer) -> int:
        with self.units.database.read() as connection:
            return queries.count_unread(connection, who.member_id)

    def again(self, who: Viewer) -> Viewer:
        """The member as they are now."""
        with self.units.database.read() as connection:
            found = member_queries.by_handle(connection, who.handle)
        assert found
        return member_queries.viewer_of(found)

    def browser(self, who: Viewer) -> TestClient:
        routes = [
            *fedaid.notices.pages.routes(LIMITS, self.mail, MemberLimits(), BoardLimits(), self.live),
            *self.people.routes(),
        ]
        found = browser(self.people.world.house, routes, unread=queries.count_unread, mails=self.mail.is_on)
        return signed_in(found, self.units, who)


def build_town(database: Database) -> Town:
    people = build_neighbours(database)
    house = people.world.house
    units = UnitsOfWork(database, house.clock, house.names, joined(announcers(), ANNOUNCERS))
    people.world.units = house.units = units
    with units.begin() as work:
        cora = _coordinator(work)
    return Town(Street(people), cora, Live(database, house.clock, LIMITS), MailLimits())


def _coordinator(work: Work) -> Viewer:
    added = members.add_member(
        work, "cora", "x", name="Cora", email="cora@mail.example", role=Role.COORDINATOR, keys=some_keys()
    )
    return member_queries.viewer_of(added)
