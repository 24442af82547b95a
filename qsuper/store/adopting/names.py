"""The names of tables and columns that an adoption makes, keeps or must find free."""

OLD = "queue"
BACKUP = "queue_before_qsuper"
"""The old table, from the switch on."""
BUILD = "queue_of_qsuper"
"""The new table, before the switch."""
BUILD_VERSION = "queue_of_qsuper_version"
"""The table of the schema's version, before the switch."""
VERSION = "alembic_version"
PROGRESS = "queue_adoption"
"""One row: how far the copying has come. There from the first step to the last."""
TRIGGER = "queue_old_priority"

OURS = frozenset(
    [
        VERSION,
        "attempts",
        "compatible",
        "job_groups",
        "limits",
        "nodes",
        "queues",
        "rates",
        "schedule_runs",
        "schedules",
        "watched_keys",
    ]
)
"""Tables of the newest version besides `queue`: none of them may be somebody else's."""

SHARED_COLUMNS = frozenset(["id", "param", "status", "ctime", "mtime", "priority"])
"""Columns that the old table and qsuper's have in common."""
OUR_COLUMNS = SHARED_COLUMNS | frozenset(
    [
        "queue",
        "task",
        "name",
        "run_at",
        "attempt",
        "max_attempts",
        "timeout",
        "worker",
        "claims",
        "solo",
        "cancel",
        "held_by",
        "group_id",
        "put_off_since",
        "started_at",
        "progress",
        "state",
        "result",
        "headers",
        "took_ms",
        "live_name",
        "nameless",
        "max_age",
        "scheduled",
    ]
)
"""Columns of `queue` in the newest version: none of them may be an extra one of the old table."""
