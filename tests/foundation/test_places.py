"""Positions are blurred to a grid, and distances are those of a map."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedaid.foundation.places import approximate, distance_km, on_earth


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_a_position_is_blurred_to_a_grid_on_which_it_stays(lat: float, lon: float) -> None:
    near = approximate(lat, lon)
    assert approximate(*near) == near
    assert abs(near[0] - lat) <= 0.0026


def test_neighbours_on_the_same_street_have_the_same_position() -> None:
    assert approximate(51.52031, -0.08991) == approximate(51.51987, -0.09049) == (51.52, -0.0884)


@pytest.mark.parametrize(("lat", "lon"), [(91.0, 0.0), (0.0, 181.0), (float("nan"), 0.0), (0.0, float("inf"))])
def test_what_is_no_place_on_earth_is_known(lat: float, lon: float) -> None:
    assert not on_earth(lat, lon)


@pytest.mark.parametrize(
    ("one", "other", "km"),
    [
        ((51.5, -0.1), (51.5, -0.1), 0.0),
        ((51.5, -0.1), (51.6, -0.1), 11.1),
        ((51.5, -0.1), (51.5, 0.0), 6.9),
        ((-18.0, 179.9), (-18.0, -179.9), 21.2),  # across the date line, not around the earth
    ],
)
def test_distances_are_those_of_a_map(one: tuple[float, float], other: tuple[float, float], km: float) -> None:
    assert distance_km(one, other) == distance_km(other, one) == pytest.approx(km, abs=0.06)
