"""The floor of a drain on SQLite: the same in a bare loop over the standard library's driver."""

import json
import os
import sqlite3
import sys
import time

LOOK = """
    SELECT q.id, q.task, q.param, q.attempt, q.max_attempts, q.timeout, q.claims, q.solo,
        CASE WHEN q.run_at > strftime('%Y-%m-%d %H:%M:%f', 'now') THEN 1 WHEN q.run_at <
            '1970-01-02' THEN 2 WHEN q.max_age IS NOT NULL AND ((julianday('now') - 2440587.5)
            * 86400.0) - ((julianday(q.run_at) - 2440587.5) * 86400.0) > q.max_age
            THEN 3 ELSE 0 END + CASE WHEN q.group_id IS NULL THEN 0 ELSE 4 END + COALESCE(
            MAX(CAST((julianday('now') - julianday(q.run_at)) * 86400e6 AS INTEGER), 0), 0) * 8
    FROM (SELECT id FROM (SELECT id, priority FROM queue WHERE queue = :queue AND status = 0
            ORDER BY priority, id LIMIT :window) w WHERE id % :count BETWEEN :index AND :last
        ORDER BY priority, id LIMIT :most) mine JOIN queue q
    ON q.id = mine.id ORDER BY q.priority, q.id
"""
CLAIM = """
    UPDATE queue SET status = 2, worker = :worker, claims = claims + 1, attempt = attempt + 1,
        solo = :solo, started_at = strftime('%Y-%m-%d %H:%M:%f', 'now'),
        mtime = strftime('%Y-%m-%d %H:%M:%f', 'now')
    WHERE id IN (SELECT value FROM json_each(:ids)) AND +status = 0
        AND +run_at <= strftime('%Y-%m-%d %H:%M:%f', 'now') AND claims BETWEEN :fewest AND :most
"""
ACK = """
    UPDATE queue SET status = 1, took_ms = :took_ms, mtime = strftime('%Y-%m-%d %H:%M:%f', 'now')
    WHERE id IN (SELECT value FROM json_each(:ids)) AND +status = 2 AND worker = :worker
"""


def write(connection: sqlite3.Connection, sql: str, params: dict[str, object]) -> int:
    while True:  # SQLite's own patience sleeps up to 100 ms at a time
        try:
            return connection.execute(sql, params).rowcount
        except sqlite3.OperationalError:
            time.sleep(0.0002)


def drain(connection: sqlite3.Connection, journal: int, index: int, count: int, batch: int) -> None:
    """For ever; the benchmark looks at the journal and ends it."""
    worker = f"floor-{index}"
    window = min(4000, max(64, 4 * count * batch))
    look: dict[str, object] = {"queue": "default", "window": window, "most": batch}
    look |= {"count": count, "index": index, "last": index}
    while True:
        if not (numbers := [row[0] for row in connection.execute(LOOK, look)]):
            time.sleep(0.001)  # the window holds other slices' rows, which are just being taken
            continue
        ids, few = json.dumps(numbers), len(numbers)
        claim = {"worker": worker, "solo": few == 1, "fewest": 0, "most": 0}
        assert write(connection, CLAIM, {**claim, "ids": ids}) == few
        for number in numbers:
            os.write(journal, b"%015d\n" % number)
        assert write(connection, ACK, {"took_ms": 0, "ids": ids, "worker": worker}) == few


def main(batch: int) -> None:
    count = int(os.environ["BENCH_WORKERS"])
    journal = os.open(os.environ["BENCH_JOURNAL"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    index = next((index for index in range(1, count) if os.fork() == 0), 0)
    connection = sqlite3.connect(os.environ["BENCH_SQLITE"], isolation_level=None)
    connection.executescript("PRAGMA synchronous = FULL; PRAGMA busy_timeout = 0")
    drain(connection, journal, index, count, batch)


if __name__ == "__main__":
    main(int(sys.argv[1]))
