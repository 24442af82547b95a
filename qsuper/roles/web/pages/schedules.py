"""The schedules as the table has them: when each is due next, and what became of the last."""

from typing import Any

from qsuper.roles.web.page import Fields
from qsuper.roles.web.site import Site
from qsuper.states import State
from qsuper.store import schedules
from qsuper.store.database import Connection
from qsuper.store.schedules import Entry
from qsuper.tasks.schedule import MISSED, OVERLAP, PAUSED, line_of, read_definition


def load(site: Site, _: Fields, __: Fields) -> dict[str, Any]:
    with site.connection() as connection:
        entries = schedules.read(connection).values()
        found = [_describe(connection, entry) for entry in entries]
    return {"schedules": found}


def _describe(connection: Connection, entry: Entry) -> dict[str, Any]:
    kept, line = read_definition(entry.definition), line_of(entry.definition)
    since = entry.now if entry.since is None else max(entry.since, entry.now)
    last = schedules.last(connection, entry.name)
    notes = schedules.notes(connection, entry.name)
    return {
        "name": entry.name,
        "paused": entry.paused,
        "task": kept.get("task"),
        "cron": kept.get("cron"),
        "timezone": kept.get("timezone"),
        "next": None if line is None or entry.paused else next(line.after(since), None),
        "last": last and last.due,
        "job": last and last.job_id,
        "state": None if last is None or last.status is None else State(last.status).word,
        "missed": notes.get(MISSED, 0),
        "overlapped": notes.get(OVERLAP, 0),
        "while_paused": notes.get(PAUSED, 0),
    }
