"""Threads for what waits: the database, the master, the files."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from qsuper.roles.web.answers import Trouble

THREADS = 6
"""For what may take as long as the database does."""
QUICK_THREADS = 2
"""For what takes no longer than the scoreboard does: it is shown with the database away."""
WAITING_MOST = 32
"""Requests that wait for a thread; one more is told to come back."""

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


class Pool:
    """A few threads, and a queue before them that has an end."""

    def __init__(self, threads: int = THREADS) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="web")
        self._most = threads + WAITING_MOST
        self._busy = 0

    async def run(
        self, work: Callable[_Given, _Result], *args: _Given.args, **kwargs: _Given.kwargs
    ) -> _Result:
        """What `work` returns or raises; raises `Trouble` when too many wait already."""
        if self._busy >= self._most:
            raise Trouble(
                503, "Too much is asked at once; try again.", headers={"retry-after": "1"}
            )
        self._busy += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, lambda: work(*args, **kwargs))
        finally:
            self._busy -= 1
