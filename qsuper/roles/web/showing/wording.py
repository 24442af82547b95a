"""Values as the pages write them."""

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup, escape

from qsuper.picture import CAP, span

NOTHING = "–"
_TYPED = re.compile(r"`([^`]+)`")


def number(value: float | None) -> str:
    """`1,234`; `0.3` below ten where it is no whole number."""
    if value is None:
        return NOTHING
    if value != int(value) and abs(value) < 9.95:
        return f"{value:.1f}"
    return f"{value:,.0f}"


def counted(value: int | None) -> str:
    """A count that goes up to the cap."""
    return f"{CAP:,}+" if value is not None and value > CAP else number(value)


def lasting(seconds: float | None) -> str:
    """`12 ms`, `0.4s`, `3m 20s`."""
    if seconds is None:
        return NOTHING
    if 0 < seconds < 0.95:
        return f"{seconds * 1000:.0f} ms" if seconds >= 0.00095 else "< 1 ms"
    return span(seconds)


def milliseconds(count: int | None) -> str:
    """The same of whole milliseconds, of which a job may have taken none."""
    return lasting(None if count is None else max(count, 0.5) / 1000)


def size(count: int | None) -> str:
    """`812 KB`, `23 MB`, `1.4 GB`."""
    if count is None:
        return NOTHING
    for unit, word in ((1024**3, "GB"), (1024**2, "MB")):
        if count >= unit:
            return f"{number(count / unit)} {word}"
    return f"{count / 1024:.0f} KB"


def when(moment: float | None, now: float | None = None) -> Markup | str:
    """How far off it is, as a `<time>` that tells the moment itself."""
    if moment is None:
        return NOTHING
    now = time.time() if now is None else now
    far = f"in {span(moment - now)}" if moment > now else f"{span(now - moment)} ago"
    return _time(moment, far)


def clock_time(moment: float | None) -> Markup | str:
    """The moment itself, in UTC."""
    return NOTHING if moment is None else _time(moment, _read(moment, "%Y-%m-%d %H:%M:%S UTC"))


def _time(moment: float, text: str) -> Markup:
    machine, full = _read(moment, "%Y-%m-%dT%H:%M:%SZ"), _read(moment, "%Y-%m-%d %H:%M:%S UTC")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(machine, full, text)


def _read(moment: float, how: str) -> str:
    try:
        return datetime.fromtimestamp(moment, UTC).strftime(how)
    except (OverflowError, ValueError, OSError):
        return str(moment)


def visible(value: object) -> str:
    """On one line, what cannot be seen written out: control letters, and those that turn the
    direction of what follows."""
    if value is None or value == "":
        return NOTHING
    text = str(value)
    return text if text.isprintable() else "".join(map(_escaped, text))


def lines(value: object) -> str:
    """The same of a text of several lines."""
    return "\n".join(
        "".join(letter if letter == "\t" else _escaped(letter) for letter in line)
        for line in str(value).replace("\r\n", "\n").split("\n")
    )


def _escaped(letter: str) -> str:
    return letter if letter.isprintable() else repr(letter)[1:-1]


def sentence(text: str) -> Markup:
    """A sentence in which what is to be typed stands in backticks."""
    return Markup(_TYPED.sub(r"<code>\1</code>", str(escape(visible(text)))))


def head(value: object, most: int = 120) -> str:
    """Its first letters, on one line."""
    text = visible(value)
    return text if len(text) <= most else text[: most - 1] + "…"


def pretty(text: str) -> str | None:
    """JSON with one value a line; None for what is no JSON object or list."""
    try:
        found: Any = json.loads(text)
        if not isinstance(found, dict | list):
            return None
        return json.dumps(found, indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None


def link(path: str, **fields: Any) -> str:
    """An address with those of the fields that have a value."""
    given = {name: value for name, value in fields.items() if value not in (None, "")}
    return f"{path}?{urlencode(given, errors='replace')}" if given else path


FILTERS: dict[str, Callable[..., Any]] = {
    "number": number,
    "counted": counted,
    "lasting": lasting,
    "milliseconds": milliseconds,
    "sentence": sentence,
    "size": size,
    "when": when,
    "clock_time": clock_time,
    "visible": visible,
    "lines": lines,
    "head": head,
    "link": link,
}
"""By their names in the templates."""
