"""From where pages look for what fits: the house, its clock, and the limits of matching."""

from collections.abc import Sequence
from dataclasses import dataclass

from fedaid.board.pages.wording import Shown, shown
from fedaid.foundation.pages import House
from fedaid.foundation.viewer import Viewer
from fedaid.matching.limits import MatchingLimits
from fedaid.matching.queries import Looking, Suggested
from fedaid.matching.rules import Fit


def looking_from(house: House, limits: MatchingLimits) -> Looking:
    """Now, in this house."""
    return Looking(house.units.clock.now(), house.names.host, house.federation, limits)


@dataclass(frozen=True)
class Seen:
    """A suggested listing in the viewer's own words, with why."""

    one: Shown
    fit: Fit


def seen(viewer: Viewer, looking: Looking, found: Sequence[Suggested]) -> Sequence[Seen]:
    """Suggested listings as a page shows them."""
    return [Seen(shown(one.noticed, viewer, looking.now), one.fit) for one in found]
