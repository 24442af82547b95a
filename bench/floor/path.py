"""The floor of the way to a waiting worker: INSERT, publish, a byte down a pipe, look and claim."""

import json
import os
import time
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pymysql
import redis

from bench.floor.drain import ACK, CLAIM, LOOK

INSERT = "INSERT INTO queue (task, param) VALUES (%s, %s)"
# What a woken worker of qsuper reads, in the way it does: the head of the queue, no slices.
HEAD = (
    LOOK[: LOOK.index("FROM (SELECT id FROM")]
    + "FROM queue q WHERE q.queue = 'default' AND q.status = 0 ORDER BY q.priority, q.id LIMIT 16"
)
CHANNEL = "wake"


@cache
def connect() -> Any:
    url = urlsplit(os.environ["BENCH_MYSQL"])
    host, port, user = url.hostname, url.port or 3306, url.username
    cursor = pymysql.connect(host=host, port=port, user=user, database=url.path[1:]).cursor()
    cursor.execute("SET autocommit = 1, tx_isolation = 'READ-COMMITTED'")
    return cursor


@cache
def server() -> Any:
    return redis.Redis.from_url(os.environ["BENCH_REDIS"])


def add(number: int) -> None:
    connect().execute(INSERT, ("noop", json.dumps({"number": number})))
    server().publish(CHANNEL, "default")


def run_next(cursor: Any, journal: int) -> bool:
    """Claim the next row, write how old it is, ack it; False when there was none."""
    while cursor.execute(HEAD):
        row = cursor.fetchall()[0]
        claim = {"worker": "floor", "solo": True, "ids": [row[0]], "fewest": 0, "most": 0}
        if cursor.execute(CLAIM, claim):
            number = json.loads(row[2])["number"]
            os.write(journal, b"%015d\n" % (time.time_ns() - number))
            cursor.execute(ACK, {"took_ms": 0, "ids": [row[0]], "worker": "floor"})
            return True
    return False


def main() -> None:
    journal = os.open(os.environ["BENCH_JOURNAL"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    wakes, wake = os.pipe()
    if any(os.fork() == 0 for _ in range(int(os.environ["BENCH_WORKERS"]))):
        while os.read(wakes, 1):
            run_next(connect(), journal)
    channel = server().pubsub()
    channel.subscribe(CHANNEL)
    for message in channel.listen():
        # The first answer is to the subscription: jobs that came before it are looked for.
        os.write(wake, b"!" if message["type"] == "message" else b"!" * 1000)


if __name__ == "__main__":
    main()
