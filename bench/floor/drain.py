"""The floor of a drain on MariaDB: claim and ack in a bare PyMySQL loop, a process a slice."""

import os
import sys
import time
from urllib.parse import urlsplit

import pymysql

LOOK = """
    SELECT q.id, q.task, q.param, q.attempt, q.max_attempts, q.timeout, q.claims, q.solo,
        CASE WHEN q.run_at > CURRENT_TIMESTAMP(6) THEN 1 WHEN q.run_at < '1970-01-02' THEN 2
            WHEN q.max_age IS NOT NULL AND (UNIX_TIMESTAMP() +
            MICROSECOND(CURRENT_TIMESTAMP(6)) * 0.000001) - UNIX_TIMESTAMP(q.run_at) > q.max_age
            THEN 3 ELSE 0 END + CASE WHEN q.group_id IS NULL THEN 0 ELSE 4 END + COALESCE(
            GREATEST(TIMESTAMPDIFF(MICROSECOND, q.run_at, CURRENT_TIMESTAMP(6)), 0), 0) * 8
    FROM (SELECT id FROM (SELECT id, priority FROM queue WHERE queue = %(queue)s AND status = 0
            ORDER BY priority, id LIMIT %(window)s) w WHERE id %% %(count)s BETWEEN %(index)s AND
            %(last)s ORDER BY priority, id LIMIT %(most)s) mine
    JOIN queue q ON q.id = mine.id ORDER BY q.priority, q.id
"""
CLAIM = """
    UPDATE queue SET status = 2, worker = %(worker)s, claims = claims + 1, attempt = attempt + 1,
        solo = %(solo)s, started_at = CURRENT_TIMESTAMP(6), mtime = CURRENT_TIMESTAMP(6)
    WHERE id IN %(ids)s AND status = 0 AND run_at <= CURRENT_TIMESTAMP(6)
        AND claims BETWEEN %(fewest)s AND %(most)s
"""
ACK = """
    UPDATE queue SET status = 1, took_ms = %(took_ms)s, mtime = CURRENT_TIMESTAMP(6)
    WHERE id IN %(ids)s AND status = 2 AND worker = %(worker)s
"""


def drain(cursor: pymysql.cursors.Cursor, journal: int, index: int, count: int, batch: int) -> None:
    """For ever; the benchmark looks at the journal and ends it."""
    worker = f"floor-{index}"
    window = min(4000, max(64, 4 * count * batch))
    look = {"queue": "default", "window": window, "most": batch}
    look |= {"count": count, "index": index, "last": index}
    while True:
        if not cursor.execute(LOOK, look):
            time.sleep(0.001)  # the window holds other slices' rows, which are just being taken
            continue
        ids = [row[0] for row in cursor.fetchall()]
        claim = {"worker": worker, "solo": len(ids) == 1, "ids": ids, "fewest": 0, "most": 0}
        assert cursor.execute(CLAIM, claim) == len(ids)
        for number in ids:
            os.write(journal, b"%015d\n" % number)
        assert cursor.execute(ACK, {"took_ms": 0, "ids": ids, "worker": worker}) == len(ids)


def main(batch: int) -> None:
    count = int(os.environ["BENCH_WORKERS"])
    url = urlsplit(os.environ["BENCH_MYSQL"])
    journal = os.open(os.environ["BENCH_JOURNAL"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    index = next((index for index in range(1, count) if os.fork() == 0), 0)
    connection = pymysql.connect(
        host=url.hostname,
        port=url.port or 3306,
        user=url.username,
        database=url.path[1:],
        autocommit=True,
    )
    cursor = connection.cursor()
    cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
    drain(cursor, journal, index, count, batch)


if __name__ == "__main__":
    main(int(sys.argv[1]))
