"""One table of all queues: how fast, how soon, how large, and what it loses. README has it."""

from collections.abc import Mapping, Sequence

from bench.figures import Result
from bench.report.table import grid, number

HEAD = (
    "4 worker processes",
    "jobs/s",
    "enqueue to start, p50 / p99 ms",
    "idle MB",
    "all killed: not run of",
)


def render(results: Sequence[Result], names: Sequence[str]) -> str:
    """The named queues, the fastest first; a dash where a figure was not measured."""
    modes = {result.mode: result for result in results}
    speeds = _medians(modes, "drain")
    order = sorted((name for name in names if name in speeds), key=lambda name: -speeds[name])
    return grid(HEAD, [_row(name, modes, speeds[name]) for name in order]) + "\n"


def _row(name: str, modes: Mapping[str, Result], speed: float) -> list[str]:
    early = _medians(modes, "latency")
    memory = _medians(modes, "memory")
    kills = modes["kills"].columns.get(name, {}) if "kills" in modes else {}
    # It wakes workers at once where there is a Redis; that is another contender there.
    soon = f"{name}, Redis wake-ups" if f"{name}, Redis wake-ups, p50" in early else name
    latency = [early.get(f"{soon}, {part}") for part in ("p50", "p99")]
    return [
        name,
        number(speed),
        " / ".join(number(one) for one in latency if one is not None) or "–",
        number(memory[name]) if name in memory else "–",
        f"{kills['lost']:,} of {kills['jobs']:,}" if kills else "–",
    ]


def _medians(modes: Mapping[str, Result], mode: str) -> dict[str, float]:
    if mode not in modes:
        return {}
    return {series.name: series.median for series in modes[mode].series if series.values}
