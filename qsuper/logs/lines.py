"""A line of the log, read back: the other way round than `formats`."""

import re
from datetime import datetime

import msgspec
from msgspec.structs import replace

_HEAD = re.compile(rb'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} |\{"time":"')
_TEXT = re.compile(
    r"(?P<stamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) (?P<level>debug|info |warn |error|crit )"
    r" (?P<process>(?:worker )?\S+) (?P<pid>\d+)"
    r"(?: job=(?P<job>\d+) attempt=(?P<attempt>\d+)(?: worker=(?P<worker>\S+))?"
    r" task=(?P<task>\S+))?"
    r" (?P<message>.*)",
    re.ASCII | re.DOTALL,
)
_STAMP_LETTERS = 23


class Line(msgspec.Struct, frozen=True, rename={"stamp": "time"}):
    """What one line says."""

    stamp: str
    """`2026-11-20 14:03:07.123`, local time."""
    level: str
    process: str
    pid: int
    message: str
    """As it was written: in the text format escaped, with its traceback at the end."""
    traceback: str = ""
    """From the JSON format only."""
    job: int | None = None
    attempt: int | None = None
    worker: str | None = None
    task: str | None = None


_decode = msgspec.json.Decoder(Line).decode


def begins(data: bytes, at: int) -> bool:
    """Whether a line of the log begins there, rather than one that somebody else has written."""
    return _HEAD.match(data, at) is not None


def parse(raw: bytes) -> Line | None:
    """The line, in whichever format it was written; None of what no `begins` is true of, or what
    was cut short."""
    if raw.startswith(b"{"):
        return _from_json(raw)
    found = _TEXT.fullmatch(raw.decode("utf-8", "backslashreplace"))
    if found is None:
        return None
    job, attempt = found["job"], found["attempt"]
    return Line(
        found["stamp"],
        found["level"].rstrip(),
        found["process"],
        int(found["pid"]),
        found["message"],
        job=int(job) if job else None,
        attempt=int(attempt) if attempt else None,
        # A worker's own lines name it as their process.
        worker=found["worker"],
        task=found["task"],
    )


def _from_json(raw: bytes) -> Line | None:
    try:
        line = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    stamp = line.stamp[:_STAMP_LETTERS].replace("T", " ")
    try:
        datetime.fromisoformat(stamp)
    except ValueError:
        # A stranger's line that only looks like ours.
        return None
    return replace(line, stamp=stamp)
