"""What many want at the same moment."""

import asyncio
import threading

import pytest

from qsuper.errors import NotRunning
from qsuper.roles.web.serving.once import Once
from qsuper.roles.web.serving.pool import Pool

MANY = 200


def test_many_who_ask_at_once_get_what_was_done_once() -> None:
    done: list[int] = []
    may_end = threading.Event()

    def work(number: int) -> int:
        may_end.wait()
        done.append(number)
        return number

    async def ask() -> list[int]:
        once = Once(Pool(1), work)
        asking = [asyncio.create_task(once.run(number)) for number in range(MANY)]
        await asyncio.sleep(0)
        asking[0].cancel()
        may_end.set()
        found = [await task for task in asking[1:]]
        return [*found, await once.run(MANY)]

    assert asyncio.run(ask()) == [0] * (MANY - 1) + [MANY]
    assert done == [0, MANY]


def test_what_goes_wrong_goes_wrong_for_all_and_is_tried_again() -> None:
    tries: list[int] = []

    def work() -> int:
        tries.append(1)
        if len(tries) == 1:
            raise NotRunning("not running in var")
        return len(tries)

    async def ask() -> None:
        once = Once(Pool(1), work)
        found = await asyncio.gather(*(once.run() for _ in range(3)), return_exceptions=True)
        assert {str(one) for one in found} == {"not running in var"}
        assert await once.run() == 2

    asyncio.run(ask())
    with pytest.raises(NotRunning):
        asyncio.run(Once(Pool(1), _fail).run())


def _fail() -> int:
    raise NotRunning("not running in var")
