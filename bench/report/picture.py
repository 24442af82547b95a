"""The picture of the figures, drawn in the peers' environment, which has matplotlib.

python -m bench.report.picture RESULTS FILE
"""

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot
from matplotlib.axes import Axes

from bench.figures import Result, Series

OURS, PEER, FLOOR = "#0b6e4f", "#9aa5b1", "#d9a441"
INK = "#1f2933"


def main(folder: Path, file: Path) -> None:
    results = {one.stem: Result.read(one) for one in folder.glob("*.json")}
    mpl.rcParams |= {
        "font.size": 8.5,
        "font.family": "DejaVu Sans",
        "axes.edgecolor": PEER,
        "text.color": INK,
        "axes.labelcolor": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "svg.hashsalt": "qsuper",
    }
    panels: Sequence[tuple[str, Callable[[Axes, Any], None]]] = (
        ("drain", draw_drain),
        ("latency", draw_latency),
        ("memory", draw_memory),
        ("growth", draw_growth),
    )
    figure, axes = pyplot.subplots(2, 2, figsize=(12, 8.6), facecolor="white")
    for (mode, draw), place in zip(panels, axes.flat, strict=True):
        place.spines[["top", "right"]].set_visible(False)
        if mode in results:
            draw(place, results)
        else:
            place.set_axis_off()
    figure.tight_layout(pad=2.4, h_pad=3.5)
    figure.savefig(file, metadata={"Date": None})


def draw_drain(axes: Axes, results: dict[str, Result]) -> None:
    """A bar a queue, with what had not run 20 s after all of it was killed."""
    losses = results["kills"].columns if "kills" in results else {}
    found = [series for series in results["drain"].series if _is_of_itself(series.name)]
    found.sort(key=lambda series: series.median)
    _bars(axes, found)
    for place, series in enumerate(found):
        lost = losses.get(series.name, {}).get("lost")
        words = f" {series.median:,.0f}"
        if lost is not None:
            words += f"  · {lost:,} not run after a kill" if lost else "  · all run after a kill"
        axes.text(series.high, place, words, va="center", fontsize=8)
    axes.set_xlim(0, max(series.median for series in found) * 1.45)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    _title(axes, "Jobs a second: 4 worker processes, jobs that do nothing")


def draw_latency(axes: Axes, results: dict[str, Result]) -> None:
    """From p50 to p99, a line a queue."""
    series = {one.name: one for one in results["latency"].series if one.values}
    names = [name.removesuffix(", p50") for name in series if name.endswith(", p50")]
    names.sort(key=lambda name: -series[f"{name}, p50"].median)
    for place, name in enumerate(names):
        middle, tail = series[f"{name}, p50"].median, series[f"{name}, p99"].median
        axes.plot([middle, tail], [place, place], color=_color(name), lw=3, solid_capstyle="round")
        axes.plot([middle], [place], "o", color=_color(name))
        axes.text(tail * 1.06, place, f"{middle:.1f} / {tail:.1f}", va="center", fontsize=8)
    axes.set_yticks(range(len(names)), names)
    axes.set_xscale("log")
    axes.set_xlim(None, max(one.median for one in series.values()) * 2)
    axes.xaxis.set_major_formatter("{x:g}")
    _title(axes, "Milliseconds from enqueue to start on an idle system: p50 – p99")


def draw_memory(axes: Axes, results: dict[str, Result]) -> None:
    found = sorted(results["memory"].series, key=lambda series: -series.median)
    _bars(axes, found)
    for place, series in enumerate(found):
        axes.text(series.high, place, f" {series.median:.0f}", va="center", fontsize=8)
    axes.set_xlim(0, max(series.high for series in found) * 1.1)
    _title(axes, "Megabytes (PSS): 4 idle workers and what belongs to them")


def draw_growth(axes: Axes, results: dict[str, Result]) -> None:
    """A claim's time over the rows that wait."""
    for most, style in (("one", "o-"), ("50", "s--")):
        points = {}
        for series in results["growth"].series:
            if match := re.fullmatch(rf"claim of {most}, (\d+) ready", series.name):
                points[int(match[1])] = series.median
        rows = sorted(points)
        axes.plot(rows, [points[one] for one in rows], style, color=OURS, label=f"claim of {most}")
    axes.set_xscale("log")
    axes.set_ylim(0, None)
    axes.set_xlabel("rows that are ready")
    axes.legend(frameon=False)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    _title(axes, "Milliseconds of a claim, as the queue grows")


def _title(axes: Axes, words: str) -> None:
    """Above the names, too."""
    axes.annotate(words, (0, 1), (-150, 10), "axes fraction", "offset points", weight="bold")


def _bars(axes: Axes, found: Sequence[Series]) -> None:
    values = [series.median for series in found]
    spread = [
        [series.median - series.low for series in found],
        [series.high - series.median for series in found],
    ]
    names = [series.name for series in found]
    axes.barh(names, values, xerr=spread, color=[_color(name) for name in names], ecolor=INK)
    axes.margins(y=0.02)
    axes.tick_params(axis="y", length=0)


def _color(name: str) -> str:
    if name.startswith("qsuper"):
        return OURS
    return FLOOR if re.match("floor|bare|[0-9]+ bare", name) else PEER


def _is_of_itself(name: str) -> bool:
    """Whether it is a queue as it is used: no floor, and none of our own with its batches cut."""
    return not name.startswith("floor") and "batch" not in name


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
