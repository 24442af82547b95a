"""The index of what is due changes only with what is scheduled.

It held every row by its status: a job that never was scheduled moved in it twice, when it was
claimed and when it was done.
"""

import sqlalchemy
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

OLDEST = "0004"
"""Programs from this version of the tables on work on them, too."""

# A bit beside the date, not a second date that is NULL unless scheduled: MySQL may write such a one
# through the session's time zone, and MariaDB takes no NULL in its definition.
_MYSQL = """
    ALTER TABLE queue
        ADD COLUMN scheduled TINYINT GENERATED ALWAYS AS
            (CASE WHEN status = 4 THEN 1 ELSE 0 END) STORED,
        DROP KEY due,
        ADD KEY due (queue, scheduled, run_at)
"""
_SQLITE = (
    "DROP INDEX IF EXISTS due",
    "CREATE INDEX due ON queue (queue, run_at) WHERE status = 4",
)


def upgrade() -> None:
    bind = op.get_bind()
    if bind.dialect.name == "sqlite":
        for statement in _SQLITE:
            bind.exec_driver_sql(statement)
    # MySQL commits an ALTER at once: the upgrade may have been cut off behind it.
    elif "scheduled" not in _columns_of_due(bind):
        bind.exec_driver_sql(_MYSQL)
    bind.exec_driver_sql(f"UPDATE compatible SET oldest = '{OLDEST}'")


def _columns_of_due(bind: sqlalchemy.Connection) -> list[str | None]:
    indexes = sqlalchemy.inspect(bind).get_indexes("queue")
    return next(index["column_names"] for index in indexes if index["name"] == "due")
