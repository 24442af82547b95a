"""Dramatiq on Redis."""

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from bench.contenders.job import job

broker = RedisBroker(url=os.environ["BENCH_REDIS"])
dramatiq.set_broker(broker)


@dramatiq.actor
def noop(number: int) -> None:
    job(number)


def add(number: int) -> None:
    noop.send(number)
