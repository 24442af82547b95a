"""The tables as the tests see them: a connection of their own, and a trigger that tells all."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from qsuper.store import schema
from qsuper.store.database import Database
from tests.acceptance.journal import Move

_RECORD = "INSERT INTO moves (number, old, new, worker, claims, attempt) VALUES"
_CHANGED = "OLD.status <> NEW.status OR OLD.claims <> NEW.claims"
_NEW = "(NEW.id, OLD.status, NEW.status, NEW.worker, NEW.claims, NEW.attempt)"
_TRIGGER = {
    "sqlite": (
        "CREATE TABLE moves (seq INTEGER PRIMARY KEY AUTOINCREMENT, number INTEGER, old INTEGER,"
        " new INTEGER, worker TEXT, claims INTEGER, attempt INTEGER)",
        f"CREATE TRIGGER moves AFTER UPDATE ON queue WHEN {_CHANGED} BEGIN {_RECORD} {_NEW}; END",
    ),
    "mysql": (
        "CREATE TABLE moves (seq BIGINT AUTO_INCREMENT PRIMARY KEY, number BIGINT, old INT,"
        " new INT, worker VARCHAR(64), claims INT, attempt INT) ENGINE=InnoDB",
        f"CREATE TRIGGER moves AFTER UPDATE ON queue FOR EACH ROW"
        f" IF {_CHANGED} THEN {_RECORD} {_NEW}; END IF",
    ),
}


class Rows:
    """The database behind `url`, its tables made and watched."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._database = Database(url)
        self.kind = self._database.backend.name
        arguments = {"timeout": 60.0} if self.kind == "sqlite" else {}
        self._engine = create_engine(url, poolclass=NullPool, connect_args=arguments)
        schema.upgrade(self._database)
        for statement in _TRIGGER[self.kind]:
            self.run(statement)

    def run(self, sql: str, **params: Any) -> list[tuple[Any, ...]]:
        """One statement, committed; its rows, if it has any."""
        with self._engine.begin() as connection:
            result = connection.execute(text(sql), params)
            return [tuple(row) for row in result] if result.returns_rows else []

    def add(
        self,
        jobs: Iterable[tuple[int, str, Mapping[str, Any] | str | None]],
        **columns: Any,
    ) -> None:
        """Enqueue `(id, task, param)` by bare INSERTs, in one transaction; ids are the test's."""
        names = ["id", "task", "param", *columns]
        sql = f"INSERT INTO queue ({', '.join(names)}) VALUES (:{', :'.join(names)})"
        rows = [
            {
                "id": number,
                "task": task,
                "param": json.dumps(param) if isinstance(param, Mapping) else param,
                **columns,
            }
            for number, task, param in jobs
        ]
        with self._engine.begin() as connection:
            for start in range(0, len(rows), 1000):
                connection.execute(text(sql), rows[start : start + 1000])

    def count(self, *statuses: int) -> int:
        """Jobs in any of these states; all jobs when none is named."""
        where = (
            f" WHERE status IN ({', '.join(str(int(status)) for status in statuses)})"
            if statuses
            else ""
        )
        return int(self.run(f"SELECT COUNT(*) FROM queue{where}")[0][0])

    def job(self, number: int) -> dict[str, Any]:
        """One row by its id."""
        names = ("id", "status", "attempt", "claims", "worker", "queue", "task")
        (row,) = self.run(f"SELECT {', '.join(names)} FROM queue WHERE id = :id", id=number)
        return dict(zip(names, row, strict=True))

    def attempts(self, number: int) -> list[tuple[int, str, str]]:
        """`(attempt, outcome, error)` of each failed attempt, in order."""
        found = self.run(
            "SELECT attempt, outcome, error FROM attempts WHERE job_id = :id ORDER BY claims",
            id=number,
        )
        return [(row[0], row[1], row[2]) for row in found]

    def moves(self) -> list[Move]:
        """Every change of a status or a claim so far, in the order of the writes."""
        sql = "SELECT number, old, new, worker, claims, attempt FROM moves ORDER BY seq"
        return [Move(*row) for row in self.run(sql)]
