"""What the listener must remember of a watched key besides its deadline and its value."""

import sqlalchemy
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_COLUMNS = {
    # What kind of value it is, where the value itself is not kept.
    "kind": {
        "mysql": "VARCHAR(64) NOT NULL DEFAULT 'string'",
        "sqlite": "TEXT NOT NULL DEFAULT 'string'",
    },
    # The deadline (ms) of the last generation that became a job, and which listener's job it was.
    "fired": {"mysql": "BIGINT NULL", "sqlite": "INTEGER"},
    # When that was noticed, in ms of Redis' clock.
    "noticed": {"mysql": "BIGINT NULL", "sqlite": "INTEGER"},
    "fired_by": {"mysql": "VARCHAR(96) NULL", "sqlite": "TEXT"},
}


def upgrade() -> None:
    bind = op.get_bind()
    dialect = "sqlite" if bind.dialect.name == "sqlite" else "mysql"
    # MySQL commits each ALTER for itself: one that was cut off here goes on where it stopped.
    there = {column["name"] for column in sqlalchemy.inspect(bind).get_columns("watched_keys")}
    for name, types in _COLUMNS.items():
        if name not in there:
            bind.exec_driver_sql(f"ALTER TABLE watched_keys ADD COLUMN {name} {types[dialect]}")
