"""Northside with Ana, Bea and Kim, a garden circle of Ana and Bea, and browsers of them over the pages of the app."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.testclient import TestClient

import fedaid.matching.commands
import fedaid.skills.pages
import fedaid.web.pages
from activitypub.errors import FetchFailed
from fedaid.actors.pages import by_handle
from fedaid.actors.rules import Kind as ActorKind
from fedaid.board import pages as board_pages
from fedaid.board import queries as board
from fedaid.board.limits import BoardLimits
from fedaid.foundation.database import Database
from fedaid.foundation.viewer import SIGNED_OUT, Viewer
from fedaid.foundation.work import Announcer, UnitsOfWork
from fedaid.groups import commands as groups
from fedaid.matching import pages
from fedaid.matching.limits import MatchingLimits
from fedaid.media.limits import MediaLimits
from fedaid.media.proxy import PictureProxy
from fedaid.members import commands as members
from fedaid.members.limits import MemberLimits
from fedaid.skills import commands, queries
from fedaid.skills.limits import SkillLimits
from fedaid.skills.queries import Entry, People, Search
from fedaid.skills.rules import Preferences, Skill, Visibility, Window
from tests.board.world import World, _member, build_world
from tests.board.world import announcers as board_announcers
from tests.small_house import browser, some_keys

NOBODY = SIGNED_OUT
LIMITS = SkillLimits()
NOT_ASKED: Any = None  # no test here looks at another network
HTML = {"Accept": "text/html"}


class NoFiles:
    """Other servers have no pictures in these tests."""

    async def fetch_file(self, url: str, kinds: Collection[str], bytes_max: int) -> bytes:
        raise FetchFailed("not_found", "There is none.", permanent=True)


@dataclass
class Neighbours:
    """What the tests of the directory and of matching work with."""

    world: World
    kim: Viewer
    garden: int

    @property
    def ana(self) -> Viewer:
        return self.world.ana

    @property
    def bea(self) -> Viewer:
        return self.world.bea

    @property
    def units(self) -> Any:
        return self.world.units

    def add(self, who: Viewer, title: str, category: str = "", **more: Any) -> int:
        """A skill in the directory."""
        with self.units.begin() as work:
            slugs = [one.slug for one in board.categories(work.connection)]
            return commands.add_skill(work, who, Skill(title, category, **more), slugs, LIMITS)

    def add_for_garden(self, who: Viewer, title: str, category: str = "") -> int:
        """A skill that only the garden circle may read."""
        return self.add(who, title, category, visibility=Visibility.GROUP, group_id=self.garden)

    def free(self, who: Viewer, *windows: Window) -> None:
        with self.units.begin() as work:
            commands.add_windows(work, who, windows, LIMITS)

    def prefer(self, who: Viewer, **chosen: Any) -> None:
        with self.units.begin() as work:
            commands.set_preferences(work, who, Preferences(**chosen))

    def join_garden(self, who: Viewer) -> None:
        with self.units.begin() as work:
            groups.join(work, self.garden, who.member_id or 0)

    def find(self, who: Viewer, per_page: int = 20, **search: Any) -> People:
        with self.world.house.database.read() as connection:
            return queries.people(connection, who, Search(**search), per_page)

    def names(self, who: Viewer, **search: Any) -> list[str]:
        """The handles of those who are found."""
        return [one.handle for one in self.find(who, **search).people]

    def entries(self, who: Viewer, of: Viewer) -> Sequence[Entry]:
        with self.world.house.database.read() as connection:
            return queries.entries_of(connection, who, [of.member_id or 0])[of.member_id or 0]

    def routes(self) -> list[Any]:
        return [
            *fedaid.web.pages.routes(MatchingLimits(), BoardLimits()),
            *pages.routes(MatchingLimits(), NOT_ASKED),
            *fedaid.skills.pages.routes(LIMITS, board.categories, NOT_ASKED),
            *board_pages.routes(BoardLimits(), PictureProxy(self.units, NoFiles(), MediaLimits())),
            by_handle({ActorKind.PERSON: fedaid.web.pages.profile, ActorKind.GROUP: board_pages.group_board}),
        ]

    def browser(self, who: Viewer = NOBODY, **house: Any) -> TestClient:
        beside, on_cards = (make(MatchingLimits()) for make in (pages.beside_listing, pages.on_cards))
        found = browser(self.world.house, self.routes(), beside_listing=beside, on_cards=on_cards, **house)
        return signed_in(found, self.units, who)


def signed_in(found: TestClient, units: UnitsOfWork, who: Viewer) -> TestClient:
    """The browser, with somebody signed in to it; with nobody, where they are no member."""
    found.headers.update(HTML)
    if who.member_id is not None:
        with units.begin() as work:
            secret = members.sign_in(work, who.member_id, "test", MemberLimits())
        home: Any = found.app
        found.cookies.set(home.state.house.cookie_name, secret)
    return found


def joined(*rooms: Mapping[type, Sequence[Announcer]]) -> Mapping[type, Sequence[Announcer]]:
    """Who is told of each fact by several rooms, in their order."""
    found: dict[type, tuple[Announcer, ...]] = {}
    for room in rooms:
        for fact, told in room.items():
            found[fact] = (*found.get(fact, ()), *told)
    return found


def build_neighbours(database: Database) -> Neighbours:
    """The street as every test finds it: nobody has said anything yet."""
    world = build_world(database)
    units = UnitsOfWork(database, world.house.clock, world.house.names, announcers())
    world.units = world.house.units = units
    world.house.clock.pass_seconds(1)  # Kim came last
    with world.units.begin() as work:
        kim = _member(work, "kim", "Kim Kestrel")
        garden = groups.add_group(work, "garden", "Garden circle", keys=some_keys())
        for one in (world.ana, world.bea):
            groups.join(work, garden.id, one.member_id or 0)
    return Neighbours(world, kim, garden.id)


def announcers() -> Mapping[type, Sequence[Announcer]]:
    """Everything below matching, and matching."""
    return joined(board_announcers(), fedaid.matching.commands.ANNOUNCERS)


def saturday(start: int, end: int) -> Window:
    """On Saturdays, from hour to hour."""
    return Window(5, start * 60, end * 60)
