"""Writes the metrics down in the text format of Prometheus; its library is loaded when somebody first asks."""

import time
from collections.abc import Iterator
from itertools import accumulate

import structlog
from prometheus_client import CollectorRegistry, Info, ProcessCollector, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from fedaid import __version__
from fedaid.admin.metrics.catalogue import HELD, INFO, OF_PROCESS, Counted, Held, Measured
from fedaid.admin.metrics.gauges import Holding, read
from fedaid.admin.metrics.tallies import Tallies
from fedaid.foundation.clock import Clock
from fedaid.foundation.database import Database
from fedaid.foundation.tally import BOUNDS

_UP = next(one for one in HELD if one.name == "fedaid_database_up")

_log = structlog.get_logger()


class Exposition(Collector):
    """Everything that may be watched, of this process and of its database, which is asked at most every few seconds."""

    def __init__(
        self, database: Database, clock: Clock, tallies: Tallies, *, letters_max: int, gauges_seconds: float
    ) -> None:
        self._database = database
        self._clock = clock
        self._tallies = tallies
        self._letters_max = letters_max
        self._gauges_seconds = gauges_seconds
        self._holding: Holding | None = None
        self._read_at = 0.0
        self._registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._registry)
        Info(*INFO, registry=self._registry).info({"version": __version__})
        self._registry.register(self)

    def text(self) -> bytes:
        """All of them as they are now. To be called in a thread, one at a time."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """What the library asks for."""
        for one in OF_PROCESS:
            yield _counted(one, self._tallies) if isinstance(one, Counted) else _measured(one, self._tallies)
        holding = self._held()
        if holding is None:
            yield GaugeMetricFamily(_UP.name, _UP.meaning, value=0)
            return
        for held in HELD:
            yield _gauge(held, holding)

    def _held(self) -> Holding | None:
        """What was read last, if that is not too long ago; None where the database is away."""
        if self._holding is not None and time.monotonic() - self._read_at < self._gauges_seconds:
            return self._holding
        try:
            with self._database.read() as connection:
                self._holding = read(connection, self._clock.now(), self._letters_max)
        except SQLAlchemyError as failure:
            _log.warning("metrics_database_failed", error=type(failure).__name__)
            self._holding = None
        self._read_at = time.monotonic()
        return self._holding


def _counted(one: Counted, tallies: Tallies) -> Metric:
    family = CounterMetricFamily(one.name, one.meaning, labels=one.labels)
    for labels, count in one.read(tallies).read().items():
        family.add_metric(labels, count)
    return family


def _measured(one: Measured, tallies: Tallies) -> Metric:
    family = HistogramMetricFamily(one.name, one.meaning, labels=one.labels)
    for labels, spread in one.read(tallies).read().items():
        bounds = [*map(str, BOUNDS), "+Inf"]
        family.add_metric(labels, list(zip(bounds, accumulate(spread.counts), strict=True)), spread.seconds)
    return family


def _gauge(held: Held, holding: Holding) -> Metric:
    family = GaugeMetricFamily(held.name, held.meaning, labels=held.labels)
    for labels, value in held.read(holding).items():
        family.add_metric(labels, value)
    return family
