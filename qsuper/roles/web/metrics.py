"""What Prometheus is told: the picture of the node, number by number."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from qsuper.picture import CAP, Histogram, Picture
from qsuper.roles.web import numbers
from qsuper.roles.web.numbers import Histograms, Numbers


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. Counters and histograms count from the start of the master on."""

    name: str
    kind: Literal["gauge", "counter", "histogram"]
    labels: tuple[str, ...]
    help: str
    read: Callable[[Picture], Numbers] | Callable[[Picture], Histograms]

    def family(self, picture: Picture) -> Family:
        family: Any = _FAMILIES[self.kind](self.name, self.help, labels=self.labels)
        for labels, value in self.read(picture):
            if isinstance(value, Histogram):
                family.add_metric(labels, list(_cumulative(value)), value.seconds)
            else:
                family.add_metric(labels, value)
        made: Family = family
        return made


METRICS: tuple[Metric, ...] = (
    Metric(
        "qsuper_queue_latency_seconds",
        "gauge",
        ("queue",),
        "How long the oldest ready job of the queue has waited; 0 when none waits.",
        numbers.latency,
    ),
    Metric(
        "qsuper_jobs",
        "gauge",
        ("queue", "state"),
        f"Jobs in the table, each state counted up to {CAP}: {CAP + 1} means more.",
        numbers.jobs,
    ),
    Metric(
        "qsuper_attempts_total",
        "counter",
        ("task", "outcome"),
        "Attempts by how they ended; failed is tried again, dead is not.",
        numbers.attempts,
    ),
    Metric(
        "qsuper_wait_seconds",
        "histogram",
        ("queue",),
        "How long jobs had waited beyond their time when they began.",
        numbers.waits,
    ),
    Metric(
        "qsuper_run_seconds",
        "histogram",
        ("task",),
        "How long attempts ran.",
        numbers.runs,
    ),
    Metric(
        "qsuper_workers",
        "gauge",
        ("queue", "state"),
        "Workers of this node by state.",
        numbers.workers,
    ),
    Metric(
        "qsuper_workers_wanted",
        "gauge",
        ("queue",),
        "Workers this node is to have.",
        numbers.workers_wanted,
    ),
    Metric(
        "qsuper_queue_paused",
        "gauge",
        ("queue",),
        "1 while the queue is paused, on every node.",
        numbers.queue_paused,
    ),
    Metric(
        "qsuper_up",
        "gauge",
        (),
        "1 while the master says how its children are, 0 once it is silent for some seconds.",
        numbers.up,
    ),
    Metric(
        "qsuper_paused",
        "gauge",
        (),
        "1 while this node is paused and begins no job.",
        numbers.paused,
    ),
    Metric(
        "qsuper_degraded",
        "gauge",
        ("kind",),
        "What is wrong, as the top of `qsuper status` has it: so many troubles of a kind.",
        numbers.degraded,
    ),
    Metric(
        "qsuper_lease_left_seconds",
        "gauge",
        (),
        "How long the lease of this node still lasts; below 0 it has ended.",
        numbers.lease_left,
    ),
    Metric(
        "qsuper_count_age_seconds",
        "gauge",
        (),
        "How long ago the jobs were counted: while the database is away, the counts are old.",
        numbers.count_age,
    ),
    Metric(
        "qsuper_exits_total",
        "counter",
        ("cause",),
        "Ends of child processes by cause.",
        numbers.exits,
    ),
    Metric(
        "qsuper_claim_conflicts_total",
        "counter",
        (),
        "Rows that another worker took between look and claim.",
        numbers.counter("conflicts"),
    ),
    Metric(
        "qsuper_helps_total",
        "counter",
        (),
        "Jobs that workers took from slices that are not their own.",
        numbers.counter("helps"),
    ),
    Metric(
        "qsuper_fenced_acks_total",
        "counter",
        (),
        "Ends of jobs that were refused because the claim was no longer the worker's.",
        numbers.counter("fenced"),
    ),
    Metric(
        "qsuper_timer_lateness_seconds",
        "histogram",
        ("of",),
        "How long after their time timers, and watched keys, fired.",
        numbers.lateness,
    ),
    Metric(
        "qsuper_watched_keys_fired_total",
        "counter",
        (),
        "Watched keys whose expiry became jobs.",
        numbers.counter("fired"),
    ),
    Metric(
        "qsuper_presumed_firings_total",
        "counter",
        (),
        "Those of them that were gone without an event that told why.",
        numbers.counter("presumed"),
    ),
    Metric(
        "qsuper_missed_schedules_total",
        "counter",
        (),
        "Due times of schedules that made no job because nobody was there.",
        numbers.counter("missed"),
    ),
    Metric(
        "qsuper_database_reconnects_total",
        "counter",
        (),
        "How often a child has found the database again after it was away.",
        numbers.counter("database_reconnects"),
    ),
    Metric(
        "qsuper_redis_reconnects_total",
        "counter",
        (),
        "How often the listener has found Redis again after it was away.",
        numbers.counter("redis_reconnects"),
    ),
    Metric(
        "qsuper_child_memory_bytes",
        "gauge",
        ("child",),
        "Memory of a child, its share of what it shares (PSS).",
        numbers.memory,
    ),
    Metric(
        "qsuper_start_time_seconds",
        "gauge",
        (),
        "Unix time at which the master has started.",
        numbers.started,
    ),
    Metric(
        "qsuper_build_info",
        "gauge",
        ("version", "node"),
        "1; which version runs, as which node.",
        numbers.build,
    ),
)
"""All of them, in the order in which they are told."""


def render(picture: Picture) -> tuple[bytes, str]:
    """What `/metrics` answers, and its content type."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(picture))
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _Collected(Collector):
    """One picture as prometheus-client asks for it."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture

    def collect(self) -> Iterator[Family]:
        for metric in METRICS:
            yield metric.family(self._picture)


_FAMILIES: dict[str, Callable[..., Any]] = {
    "gauge": GaugeMetricFamily,
    "counter": CounterMetricFamily,
    "histogram": HistogramMetricFamily,
}


def _cumulative(histogram: Histogram) -> Iterator[tuple[str, int]]:
    bounds = [*map(str, histogram.bounds), "+Inf"]
    below = 0
    for bound, count in zip(bounds, histogram.counts, strict=True):
        below += count
        yield bound, below
