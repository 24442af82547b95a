"""SAQ on Redis."""

import asyncio
import os
from collections.abc import Sequence
from typing import Any

from saq import Queue

from bench.contenders.job import job

queue = Queue.from_url(os.environ["BENCH_REDIS"])
_loop: asyncio.AbstractEventLoop | None = None


async def noop(_context: dict[str, Any], *, number: int) -> None:
    job(number)


settings = {"queue": queue, "functions": [noop], "concurrency": 50}


def _producer() -> asyncio.AbstractEventLoop:
    """The one loop of a producer, its queue connected."""
    global _loop  # noqa: PLW0603
    if _loop is None:
        _loop = asyncio.new_event_loop()
        _loop.run_until_complete(queue.connect())
    return _loop


def add(number: int) -> None:
    _producer().run_until_complete(queue.enqueue("noop", number=number, ttl=-1))


async def _add_many(numbers: Sequence[int]) -> None:
    await asyncio.gather(*(queue.enqueue("noop", number=number, ttl=-1) for number in numbers))


def add_many(numbers: Sequence[int]) -> None:
    """It has no bulk call; many awaited at once are its way."""
    _producer().run_until_complete(_add_many(numbers))
