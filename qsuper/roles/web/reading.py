"""What can be read as JSON: a further one is one function and one line in `READINGS`."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import msgspec

from qsuper.cron import first_after
from qsuper.roles.web.fields import Fields
from qsuper.roles.web.site import Site
from qsuper.states import State
from qsuper.store import browsing, listing, nodes, schedules
from qsuper.store.browsing import Browse
from qsuper.store.kinds import Grouping
from qsuper.store.selection import Selection
from qsuper.tasks.schedule import line_of, read_definition

MOST = 1000
"""Rows of one answer."""
DEFAULT = 50
LOOK_FOR = 1.0
"""Seconds after which no more jobs are looked for."""
PAGES_MOST = 200
"""Pages of dead jobs that are counted for one answer."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is behind an address."""

    read: Callable[[Site, Fields], Any]
    """In a thread."""
    stored: bool = True
    """Whether it waits for the database."""


def status(site: Site, _fields: Fields) -> dict[str, Any]:
    """As `qsuper status --json`."""
    where = {"running": True, "state_dir": site.config.state_dir, "config": site.config.file}
    picture: dict[str, Any] = msgspec.to_builtins(site.picture())
    return where | picture


def jobs(site: Site, fields: Fields) -> dict[str, Any]:
    """The newest first; `before` of the next page is its `next`, None when there is none.

    As many as are found in a bounded time: a page may hold few of them and have a next one.
    """
    most = fields.number("most", DEFAULT, MOST)
    before = fields.id("before") if fields.text("before") else None
    wanted = Browse(**asdict(selection(fields)))
    ends, ids = time.monotonic() + LOOK_FOR, list[int]()
    with site.connection() as connection:
        while True:
            page = browsing.page(connection, wanted, before)
            ids += [row.id for row in page.rows]
            before = page.before
            if before is None or len(ids) >= most or time.monotonic() > ends:
                break
    if len(ids) > most:
        before = ids[most - 1]
    found = listing.some(site.database, ids[:most])
    return {"jobs": found[::-1], "next": before}


def job(site: Site, fields: Fields) -> dict[str, Any]:
    """One, with its failed attempts."""
    return listing.job(site.database, fields.id())


def timers(site: Site, fields: Fields) -> dict[str, Any]:
    """What falls due next: named jobs that wait for their time, and watched keys."""
    most = fields.number("most", DEFAULT, MOST)
    queue = fields.text("queue")
    keys = [] if queue else listing.watched(site.database, most=most)
    return {
        "timers": listing.timers(site.database, queue=queue, unnamed=fields.flag("all"), most=most),
        "keys": [key | {name: _text(key[name]) for name in ("key", "value")} for key in keys],
    }


def all_schedules(site: Site, _fields: Fields) -> dict[str, Any]:
    """As the table has them."""
    with site.connection() as connection:
        found = schedules.read(connection)
    return {"schedules": [_entry(entry) for entry in found.values()]}


def all_nodes(site: Site, _fields: Fields) -> dict[str, Any]:
    with site.connection() as connection:
        return {"nodes": [asdict(node) for node in nodes.everyone(connection)]}


def dead(site: Site, fields: Fields) -> dict[str, Any]:
    """Dead jobs, or those of another `state`, counted by task and error."""
    wanted = selection(fields)
    state = State.DEAD if wanted.state is None else wanted.state
    grouping = Grouping(replace(wanted, state=state))
    with site.connection() as connection:
        whole = not all(grouping.step(connection) for _ in range(PAGES_MOST))
    return {"kinds": [asdict(kind) for kind in grouping.kinds[:MOST]], "whole": whole}


def selection(fields: Fields) -> Selection:
    """Which jobs are meant."""
    return Selection(
        state=fields.state(),
        queue=fields.text("queue"),
        task=fields.text("task"),
        name=fields.text("name"),
        error=fields.text("error"),
        since=fields.moment("since"),
        until=fields.moment("until"),
    )


def _entry(entry: schedules.Entry) -> dict[str, Any]:
    kept = read_definition(entry.definition)
    line = line_of(entry.definition)
    return {
        "name": entry.name,
        "cron": kept.get("cron"),
        "timezone": kept.get("timezone"),
        "task": kept.get("task"),
        "paused": entry.paused,
        "decided_until": entry.since,
        "next": first_after(line, entry.now) if line and not entry.paused else None,
    }


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode("utf-8", "backslashreplace")


READINGS: Mapping[str, Reading] = {
    "/api/status": Reading(status, stored=False),
    "/api/jobs": Reading(jobs),
    "/api/jobs/{id}": Reading(job),
    "/api/timers": Reading(timers),
    "/api/schedules": Reading(all_schedules),
    "/api/nodes": Reading(all_nodes),
    "/api/dead": Reading(dead),
}
