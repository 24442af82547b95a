"""The kinds of value a key of the configuration may have, each with its words for people.

A kind is an `Annotated` type whose `Meta` says what to write (`description`) and, where the file
may spell it in several ways, how to read it (`extra["read"]`).
"""

import math
import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

from msgspec import Meta

SECOND, MINUTE, HOUR, DAY = 1, 60, 3600, 86400
KIB, MIB, GIB = 1024, 1024**2, 1024**3
TEN_YEARS = 3650 * DAY
GRACE_LEAST, GRACE, GRACE_MOST = 5.0, 120.0, 366.0 * DAY
"""Seconds. A crontab that ticks each minute is up to a minute late, and some more."""

LIMIT_MOST = 10_000
"""Jobs of one task that a limit may let run at once: each has a row of its own."""
RATE_MOST = 1000
"""Starts a second: each is a transaction on one row."""

_DURATION_UNITS = {"": SECOND, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "ms": 0.001}
_SIZE_UNITS = {"": 1, "b": 1, "k": KIB, "m": MIB, "g": GIB}
_RATE_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_RATE = re.compile(r"(\d+(?:\.\d+)?)\s*/\s*([smhd])", re.ASCII)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|[smhd]|)", re.ASCII)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([kmg])(?:i?b)?|(b|))", re.ASCII | re.IGNORECASE)
_NETWORK_URL = re.compile(r"[a-z][a-z0-9+]*://[^/]*/[^/?]+", re.ASCII)
_SQLITE_URL = re.compile(r"sqlite(?:\+[a-z0-9]+)?:", re.ASCII)
_SQLITE_FILE = re.compile(r"[^:]+:///(?!:memory:|file:)[^?]+")


def read_duration(value: object) -> object:
    """Seconds out of a number or `"90s"`, `"15m"`, `"1h"`, `"2d"`; ValueError if it is neither."""
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        if match is None:
            raise ValueError
        value = float(match[1]) * _DURATION_UNITS[match[2]]
    # A NaN passes every comparison with a bound.
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError
    return value


def read_size(value: object) -> object:
    """Bytes out of a number or `"64KB"`, `"256MB"`, `"1GiB"` (all powers of 1024)."""
    if not isinstance(value, str):
        return value
    match = _SIZE.fullmatch(value.strip())
    if match is None:
        raise ValueError
    return int(float(match[1]) * _SIZE_UNITS[(match[2] or "").lower()])


def read_store_url(value: object) -> object:
    """The URL of a database whose shape is right; which backends there are, the store knows."""
    if isinstance(value, str):
        # A database in memory would be another one in each child.
        shape = _SQLITE_FILE if _SQLITE_URL.match(value) else _NETWORK_URL
        if shape.match(value) is None:
            raise ValueError
    return value


def read_rate(value: object) -> object:
    """Starts a second out of a number or `"600/m"`, `"20/h"`; ValueError if it is neither."""
    if isinstance(value, str):
        match = _RATE.fullmatch(value.strip())
        if match is None:
            return float(value)
        value = float(match[1]) / _RATE_UNITS[match[2]]
    return value


def read_word(value: object) -> object:
    """A word out of a list, however its case is written."""
    return value.lower() if isinstance(value, str) else value


def read_cron(value: object) -> object:
    """A cron line that is due some day."""
    # Slow to import, and only those who have schedules need it.
    from qsuper.cron import CronLine

    return CronLine(value).cron if isinstance(value, str) else value


def read_timezone(value: object) -> object:
    """The name of a time zone that this host knows."""
    from qsuper.cron import CronLine

    return CronLine("0 0 1 1 *", value).timezone if isinstance(value, str) else value


def whole(least: int, most: int, otherwise: str = "") -> Meta:
    """A whole number within bounds, both included; `otherwise` names another spelling."""
    words = f"a whole number from {least} to {most}{otherwise}"
    return Meta(ge=least, le=most, description=words)


def duration(words: str, *, least: float = 0, most: float = TEN_YEARS) -> Meta:
    """Seconds within bounds, both included."""
    return Meta(ge=least, le=most, description=words, extra={"read": read_duration})


def size(words: str, most: int, *, least: int = 0) -> Meta:
    """Bytes within bounds, both included."""
    return Meta(ge=least, le=most, description=words, extra={"read": read_size})


def text(words: str, pattern: str, read: Callable[[object], object] | None = None) -> Meta:
    """A text that fits a pattern as a whole."""
    extra: dict[str, Any] | None = {"read": read} if read else None
    return Meta(pattern=rf"\A(?:{pattern})\Z", description=words, extra=extra)


_TIME = 'seconds or "90s", "15m", "1h", "2d"'

Seconds = Annotated[float, duration(f"{_TIME} (0 = no limit)")]
SomeSeconds = Annotated[float, duration(f"more than no time, as {_TIME}", least=0.001)]
Delay = Annotated[float, duration(_TIME)]
Wait = Annotated[float, duration(f"a time up to a day, as {_TIME}", most=DAY)]
UpToAnHour = Annotated[float, duration(f"from 1 second to 1 hour, as {_TIME}", least=1, most=HOUR)]
Grace = Annotated[
    float, duration(f"from 5 seconds to 366 days, as {_TIME}", least=GRACE_LEAST, most=GRACE_MOST)
]
MemoryLimit = Annotated[int, size('bytes or "256MB", "1GB" (0 = no limit)', most=1 << 50)]
ParamLimit = Annotated[
    int, size('bytes or "64KB", "4MB": at least 1, less than 16 MiB', 16 * MIB - 1, least=1)
]
SizeLimit = Annotated[int, size('bytes or "64KB", "512MB", "1GB"', 1 << 50, least=1)]
TimeLimit = Annotated[float, duration(f"at least a second, as {_TIME}", least=1, most=366 * DAY)]
CountLimit = Annotated[int, whole(0, 10**6)]
Limit = Annotated[int, whole(1, LIMIT_MOST)]
Rate = Annotated[
    float,
    Meta(
        gt=0,
        le=RATE_MOST,
        description=f'starts a second, above 0 and up to {RATE_MOST}, or "600/m", "20/h"',
        extra={"read": read_rate},
    ),
]
Days = Annotated[int, whole(0, 36500)]
Attempts = Annotated[int, whole(1, 1000)]
Priority = Annotated[int, whole(-32768, 32767)]
WorkerCount = Annotated[int, whole(0, 500)]
QueueWorkers = Annotated[int, whole(0, 500, ", or { min = 2, max = 16 }")]
Batch = Annotated[int, whole(1, 512)]
Percent = Annotated[int, whole(1, 100)]
JobCount = Annotated[int, whole(0, 10**9)]
RedisDatabase = Annotated[int, whole(0, 10**6)]

