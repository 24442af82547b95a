"""What many want at the same moment is done once, for all of them."""

import asyncio
from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

from qsuper.roles.web.serving.pool import Pool

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


class Once(Generic[_Given, _Result]):
    """One piece of work, of which no more than one is under way."""

    def __init__(self, pool: Pool, work: Callable[_Given, _Result]) -> None:
        self._pool = pool
        self._work = work
        self._under_way: asyncio.Task[_Result] | None = None

    async def run(self, *args: _Given.args, **kwargs: _Given.kwargs) -> _Result:
        """What it returns or raises; of whoever was first, where it is under way already."""
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.create_task(self._pool.run(self._work, *args, **kwargs))
        # Who hangs up does not end it for the others.
        return await asyncio.shield(self._under_way)
