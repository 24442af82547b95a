"""RQ."""

import os
from collections.abc import Sequence

from redis import Redis
from rq import Queue

from bench.contenders.job import job

# By this name `rq --config` finds it.
REDIS_URL = os.environ["BENCH_REDIS"]
queue = Queue("bench", connection=Redis.from_url(REDIS_URL))


def noop(number: int) -> None:
    job(number)


def add(number: int) -> None:
    queue.enqueue(noop, number, result_ttl=0)


def add_many(numbers: Sequence[int]) -> None:
    queue.enqueue_many(
        [Queue.prepare_data(noop, args=(number,), result_ttl=0) for number in numbers]
    )