QueueName = Annotated[
    str, text("1 to 64 characters out of A-Z a-z 0-9 _ . : -", r"[A-Za-z0-9_.:-]{1,64}")
]
TaskName = Annotated[
    str,
    text(
        "1 to 190 printable characters without a space",
        r"[^\s\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]{1,190}",
    ),
]
NodeName = QueueName
SomeText = Annotated[str, text("a text that is not empty", r"[^\x00]+")]
FilePath = Annotated[str, text("a path", r"[^\x00]+")]
AppPath = Annotated[
    str, text('"module:attribute", such as "shop.tasks:queue"', r"[^\W\d][\w.]*:[^\W\d][\w.]*")
]
StoreUrl = Annotated[
    str,
    text(
        '"sqlite:///path/to/file.db" or "mysql+pymysql://user:password@host:3306/database"',
        r"[^\x00\s]+",
        read_store_url,
    ),
]
RedisUrl = Annotated[
    str,
    text(
        '"redis://host:6379/15", "rediss://…", "unix:///path/to/socket" or "embedded"',
        r"embedded|rediss?://[^\x00\s/?#]+(?:/\d*)?(?:\?[^\x00\s#]*)?|unix://[^\x00\s#]+",
    ),
]
Listen = Annotated[
    str,
    text(
        '"host:port", such as "127.0.0.1:8470"', r"(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}"
    ),
]
WebUrl = Annotated[
    str, text('"https://host/path" or "http://host/path"', r"https?://[^\x00-\x20\x7f/]+\S*")
]
Token = Annotated[
    str, text("at least 16 printable characters without a space", r"[\x21-\x7e]{16,512}")
]
HeaderName = Annotated[
    str, text('the name of a header, such as "X-Forwarded-User"', r"[A-Za-z0-9-]{1,64}")
]
HostNames = Annotated[
    tuple[Annotated[str, Meta(pattern=r"\A(?:[A-Za-z0-9.-]{1,253}|[0-9A-Fa-f:.]{2,45})\Z")], ...],
    Meta(description='a list of names or addresses, such as ["qsuper.example.com", "fd00::7"]'),
]
Addresses = Annotated[
    tuple[Annotated[str, Meta(pattern=r"\A[0-9A-Fa-f.:]{2,45}\Z")], ...],
    Meta(description='a list of addresses, such as ["127.0.0.1", "10.0.0.7"]'),
]
AccountName = Annotated[
    str,
    text(
        "the name of an account of this host, or its number", r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}\$?"
    ),
]
Program = Annotated[
    tuple[Annotated[str, Meta(pattern=r"\A[^\x00]+\Z")], ...],
    Meta(min_length=1, description='a list of texts, such as ["php", "resize.php"]'),
]
Way = Annotated[Literal["argument", "stdin"], Meta(description='"argument" or "stdin"')]
Environment = Annotated[
    tuple[
        Annotated[
            str, Meta(pattern=r"\A[A-Za-z_][A-Za-z0-9_]*(?:\*?|=[^\x00]*)\Z", max_length=65536)
        ],
        ...,
    ],
    Meta(description='a list of names and settings, such as ["PATH", "LC_*", "STAGE=live"]'),
]
Interpreters = Annotated[
    dict[Annotated[str, Meta(pattern=r"\A\.[A-Za-z0-9_-]+\Z")], Program],
    Meta(description='a table of programs by suffix, such as { ".php" = ["php"] }'),
]
Codec = Annotated[
    Literal["json", "query", "php", "raw"], Meta(description='"json", "query", "php" or "raw"')
]
LogFormat = Annotated[Literal["text", "json"], Meta(description='"text" or "json"')]
LogLevel = Annotated[
    Literal["debug", "info", "warning", "error"],
    Meta(description='"debug", "info", "warning" or "error"', extra={"read": read_word}),
]
Cron = Annotated[
    str,
    text(
        'a cron line that is ever due, such as "*/5 * * * *" (minute, hour, day, month, weekday)',
        r"[^\x00]{1,200}",
        read_cron,
    ),
]
TimeZone = Annotated[str, text('"UTC", "Europe/Berlin" or another', r"[^\x00]+", read_timezone)]
ScheduleName = Annotated[
    str,
    text(
        "1 to 190 printable characters, with no space at either end",
        r"[^\x00-\x20\x7f-\xa0](?:[^\x00-\x1f\x7f-\x9f]{0,188}[^\x00-\x20\x7f-\xa0])?",
    ),
]
ScheduleParam = Annotated[
    dict[str, Any] | str, Meta(description="a table of named arguments, or the text of the param")
]
Misfire = Annotated[Literal["once", "skip", "all"], Meta(description='"once", "skip" or "all"')]
Overlap = Annotated[Literal["allow", "skip"], Meta(description='"allow" or "skip"')]
