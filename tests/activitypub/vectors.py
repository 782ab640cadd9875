"""Where the test vectors are (their sources: tests/vectors/README.md)."""

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings

VECTORS = Path(__file__).parents[1] / "vectors"


# The machines that run these tests are shared, so that time says nothing about them.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def vector(name: str) -> Any:
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


def sample(name: str) -> dict[str, Any]:
    return dict(vector(f"samples/{name}.json"))
