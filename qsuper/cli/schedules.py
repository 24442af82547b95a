"""What `qsuper cron list` shows, and what `qsuper cron tick` says."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from qsuper.cli.printing import columns, cut, printable, terminal_width
from qsuper.picture import span
from qsuper.roles.scheduling import JOBS, Round
from qsuper.states import State
from qsuper.store import schedules
from qsuper.store.database import Connection
from qsuper.store.schedules import Entry
from qsuper.tasks.schedule import MISSED, OVERLAP, PAUSED, Schedule, line_of, read_definition

_HEAD = ("NAME", "NEXT IN", "LAST", ">JOB", "STATE", ">MISSED", "CRON")
_WORD_MOST = 40
"""Letters that are printed of a name: what stands behind it is to be seen, too."""
_NOTES = (MISSED, OVERLAP, PAUSED)


def overview(connection: Connection, known: Mapping[str, Schedule]) -> list[dict[str, Any]]:
    """All schedules: those that there are, then those that are only in the table."""
    entries = schedules.read(connection)
    names = [*known, *(name for name in entries if name not in known)]
    return [_describe(connection, name, known.get(name), entries.get(name)) for name in names]


def _describe(
    connection: Connection, name: str, schedule: Schedule | None, entry: Entry | None
) -> dict[str, Any]:
    definition = schedule.definition if schedule else entry.definition if entry else ""
    kept = read_definition(definition)
    line = line_of(definition)
    now = entry.now if entry else time.time()
    paused = bool(entry and entry.paused)
    waits = line is not None and schedule is not None and not paused
    since = entry.since if entry and entry.since is not None else now
    last = schedules.last(connection, name)
    notes = schedules.notes(connection, name)
    return {
        "name": name,
        "task": kept.get("task"),
        "cron": kept.get("cron"),
        "timezone": kept.get("timezone"),
        "status": _status(schedule, entry),
        "now": now,
        "next": next(line.after(max(since, now)), None) if line and waits else None,
        "last": None if last is None else last.due,
        "job": None if last is None else last.job_id,
        "state": None if last is None or last.status is None else State(last.status).word,
        **{note: notes.get(note, 0) for note in _NOTES},
    }


def _status(schedule: Schedule | None, entry: Entry | None) -> str:
    if schedule is None:
        return "removed"
    if entry is None:
        return "new"
    return "paused" if entry.paused else "active"


def table(found: list[dict[str, Any]]) -> Iterator[str]:
    """The lines of a table for people."""
    if not found:
        yield "there are no schedules: make one with @queue.schedule or [[schedule]]"
        return
    yield from columns(_HEAD, [_row(one) for one in found], width=terminal_width())


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    now = one["now"]
    zone = "" if one["timezone"] == "UTC" else f" {one['timezone']}"
    return (
        cut(printable(one["name"]), _WORD_MOST),
        one["status"] if one["next"] is None else span(one["next"] - now),
        None if one["last"] is None else f"{span(now - one['last'])} ago",
        one["job"],
        one["state"],
        one[MISSED],
        f"{one['cron']}{zone}",
    )


def told(count: int, done: Round) -> str:
    """A round in one line."""
    parts = [f"{_number(done.counts[JOBS], 'job')} made"]
    parts += [
        f"{_number(done.counts[note], 'due time')} without one ({note})"
        for note in _NOTES
        if done.counts[note]
    ]
    if done.unfinished:
        parts.append(f"more is due, the next tick goes on ({', '.join(done.unfinished)})")
    if done.elsewhere:
        parts.append(f"others are at {', '.join(done.elsewhere)}")
    return f"{_number(count, 'schedule')}: {'; '.join(parts)}"


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
