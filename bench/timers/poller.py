"""The yardstick: a bare loop over a sorted set, as many shops have one. Forgets what it holds
when it dies between the ZREM and the end of the handler."""

import os
import sys
import time
from typing import Any

import redis

EVERY = 0.01
"""Seconds between two looks."""
TIMERS = "timers"


def poll(url: str, lateness: str) -> None:
    client = redis.Redis.from_url(url)
    file = os.open(lateness, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    while True:
        due: Any = client.zrangebyscore(TIMERS, "-inf", time.time(), withscores=True)
        for member, at in due:
            if client.zrem(TIMERS, member):
                handle(file, at)
        time.sleep(EVERY)


def handle(file: int, due: float) -> None:
    os.write(file, f"{time.time() - due!r}\n".encode())


if __name__ == "__main__":
    poll(*sys.argv[1:])
