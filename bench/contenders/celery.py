"""Celery on Redis; BENCH_ACKS_LATE=1 acknowledges after the job instead of before it."""

import os
from functools import cache
from typing import Any

from celery import Celery

from bench.contenders.job import job

app = Celery("bench", broker=os.environ["BENCH_REDIS"])
app.conf.update(
    task_ignore_result=True,
    task_acks_late="BENCH_ACKS_LATE" in os.environ,
    # Without it a job whose child is killed is acknowledged all the same.
    task_reject_on_worker_lost="BENCH_ACKS_LATE" in os.environ,
    # The optimizing guide: 64 or 128 where many short jobs are run.
    worker_prefetch_multiplier=128,
    broker_connection_retry_on_startup=True,
)


@app.task(name="noop")
def noop(number: int) -> None:
    job(number)


@cache
def _producer() -> Any:
    """The one connection of a producer."""
    return app.amqp.Producer(app.connection_for_write())


def add(number: int) -> None:
    noop.apply_async((number,), producer=_producer())
