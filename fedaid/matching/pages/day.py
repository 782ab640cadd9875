"""What matching has for My day: who asks me, what fits me, and what is new for the searches I keep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from sqlalchemy import Connection

from fedaid.board import queries as board
from fedaid.board.pages.show import with_position
from fedaid.board.pages.wording import shown
from fedaid.foundation.pages import House
from fedaid.foundation.viewer import Viewer
from fedaid.matching import queries
from fedaid.matching.limits import MatchingLimits
from fedaid.matching.pages.looking import Seen, looking_from, seen
from fedaid.matching.queries import Ask, Looking, News
from fedaid.matching.rules import Fit
from fedaid.skills.rules import LANGUAGES


@dataclass(frozen=True)
class AsksMe:
    """Somebody's request that I was asked about, in my own words, with why it was me."""

    ask: Ask
    one: object
    fit: Fit | None


@dataclass(frozen=True)
class ForMe:
    """Everything of it; ``kinds`` and ``languages`` are the names that the reasons are told with."""

    asks: Sequence[AsksMe]
    fitting: Sequence[Seen]
    news: Sequence[News]
    kinds: Mapping[str, str]
    languages: Mapping[str, str]


def for_my_day(house: House, limits: MatchingLimits, viewer: Viewer, connection: Connection) -> ForMe:
    """What to show a member on their day."""
    looking = looking_from(house, limits)
    asks = [
        AsksMe(one.ask, shown(one.noticed, viewer, looking.now), one.fit)
        for one in queries.waiting_asks(connection, viewer, looking)
    ]
    asked = {one.ask.listing_id for one in asks}
    fitting = seen(viewer, looking, queries.requests_for_me(connection, viewer, looking))
    return ForMe(
        asks,
        [one for one in fitting if one.one.listing.id not in asked],
        _news(house, connection, viewer, looking),
        {one.slug: one.name for one in board.categories(connection)},
        LANGUAGES,
    )


def _news(house: House, connection: Connection, viewer: Viewer, looking: Looking) -> Sequence[News]:
    found = []
    for search in queries.searches_of(connection, viewer.member_id or 0):
        filters = board.read_filters(dict(parse_qsl(search.query)), signed_in=True)
        filters = with_position(house, connection, viewer, filters)
        since = replace(filters, before=None, after=search.seen_listing_id)
        found.append(queries.news_of(connection, viewer, search, since, looking))
    return found
