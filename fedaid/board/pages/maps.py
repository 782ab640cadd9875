"""The map of the board: where things are, roughly, as a list and as a picture that the server draws.

No script and, until an admin names a server of map tiles, nobody else is asked for anything. Positions are those of
the listings, which are blurred to about 500 m already.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from fedaid.board import queries
from fedaid.board.pages.show import filters_of, link, with_position
from fedaid.board.pages.wording import Shown, shown
from fedaid.foundation.pages import CONTENT_SECURITY_POLICY, house, render, viewer
from fedaid.foundation.places import KM_PER_DEGREE, narrowing

SHOWN_MAX: Final = 200
WIDTH, HEIGHT, MARGIN = 640, 480, 48  # of the picture, in its own units
TILE: Final = 256
ZOOM_MAX: Final = 15  # nearer than a listing says where it is
SKETCH_ZOOMS: Final = 4  # between one whole zoom and the next, for a sketch
LATITUDE_MAX: Final = 85.0511  # as far as this projection goes (EPSG:3857)
SCALES_KM: Final = (50, 20, 10, 5, 2, 1, 0.5)


@dataclass(frozen=True)
class Dot:
    """Where one or several listings are, in the units of the picture; ``number`` stands in the list as well."""

    number: int
    x: float
    y: float
    kind: str
    listings: Sequence[Shown]


@dataclass(frozen=True)
class Tile:
    """A square of the map that another server draws."""

    address: str
    x: float
    y: float


@dataclass(frozen=True)
class Sketch:
    """The picture. ``scale`` is how long a line of ``scale_km`` kilometres is."""

    dots: Sequence[Dot]
    tiles: Sequence[Tile]
    scale: float
    scale_km: float


def map_page(request: Request) -> Response:
    """Where the listings are that the filters in the address find."""
    home, who = house(request), viewer(request)
    now = home.units.clock.now()
    with home.database.read() as connection:
        filters = with_position(home, connection, who, filters_of(request))
        found = queries.on_map(connection, who, filters, now, home.names.host, SHOWN_MAX, home.federation)
        one_of_many = len(found) >= SHOWN_MAX
    picture = sketch([shown(one, who, now) for one in found], home.map_tiles)
    answer = render(
        request,
        "board/map.html",
        sketch=picture,
        filters=filters,
        width=WIDTH,
        height=HEIGHT,
        credit=home.map_credit if home.map_tiles else "",
        shown_max=SHOWN_MAX if one_of_many else 0,
        board_link=link(request),
    )
    if home.map_tiles:
        tiles = urlsplit(home.map_tiles)
        wider = CONTENT_SECURITY_POLICY.replace("img-src 'self'", f"img-src 'self' {tiles.scheme}://{tiles.netloc}")
        answer.headers["Content-Security-Policy"] = wider
    return answer


def sketch(found: Sequence[Shown], tiles: str = "") -> Sketch | None:
    """The picture of these listings; None where none of them says where it is."""
    places: dict[tuple[float, float], list[Shown]] = {}
    for one in found:
        if one.listing.lat is not None and one.listing.lon is not None:
            places.setdefault((one.listing.lat, one.listing.lon), []).append(one)
    if not places:
        return None
    zoom = _zoom(list(places), steps=1 if tiles else SKETCH_ZOOMS)
    points = {place: _pixels(place, zoom) for place in places}
    left, top = _corner(list(points.values()))
    dots = [
        Dot(number, round(points[place][0] - left, 1), round(points[place][1] - top, 1), _kind(those), those)
        for number, (place, those) in enumerate(places.items(), 1)
    ]
    middle = sum(lat for lat, _ in places) / len(places)
    per_km = TILE * 2**zoom / 360 / KM_PER_DEGREE / narrowing(middle)
    scale_km = next((km for km in SCALES_KM if km * per_km <= WIDTH / 3), SCALES_KM[-1])
    return Sketch(dots, _tiles(tiles, left, top, int(zoom)) if tiles else (), round(scale_km * per_km, 1), scale_km)


def _kind(those: Sequence[Shown]) -> str:
    kinds = {str(one.listing.kind) for one in those}
    return kinds.pop() if len(kinds) == 1 else "both"


def _pixels(place: tuple[float, float], zoom: float) -> tuple[float, float]:
    """Web Mercator, as map tiles are drawn (EPSG:3857)."""
    lat, lon = max(-LATITUDE_MAX, min(LATITUDE_MAX, place[0])), place[1]
    world = TILE * 2**zoom
    north = math.asinh(math.tan(math.radians(lat)))
    return (lon + 180) / 360 * world, (1 - north / math.pi) / 2 * world


def _zoom(places: Sequence[tuple[float, float]], steps: int) -> float:
    """The nearest at which all of them are in the picture; tiles are drawn at whole ones only."""
    lats, lons = [lat for lat, _ in places], [lon for _, lon in places]
    west, north = _pixels((max(lats), min(lons)), 0)
    east, south = _pixels((min(lats), max(lons)), 0)
    for step in range(ZOOM_MAX * steps, 0, -1):
        zoom = step / steps
        larger = 2**zoom
        if (east - west) * larger <= WIDTH - 2 * MARGIN and (south - north) * larger <= HEIGHT - 2 * MARGIN:
            return zoom
    return 0.0


def _corner(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Upper left, with the points in the middle."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return (min(xs) + max(xs) - WIDTH) / 2, (min(ys) + max(ys) - HEIGHT) / 2


def _tiles(address: str, left: float, top: float, zoom: int) -> Sequence[Tile]:
    most = 2**zoom
    return [
        Tile(
            address.replace("{z}", str(zoom)).replace("{x}", str(column % most)).replace("{y}", str(row)),
            round(column * TILE - left, 1),
            round(row * TILE - top, 1),
        )
        for row in range(math.floor(top / TILE), math.floor((top + HEIGHT) / TILE) + 1)
        if 0 <= row < most
        for column in range(math.floor(left / TILE), math.floor((left + WIDTH) / TILE) + 1)
    ]
