"""taskiq on a Redis stream."""

import asyncio
import os
from collections.abc import Sequence

from taskiq_redis import RedisStreamBroker

from bench.contenders.job import job

broker = RedisStreamBroker(
    os.environ["BENCH_REDIS"],
    # Without a time-out the lock of a killed worker is never given back.
    unacknowledged_lock_timeout=10,
)
_loop: asyncio.AbstractEventLoop | None = None


@broker.task(task_name="noop")
async def noop(number: int) -> None:
    job(number)


def _producer() -> asyncio.AbstractEventLoop:
    """The one loop of a producer, its broker started."""
    global _loop  # noqa: PLW0603
    if _loop is None:
        _loop = asyncio.new_event_loop()
        _loop.run_until_complete(broker.startup())
    return _loop


def add(number: int) -> None:
    _producer().run_until_complete(noop.kiq(number))


async def _add_many(numbers: Sequence[int]) -> None:
    await asyncio.gather(*(noop.kiq(number) for number in numbers))


def add_many(numbers: Sequence[int]) -> None:
    """It has no bulk call; many awaited at once are its way."""
    _producer().run_until_complete(_add_many(numbers))
