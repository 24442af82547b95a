"""The tables as programs in other languages may use them."""

import re
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from qsuper import Queue
from qsuper.states import MEANING, State
from qsuper.store.migrations.versions import v0001_first, v0004_jobs
from qsuper.store.schema import ensure
from reference.markdown import code, page, table

WRITE, READ, OWN = "write", "read", "–"

QUEUE: Mapping[str, tuple[str, str]] = {
    "id": (READ, "the job's number; grows, is never used again"),
    "queue": (WRITE, "whose workers run it"),
    "task": (WRITE, "what runs; the only column that an INSERT must name"),
    "param": (WRITE, "its argument, as the task's codec reads it (JSON unless it says otherwise)"),
    "name": (WRITE, "its own among live jobs; compared by bytes, at most 255 of them"),
    "status": (READ, "what it is now, see below; a program that INSERTs leaves it out"),
    "priority": (WRITE, "smaller runs first, negative is urgent"),
    "run_at": (WRITE, "not before this time; UTC on SQLite, as `YYYY-MM-DD HH:MM:SS`"),
    "attempt": (READ, "how often it was begun since it was added or retried"),
    "max_attempts": (WRITE, "attempts after which it is dead; NULL: as the task says"),
    "timeout": (WRITE, "seconds it may run, 0 is as long as it likes; NULL: as the task says"),
    "max_age": (
        WRITE,
        "seconds it may wait beyond `run_at` before it is discarded; NULL: as the task says",
    ),
    "worker": (READ, "who holds it, or held it last"),
    "claims": (READ, "how often it was taken in all; never goes back"),
    "solo": (OWN, "whether its claim took one row"),
    "cancel": (OWN, "1: it is to be cancelled while it runs"),
    "held_by": (READ, "the limit it waits for"),
    "group_id": (OWN, "its row in `job_groups`"),
    "put_off_since": (OWN, "since when nobody here knows its task"),
    "started_at": (READ, "when its last attempt began"),
    "progress": (READ, "what it says of itself while it runs"),
    "state": (READ, "what an attempt has saved for the next one, JSON"),
    "result": (READ, "what it returned, JSON, where the task keeps results"),
    "headers": (READ, "where it comes from, JSON"),
    "took_ms": (READ, "milliseconds its last attempt took, where that was measured"),
    "ctime": (READ, "when it was added"),
    "mtime": (READ, "when its state last changed"),
}
ATTEMPTS: Mapping[str, str] = {
    "job_id": "the job",
    "claims": "which of its claims; with `job_id` the primary key",
    "attempt": "which attempt, counted from 1",
    "worker": "who ran it",
    "node": "where",
    "started_at": "when it began",
    "ended_at": "when it had ended",
    "outcome": "how it ended",
    "error": "why, in a sentence",
    "traceback": "of a task in Python",
    "output": "the end of what it printed",
}
_COLUMN = re.compile(r"^ {8}([a-z_]+) ((?:[A-Z]+)(?:\(\d+\))?)(.*?),?$", re.MULTILINE)


_USE = """
What a program in any language may rely on, in this version and in later ones. A whole enqueue:

```sql
INSERT INTO queue (task, param) VALUES ('send_msg', '{"uid": 4}');
```

It may be a part of a transaction: the job is there when that is committed. Every column but `task`
has a default, and will have one. With more of them:

```sql
INSERT INTO queue (task, param, queue, priority, name, run_at)
VALUES ('cancel_order', '{"sn": "SN1"}', 'mail', -10, 'order:SN1', '2027-01-01 12:00:00');
```

To look, `status` and the columns marked *read*:

```sql
SELECT id, status FROM queue WHERE task = 'send_msg' AND status IN (0, 1);
```

**Change no row that is there.** A job is moved, cancelled and retried by `qsuper`, or from Python:
each of these is an UPDATE that names the state it expects. `live_name`, `nameless` and `scheduled`
(MySQL and MariaDB) are computed by the server.
""".strip()


def render() -> str:
    defaults = _sqlite_defaults("queue")
    types = _mysql_types("CREATE TABLE queue ") | _added("queue")
    assert set(defaults) == set(QUEUE), set(defaults) ^ set(QUEUE)
    assert set(_sqlite_defaults("attempts")) == set(ATTEMPTS)
    return page(
        "SQL contract",
        _USE,
        "## `queue`",
        table(
            ("column", "", "MySQL, MariaDB", "default", "meaning"),
            [
                (code(name), right, code(types[name]), _default_of(name, defaults), what)
                for name, (right, what) in QUEUE.items()
            ],
        ),
        "## `status`",
        table(
            ("", "state", "meaning"),
            [(str(state.value), state.word, MEANING[state]) for state in State],
        ),
        "0 is waiting and 1 is done, for ever. All moves: [states](../states.md).",
        "## `attempts`",
        "One row for each attempt that failed, to be read.",
        table(("column", "meaning"), [(code(name), what) for name, what in ATTEMPTS.items()]),
        "## All other tables",
        "Qsuper's own; they change with its versions. `qsuper status --json`, `jobs --json`,"
        " `cron list --json` and `timers --json` say what is in them.",
    )


def _mysql_types(begins: str) -> dict[str, str]:
    text = next(one for one in v0001_first.TABLES["mysql"] if one.strip().startswith(begins))
    return {name: kind for name, kind, _ in _COLUMN.findall(text)}


def _added(table_name: str) -> dict[str, str]:
    columns = v0004_jobs._COLUMNS
    return {name: kind.split()[0] for of, name, kind, _ in columns if of == table_name}


def _default_of(name: str, defaults: Mapping[str, str | None]) -> str:
    found = defaults[name]
    if name == "id":
        return "the next"
    if name == "task":
        return "none"
    if found is None:
        return "NULL"
    return "now" if "strftime" in found else code(found)


def _sqlite_defaults(table_name: str) -> dict[str, str | None]:
    """By column, of the tables as all migrations leave them."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "q.db"
        queue = Queue(f"sqlite:///{file}")
        ensure(queue.database)
        with closing(sqlite3.connect(file)) as connection:
            rows = connection.execute(f"PRAGMA table_info({table_name})").fetchall()
    return {name: default for _, name, _, _, default, _ in rows}
