"""How fast it went in the last minute, in words."""

from collections.abc import Iterator

from qsuper.picture import Histogram, Minute, span

_OUTCOMES = ("done", "failed", "dead")
_NEARLY = 58.0
"""Seconds that pass for a minute."""


def rates(minute: Minute) -> Iterator[str]:
    """One line, and a second one where anything ran."""
    if not minute.seconds:
        return
    told = ", ".join(f"{per_second(minute.rate(name))} {name}" for name in _OUTCOMES)
    yield f"last {_length(minute.seconds)}: {told}"
    if minute.ran.count:
        waited, ran = _spread(minute.waited), _spread(minute.ran)
        yield f"median and 95 %: waited {waited}, ran {ran}"


def per_second(rate: float) -> str:
    """`0/s`, `0.02/s`, `3.4/s`, `1,240/s`."""
    if rate >= 9.95:
        return f"{rate:,.0f}/s"
    text = f"{rate:.1f}" if rate >= 0.95 else f"{rate:.2f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}/s"


def brief(seconds: float | None) -> str:
    """As `span`, with milliseconds; `-` where it is not known."""
    if seconds is None:
        return "-"
    if seconds < 0.001:
        return "<1ms"
    return f"{seconds * 1e3:.0f}ms" if seconds < 0.9995 else span(seconds)


def _length(seconds: float) -> str:
    """The minute that a daemon has not yet run for is as long as it is."""
    return "minute" if seconds >= _NEARLY else span(seconds)


def _spread(histogram: Histogram) -> str:
    return f"{brief(histogram.percentile(0.5))} and {brief(histogram.percentile(0.95))}"
