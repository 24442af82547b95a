"""On MySQL the index of live names has what has no live name at its end, not at its beginning.

NULLs come first in an index, so each unnamed INSERT and each end of a named job wrote into the gap
before the smallest name; and whoever had set or cancelled that name in a transaction still open
held that gap: everybody waited for him.
"""

import sqlalchemy
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ALTER = """
    ALTER TABLE queue
        ADD COLUMN nameless TINYINT GENERATED ALWAYS AS
            (CASE WHEN status IN (0, 2, 4, 6) AND name IS NOT NULL THEN 0 ELSE 1 END) STORED,
        DROP KEY live_name,
        ADD UNIQUE KEY live_name (nameless, live_name)
"""


def upgrade() -> None:
    bind = op.get_bind()
    if bind.dialect.name == "sqlite":
        return
    # MySQL commits an ALTER at once: the upgrade may have been cut off behind it.
    there = {column["name"] for column in sqlalchemy.inspect(bind).get_columns("queue")}
    if "nameless" not in there:
        bind.exec_driver_sql(_ALTER)
