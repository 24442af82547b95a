"""The tables in Markdown, which reads well in a terminal, too."""

from collections.abc import Iterable, Sequence

from bench.figures import Ratio, Result


def render(results: Sequence[Result]) -> str:
    """Every mode's figures, then all targets."""
    parts = []
    for result in results:
        if result.series:
            parts.append(_figures(result))
        parts += [f"* {note}" for note in result.notes]
    parts.append(_targets(results))
    if results:
        parts.append(_machine(results[-1].machine))
    return "\n\n".join(parts) + "\n"


def _figures(result: Result) -> str:
    extra = list(dict.fromkeys(key for columns in result.columns.values() for key in columns))
    rows = [
        [
            series.name,
            number(series.median),
            f"{number(series.low)} – {number(series.high)}",
            series.unit,
            *(str(result.columns.get(series.name, {}).get(key, "")) for key in extra),
        ]
        for series in result.series
    ]
    rounds = max((len(series.values) for series in result.series), default=0)
    head = [result.mode, f"median of {rounds}", "from – to", "", *extra]
    return grid(head, rows)


def _targets(results: Iterable[Result]) -> str:
    rows = [_target(ratio) for result in results for ratio in result.ratios]
    return grid(["target", "measured", "from – to", "wanted", ""], rows) if rows else ""


def _target(ratio: Ratio) -> list[str]:
    unit = ratio.unit
    return [
        ratio.what + (f" ({ratio.note})" if ratio.note else ""),
        f"{number(ratio.value)} {unit}",
        f"{number(ratio.low)} – {number(ratio.high)}" if ratio.high else "",
        f"{'≥' if ratio.at_least else '≤'} {number(ratio.target)} {unit}",
        "met" if ratio.met else "MISSED",
    ]


def _machine(machine: dict[str, str]) -> str:
    return "Measured on " + ", ".join(f"{name} {value}" for name, value in machine.items()) + "."


def grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, its columns under each other."""
    widths = [max(len(row[place]) for row in [head, *rows]) for place in range(len(head))]
    lines = [head, ["-" * max(3, width) for width in widths], *rows]
    return "\n".join(
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    )


def number(value: float) -> str:
    """Three figures are what such measurements are good for."""
    if value >= 1000:
        return f"{value:,.0f}"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"
