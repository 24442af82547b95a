"""What `qsuper cron list` shows, and what `qsuper cron tick` says."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from qsuper.cli.printing import columns, cut, printable, terminal_width
from qsuper.picture import span
from qsuper.roles.scheduling import JOBS, Round
from qsuper.states import State
from qsuper.store import schedules
from qsuper.store.database import Connection
from qsuper.store.schedules import Entry
from qsuper.tasks.schedule import (
    MISSED,
    OVERLAP,
    PAUSED,
    Refused,
    Schedule,
    line_of,
    read_definition,
)

_HEAD = ("NAME", "NEXT IN", "LAST", ">JOB", "STATE", ">MISSED", "CRON")
_WORD_MOST = 40
"""Letters that are printed of a name: what stands behind it is to be seen, too."""
_NOTES = (MISSED, OVERLAP, PAUSED)


def overview(
    connection: Connection, known: Mapping[str, Schedule], refused: Sequence[Refused]
) -> list[dict[str, Any]]:
    """All schedules: those that there are, those that cannot be, then those that are only in the
    table."""
    entries = schedules.read(connection)
    found = [_describe(connection, name, one, entries.get(name)) for name, one in known.items()]
    for one in refused:
        # The row of a name that two have is that of the one that makes jobs.
        entry = None if one.name in known else entries.get(one.name)
        found.append(_describe(connection, one.name, one.schedule, entry, one.reason))
    there_are = {one["name"] for one in found}
    gone = [(name, entry) for name, entry in entries.items() if name not in there_are]
    return found + [_describe(connection, name, None, entry) for name, entry in gone]


def _describe(
    connection: Connection,
    name: str,
    schedule: Schedule | None,
    entry: Entry | None,
    failed: str | None = None,
) -> dict[str, Any]:
    definition = schedule.definition if schedule else entry.definition if entry else ""
    kept = read_definition(definition)
    line = line_of(definition)
    now = entry.now if entry else time.time()
    paused = bool(entry and entry.paused)
    waits = line is not None and schedule is not None and not paused and failed is None
    since = entry.since if entry and entry.since is not None else now
    its_own = failed is None or entry is not None
    last = schedules.last(connection, name) if its_own else None
    notes = schedules.notes(connection, name) if its_own else {}
    return {
        "name": name,
        "task": kept.get("task"),
        "cron": kept.get("cron"),
        "timezone": kept.get("timezone"),
        "status": "failed" if failed is not None else _status(schedule, entry),
        "error": failed,
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
    for one in found:
        if one["error"] is not None:
            yield f"{printable(one['name'])} makes no jobs: {printable(one['error'])}"


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
