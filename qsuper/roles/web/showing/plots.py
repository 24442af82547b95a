"""What the history holds, as charts."""

from collections.abc import Sequence

from qsuper.history import DAY, HOUR, Point
from qsuper.picture.totals import Decision, Histogram, runs, waits
from qsuper.roles.web.showing.charts import Chart, Line
from qsuper.roles.web.showing.wording import lasting, number
from qsuper.scoreboard import no_runs, no_waits

_PARTS = ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
_FAILURES = ("failed", "dead")


def charts(
    points: Sequence[Point],
    decisions: Sequence[Decision],
    *,
    together: int,
    now: float,
    hours: int,
) -> list[Chart]:
    """The last so many hours; so many points are drawn as one."""
    width = (HOUR if hours == 1 else DAY).width * together
    groups = _groups(points, width, now, hours)
    times = list(groups)
    of = list(groups.values())
    waited, ran = [_waited(group) for group in of], [_ran(group) for group in of]
    return [
        Chart(
            "throughput",
            "Jobs done per second",
            times,
            [Line("done", [_rate(group, "done") for group in of])],
            number,
        ),
        Chart(
            "failures",
            "Attempts that failed",
            times,
            [Line(word, [_ended(group, word) for group in of]) for word in _FAILURES],
            number,
            steps=True,
            least_top=3,
        ),
        Chart("waits", "How long jobs waited", times, _percentiles(waited), lasting, least_top=0.1),
        Chart("runs", "How long jobs ran", times, _percentiles(ran), lasting, least_top=0.1),
        Chart(
            "workers",
            "Workers",
            times,
            [
                Line("wanted", [group[-1].wanted if group else None for group in of]),
                Line("running", [group[-1].running if group else None for group in of]),
            ],
            number,
            steps=True,
            least_top=3,
            marks=[(one.at, f"{one.queue}: {one.before} → {one.after}") for one in decisions],
        ),
        Chart(
            "ready",
            "Ready jobs",
            times,
            [Line("ready", [max((p.ready for p in group), default=None) for group in of])],
            number,
            steps=True,
            least_top=3,
        ),
    ]


def _groups(
    points: Sequence[Point], width: int, now: float, hours: int
) -> dict[float, list[Point]]:
    """By the time at which each begins; the one that is not over yet is left out."""
    end = int(now) // width * width
    groups: dict[float, list[Point]] = {
        float(at): [] for at in range(end - hours * 3600, end, width)
    }
    for point in points:
        group = groups.get(float(point.at // width * width))
        if group is not None:
            group.append(point)
    return groups


def _ended(group: Sequence[Point], outcome: str) -> float | None:
    return sum(point.outcomes.get(outcome, 0) for point in group) if group else None


def _rate(group: Sequence[Point], outcome: str) -> float | None:
    count = _ended(group, outcome)
    return None if count is None else count / sum(point.seconds for point in group)


def _waited(group: Sequence[Point]) -> Histogram:
    spread = no_waits()
    for point in group:
        spread.add(point.waits)
    return waits(spread)


def _ran(group: Sequence[Point]) -> Histogram:
    spread = no_runs()
    for point in group:
        spread.add(point.runs)
    return runs(spread)


def _percentiles(spreads: Sequence[Histogram]) -> list[Line]:
    return [
        Line(word, [histogram.percentile(part) for histogram in spreads]) for part, word in _PARTS
    ]
