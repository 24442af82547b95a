"""A record as one line: text for people, JSON for machines."""

import logging
import re
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from msgspec import json

from qsuper.logs.context import JobContext, current_job

ELLIPSIS = "…"

_LEVELS = {10: "debug", 20: "info", 30: "warn", 40: "error", 50: "crit"}
_NAME_MOST = 64
_TASK_MOST = 190

# C0 and C1 controls, the two line separators, the marks that turn the direction of writing round,
# and halves of surrogate pairs (bytes that were no UTF-8): none may reach a terminal as it is.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


@dataclass(frozen=True, slots=True)
class Entry:
    """What a line says."""

    created: float
    """Unix time."""
    level: int
    process: str
    pid: int
    logger: str
    message: str
    trace: str
    job: JobContext | None


def entry(record: logging.LogRecord, process: str) -> Entry:
    """Read a record; whatever a job has put into it, this does not fail."""
    job = getattr(record, "job", None)
    return Entry(
        created=record.created,
        level=record.levelno,
        process=process,
        pid=record.process or 0,
        logger=record.name,
        message=_message(record),
        trace=_trace(record),
        job=job if isinstance(job, JobContext) else current_job(),
    )


def text_line(entry: Entry, most: int) -> bytes:
    """`2026-11-20 14:03:07.123 info  worker default[0] 4711 job=12 attempt=1 task=x message`."""
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry.created))
    parts = [
        f"{stamp}.{_milliseconds(entry.created):03d}",
        f"{_level(entry.level):5}",
        escape(shorten(entry.process, _NAME_MOST)),
        str(entry.pid),
    ]
    if entry.job is not None:
        job_id, attempt, worker, task = entry.job
        parts += [f"job={job_id}", f"attempt={attempt}"]
        # A worker's own lines name it already.
        if not entry.process.endswith(f" {worker}"):
            parts.append(f"worker={_word(worker, _NAME_MOST)}")
        parts.append(f"task={_word(task, _TASK_MOST)}")
    head = " ".join(parts)

    def render(message: str, trace: str) -> bytes:
        tail = escape(f"{message}\n{trace}" if trace else message)
        return f"{head} {tail}\n".encode()

    return _fit(render, entry, most)


def json_line(entry: Entry, most: int) -> bytes:
    """The same as an object; its time says its distance from UTC."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(entry.created))
    offset = time.strftime("%z", time.localtime(entry.created))
    fields: dict[str, object] = {
        "time": f"{stamp}.{_milliseconds(entry.created):03d}{offset[:3]}:{offset[3:]}",
        "level": _level(entry.level),
        "process": entry.process[:_NAME_MOST],
        "pid": entry.pid,
        "logger": _whole(shorten(entry.logger, _NAME_MOST)),
    }
    if entry.job is not None:
        job_id, attempt, worker, task = entry.job
        fields |= {"job": job_id, "attempt": attempt}
        fields["worker"] = _whole(shorten(worker, _NAME_MOST))
        fields["task"] = _whole(shorten(task, _TASK_MOST))

    def render(message: str, trace: str) -> bytes:
        fields["message"] = _whole(message)
        if trace:
            fields["traceback"] = _whole(trace)
        # The encoder has seen to C0; outside of strings nothing unsafe can occur.
        line = _UNSAFE.sub(_json_escape, json.encode(fields).decode())
        return f"{line}\n".encode()

    return _fit(render, entry, most)


FORMATS: dict[str, Callable[[Entry, int], bytes]] = {"text": text_line, "json": json_line}


def escape(text: str) -> str:
    r"""The text on one line, control characters visible: `\n`, `\x1b`, `\u2028`."""
    return _UNSAFE.sub(_visible, text)


def shorten(text: str, most: int) -> str:
    """At most that many characters; the middle goes: a traceback tells its cause at the end."""
    if len(text) <= most:
        return text
    half = (most - 1) // 2
    return f"{text[:half]}{ELLIPSIS}{text[len(text) - half :]}"


def _fit(render: Callable[[str, str], bytes], entry: Entry, most: int) -> bytes:
    room = most
    while True:
        line = render(shorten(entry.message, room), shorten(entry.trace, room))
        # The fields before the message are bounded, so that this ends.
        if len(line) <= most or room < 4:
            return line
        room //= 2


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:  # the application's own __str__ runs in there
        kind = type(error).__name__
        return f"{record.msg if isinstance(record.msg, str) else '?'} (not formatted: {kind})"


def _trace(record: logging.LogRecord) -> str:
    parts = []
    try:
        if record.exc_info and record.exc_info[0] is not None:
            parts.append("".join(traceback.format_exception(*record.exc_info)).rstrip())
        elif record.exc_text:
            parts.append(record.exc_text)
    except Exception as error:  # an exception's own __str__ runs in there
        parts.append(f"(no traceback: {type(error).__name__})")
    if record.stack_info:
        parts.append(record.stack_info)
    return "\n".join(parts)


def _milliseconds(created: float) -> int:
    return int(created % 1 * 1000)


def _level(number: int) -> str:
    """The level's name; one in between is called after the next lower."""
    return _LEVELS[min(max(number // 10 * 10, 10), 50)]


def _word(text: str, most: int) -> str:
    """A field's value without a space: a row's task may be any text."""
    return escape(shorten(text, most)).replace(" ", r"\x20")


def _whole(text: str) -> str:
    """The text with halves of surrogate pairs made visible: JSON cannot hold them."""
    return _SURROGATE.sub(_visible, text)


def _visible(match: re.Match[str]) -> str:
    character = match[0]
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    # A byte that was no UTF-8 reads as this half of a pair; the byte itself says more.
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _json_escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
