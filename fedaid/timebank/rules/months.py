"""Hours month by month: where the last twelve months begin, and how their bars stand in a chart."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

MONTHS = 12
TOPS_MINUTES = (60, 120, 240, 360, 480, 600, 900, 1_200, 1_800, 2_400, 3_600, 6_000)
BAR_WIDTH, MONTH_WIDTH, BAR_HEIGHT_MAX, BAR_HEIGHT_MIN = 14, 24, 60, 1.5  # in units of the drawing


@dataclass(frozen=True)
class Month:
    """What one account gave and received in a month; ``starts`` is its first moment there."""

    starts: datetime
    given_minutes: int
    received_minutes: int


@dataclass(frozen=True)
class Bar:
    """A month's two bars: their ``left`` edge, and how high the one above (given) and the one below (received) is."""

    month: Month
    left: int
    width: int
    given_height: float
    received_height: float


@dataclass(frozen=True)
class Chart:
    """The bars of some months; one of ``top_minutes`` would be as high as ``bar_height_max``, up or down."""

    bars: Sequence[Bar]
    top_minutes: int
    bar_height_max: int = BAR_HEIGHT_MAX

    @property
    def width(self) -> int:
        """Of all the months side by side."""
        return MONTH_WIDTH * len(self.bars)

    @property
    def months(self) -> Sequence[Month]:
        """The months, oldest first."""
        return [bar.month for bar in self.bars]

    @property
    def given_minutes(self) -> int:
        """Given in all of them."""
        return sum(month.given_minutes for month in self.months)

    @property
    def received_minutes(self) -> int:
        """Received in all of them."""
        return sum(month.received_minutes for month in self.months)

    @property
    def is_empty(self) -> bool:
        """Whether nothing moved in any of them."""
        return not (self.given_minutes or self.received_minutes)


def last_months(now: datetime, zone: ZoneInfo, count: int = MONTHS) -> list[datetime]:
    """The first moments of the last so many months in this zone, oldest first, with the present month as the last."""
    here = now.astimezone(zone)
    this_month = here.year * 12 + here.month - 1
    places = range(this_month - count + 1, this_month + 1)
    return [datetime(place // 12, place % 12 + 1, 1, tzinfo=zone) for place in places]


def chart_of(months: Sequence[Month]) -> Chart:
    """Bars for these months, all by one measure: a figure that people can read off, as high as the highest needs."""
    highest = max((max(one.given_minutes, one.received_minutes) for one in months), default=0)
    top = next((top for top in TOPS_MINUTES if top >= highest), highest)
    bars = [
        Bar(
            month,
            place * MONTH_WIDTH + (MONTH_WIDTH - BAR_WIDTH) // 2,
            BAR_WIDTH,
            _height(month.given_minutes, top),
            _height(month.received_minutes, top),
        )
        for place, month in enumerate(months)
    ]
    return Chart(bars, top)


def _height(minutes: int, top: int) -> float:
    """Never so low that a bar cannot be seen."""
    return max(BAR_HEIGHT_MIN, round(minutes * BAR_HEIGHT_MAX / top, 1)) if minutes else 0.0
