"""What limits, groups, schedules and old jobs need; and which programs these tables still serve."""

import sqlalchemy
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

OLDEST = "0003"
"""Programs from this version of the tables on work on them, too."""

_COLUMNS = (
    # Seconds that a job may wait beyond its run_at; then it is discarded.
    ("queue", "max_age", "DOUBLE NULL", "REAL"),
    ("job_groups", "queue", "VARCHAR(64) NOT NULL DEFAULT 'default'", "TEXT DEFAULT 'default'"),
    ("job_groups", "priority", "SMALLINT NOT NULL DEFAULT 0", "INTEGER DEFAULT 0"),
    # Why a due time made no job.
    ("schedule_runs", "note", "VARCHAR(64) NULL", "TEXT"),
)
_TABLES = {
    # When the next start under a rate is free, in Unix time.
    "rates": (
        "name VARCHAR(190) COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,"
        " free_at DOUBLE NOT NULL DEFAULT 0",
        "name TEXT NOT NULL PRIMARY KEY, free_at REAL NOT NULL DEFAULT 0",
    ),
    "compatible": (
        "oldest VARCHAR(8) COLLATE utf8mb4_bin NOT NULL PRIMARY KEY",
        "oldest TEXT NOT NULL PRIMARY KEY",
    ),
}
_HELD = {
    # What frees a slot looks for the first row that its limit holds back.
    "mysql": "CREATE INDEX held ON queue (held_by, priority, id)",
    "sqlite": "CREATE INDEX held ON queue (held_by, priority, id) WHERE held_by IS NOT NULL",
}


def upgrade() -> None:
    bind = op.get_bind()
    sqlite = bind.dialect.name == "sqlite"
    # MySQL commits each statement for itself: one that was cut off goes on where it stopped.
    inspector = sqlalchemy.inspect(bind)
    for table, column, mysql_type, sqlite_type in _COLUMNS:
        if column not in {found["name"] for found in inspector.get_columns(table)}:
            kind = sqlite_type if sqlite else mysql_type
            bind.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
    if "held" not in {index["name"] for index in inspector.get_indexes("queue")}:
        bind.exec_driver_sql(_HELD["sqlite" if sqlite else "mysql"])
    ending = "STRICT" if sqlite else "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
    for table, kinds in _TABLES.items():
        if not inspector.has_table(table):
            bind.exec_driver_sql(f"CREATE TABLE {table} ({kinds[sqlite]}) {ending}")
    bind.exec_driver_sql("DELETE FROM compatible")
    bind.exec_driver_sql(f"INSERT INTO compatible (oldest) VALUES ('{OLDEST}')")
