"""Where things are, roughly: positions blurred so that they give nobody's door away, and how far apart two are."""

import math
from typing import Final

GRID_DEGREES: Final = 0.005  # of latitude: 556 m
KM_PER_DEGREE: Final = 111.32  # of latitude
_NARROWEST: Final = 0.01  # degrees of longitude at the poles are still something


def on_earth(lat: float, lon: float) -> bool:
    """Whether these degrees name a place."""
    return math.isfinite(lat) and math.isfinite(lon) and abs(lat) <= 90 and abs(lon) <= 180


def approximate(lat: float, lon: float) -> tuple[float, float]:
    """The nearest point of a grid of about 500 m: everybody near it has the same, so it gives nobody's door away."""
    near_lat = max(-90.0, min(90.0, round(lat / GRID_DEGREES) * GRID_DEGREES))
    lon_step = GRID_DEGREES / narrowing(near_lat)
    near_lon = max(-180.0, min(180.0, round(lon / lon_step) * lon_step))
    return round(near_lat, 4), round(near_lon, 4)


def narrowing(lat: float) -> float:
    """How much shorter a degree of longitude is there than one of latitude, from 1 down to 0.01."""
    return max(math.cos(math.radians(lat)), _NARROWEST)


def distance_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """How far apart two near positions are, on a flat map; right to a percent within a few hundred kilometres."""
    (lat, lon), (other_lat, other_lon) = one, other
    across = abs(lon - other_lon)
    east = min(across, 360 - across) * narrowing((lat + other_lat) / 2)
    return KM_PER_DEGREE * math.hypot(lat - other_lat, east)
