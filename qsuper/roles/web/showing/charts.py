"""Charts as inline SVG, made here: nothing is drawn by scripts, and each has its numbers as a
table."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from qsuper.roles.web.showing.wording import clock_time

Value = float | None
WIDTH, HEIGHT = 400, 130
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 6, 8, 18
_TICKS = 3
_ROWS_MOST = 12
"""Rows of the table: a chart of hundreds of points is summed up."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart. Which is which is told by dashes as well as by colour."""

    name: str
    values: Sequence[Value]
    """One for each time; None where nothing is known."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over the same times."""

    name: str
    """Names it among the charts of a page, in letters."""
    title: str
    times: Sequence[float]
    """Unix times, evenly spread."""
    lines: Sequence[Line]
    write: Callable[[Value], str]
    """Writes a value."""
    steps: bool = False
    """Whether a value holds until the next one."""
    least_top: float = 1.0
    """The axis reaches up to here at least."""
    marks: Sequence[tuple[float, str]] = ()
    """Moments that are marked, each with what is to be said of it."""

    @property
    def top(self) -> float:
        known = [value for line in self.lines for value in line.values if value is not None]
        return _round_up(max([self.least_top, *known]))


def draw(chart: Chart) -> Markup:
    """The figure."""
    if not any(value is not None for line in chart.lines for value in line.values):
        empty = Markup('<figure class="chart"><figcaption>{}</figcaption><p class="quiet">{}</p>')
        return empty.format(chart.title, "nothing yet") + Markup("</figure>")
    parts = [
        Markup('<figure class="chart"><figcaption>{}</figcaption>').format(chart.title),
        Markup('<svg viewBox="0 0 {} {}" role="img" aria-labelledby="{}-t {}-d">').format(
            WIDTH, HEIGHT, chart.name, chart.name
        ),
        Markup('<title id="{}-t">{}</title><desc id="{}-d">{}</desc>').format(
            chart.name, chart.title, chart.name, _summary(chart)
        ),
        *_axes(chart),
        *(_line(chart, number) for number in range(len(chart.lines))),
        *_marks(chart),
        Markup("</svg>"),
        _legend(chart),
        _table(chart),
        Markup("</figure>"),
    ]
    return Markup("").join(parts)


def _summary(chart: Chart) -> str:
    said = []
    for line in chart.lines:
        known = [value for value in line.values if value is not None]
        if known:
            last, most = chart.write(known[-1]), chart.write(max(known))
            said.append(f"{line.name}: last {last}, at most {most}")
    return "; ".join(said)


def _round_up(value: float) -> float:
    """A number whose thirds read well."""
    step: float = 10.0 ** len(str(int(value))) / 10 if value >= 1 else 0.001
    while True:
        for factor in (1.2, 1.5, 3, 6, 9):
            if step * factor >= value:
                return step * factor
        step *= 10


def _x(chart: Chart, number: int) -> float:
    wide = WIDTH - _LEFT - _RIGHT
    return _LEFT + wide * number / max(1, len(chart.times) - 1)


def _y(chart: Chart, value: float) -> float:
    high = HEIGHT - _TOP - _BOTTOM
    return _TOP + high * (1 - value / chart.top)


def _axes(chart: Chart) -> Iterator[Markup]:
    for tick in range(_TICKS + 1):
        value = chart.top * tick / _TICKS
        y = _y(chart, value)
        yield Markup('<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(
            _LEFT, WIDTH - _RIGHT, y, y
        )
        yield Markup('<text class="axis" x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(
            _LEFT - 5, y + 3.5, chart.write(value)
        )
    anchors = ((0, "start"), (len(chart.times) // 2, "middle"), (len(chart.times) - 1, "end"))
    for number, anchor in anchors:
        yield Markup('<text class="axis" x="{:.1f}" y="{}" text-anchor="{}">{}</text>').format(
            _x(chart, number), HEIGHT - 4, anchor, _hour(chart.times[number])
        )


def _hour(moment: float) -> str:
    return f"{int(moment) // 3600 % 24:02}:{int(moment) // 60 % 60:02}"


def _line(chart: Chart, number: int) -> Markup:
    """One path for each stretch of known values; a value that stands alone is a short dash."""
    values = chart.lines[number].values
    path = []
    for known, stretch in groupby(range(len(values)), lambda place: values[place] is not None):
        if not known:
            continue
        points = [(_x(chart, place), _y(chart, values[place] or 0.0)) for place in stretch]
        path.append("M{:.1f} {:.1f}".format(*points[0]))
        if len(points) == 1:
            path.append("h2")
        for x, y in points[1:]:
            path.append(f"H{x:.1f}V{y:.1f}" if chart.steps else f"L{x:.1f} {y:.1f}")
    return Markup('<path class="line line-{}" d="{}"/>').format(number, "".join(path))


def _marks(chart: Chart) -> Iterator[Markup]:
    """Small triangles on the time axis."""
    first, last = chart.times[0], chart.times[-1]
    for moment, words in chart.marks:
        if first <= moment <= last:
            x = _LEFT + (WIDTH - _LEFT - _RIGHT) * (moment - first) / max(1.0, last - first)
            yield Markup(
                '<path class="decision" d="M{:.1f} {}l4 7h-8z"><title>{}</title></path>'
            ).format(x, HEIGHT - _BOTTOM, words)


def _legend(chart: Chart) -> Markup:
    items = Markup("")
    for number, line in enumerate(chart.lines):
        known = [value for value in line.values if value is not None]
        items += Markup(
            '<li><svg viewBox="0 0 24 8" aria-hidden="true">'
            '<path class="line line-{}" d="M0 4H24"/></svg>{} <b>{}</b></li>'
        ).format(number, line.name, chart.write(known[-1] if known else None))
    return Markup('<ul class="legend">{}</ul>').format(items)


def _table(chart: Chart) -> Markup:
    heads = Markup("").join(Markup("<th>{}</th>").format(line.name) for line in chart.lines)
    rows = Markup("")
    size = -(-len(chart.times) // _ROWS_MOST)
    for start in range(0, len(chart.times), size):
        cells = Markup("")
        for line in chart.lines:
            known = [value for value in line.values[start : start + size] if value is not None]
            cells += Markup('<td class="n">{}</td>').format(
                chart.write(max(known) if known else None)
            )
        rows += Markup("<tr><td>{}</td>{}</tr>").format(clock_time(chart.times[start]), cells)
    return Markup(
        '<details id="{}-table"><summary>As a table</summary>'
        '<div class="scroll" tabindex="0" role="region" aria-label="{}">'
        "<table><caption>The most of each stretch that begins then</caption>"
        "<thead><tr><th>From</th>{}</tr></thead><tbody>{}</tbody></table></div></details>"
    ).format(chart.name, chart.title, heads, rows)
