"""A table with so many rows of each kind, from which one connection claims."""

import time

from sqlalchemy import make_url

from bench.rig import Rig
from qsuper.slices import Slice
from qsuper.states import State
from qsuper.store import schema
from qsuper.store.backend import Statement
from qsuper.store.claiming import claim
from qsuper.store.database import Database

FILLED_AT_ONCE = 500_000
"""Rows of one INSERT: some seconds of it."""
WORKER = "growth"

_READS = Statement("SHOW SESSION STATUS LIKE 'Handler_read_next'")
_GIVE_BACK = Statement(
    """
    UPDATE queue SET status = 0, worker = NULL, attempt = 0
    WHERE queue = 'default' AND status = 2
    """
)
_PURGED = Statement("SET GLOBAL innodb_max_purge_lag_wait = 0")


class Backlog:
    """A database of its own: `finished` rows that are done, then `ready` ones."""

    def __init__(self, rig: Rig, ready: int, finished: int = 0) -> None:
        self.ready = ready
        self._rig = rig
        self._url = rig.mariadb.create_database()
        database = Database(self._url, read_timeout=300.0)
        schema.upgrade(database)
        self._connection = database.connect()
        self._claims = 0
        self._fill(State.DONE, finished)
        self._fill(State.READY, ready)
        # Else the server writes the filled pages for minutes, under all that is measured.
        self._connection.run(Statement("FLUSH TABLES queue FOR EXPORT"))
        self._connection.run(Statement("UNLOCK TABLES"))

    def _fill(self, state: State, rows: int) -> None:
        while rows > 0:
            some = min(rows, FILLED_AT_ONCE)
            # A sequence table's bounds are part of its name.
            fill = Statement(
                "INSERT INTO queue (task, param, status)"
                f" SELECT 'noop', JSON_OBJECT('number', seq), :state FROM seq_1_to_{some}"
            )
            self._connection.run(fill, state=int(state))
            rows -= some

    def claim(self, most: int, slices: int) -> float:
        """Milliseconds of one claim by the next one of so many workers; fails unless it is full."""
        mine = Slice(self._claims % slices, slices)
        self._claims += 1
        began = time.perf_counter()
        got = claim(
            self._connection, queue="default", worker=WORKER, mine=mine, most=most, helps=False
        )
        took = time.perf_counter() - began
        assert len(got.jobs) == most, f"{len(got.jobs)} of {most} rows from {self.ready}"
        return took * 1e3

    def rows_read(self, most: int, slices: int) -> int:
        """How many rows of the ready index one claim walks over."""
        before = self._reads()
        self.claim(most, slices)
        return self._reads() - before

    def _reads(self) -> int:
        return int(self._connection.row(_READS)[1])

    def restore(self) -> None:
        """All that was claimed is ready again, and the server has cleaned up behind it."""
        self._connection.run(_GIVE_BACK)
        self._connection.run(_PURGED)

    def drop(self) -> None:
        self._connection.close()
        self._rig.mariadb.query(f"DROP DATABASE {make_url(self._url).database}")
