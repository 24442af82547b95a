"""A walk over the jobs of one state that meets the newest first, of all queues and priorities."""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from typing import Any

from qsuper.store import places, walking
from qsuper.store.database import Connection
from qsuper.store.position import LAST_ID
from qsuper.store.walking import Walk

PLACES_MOST = 1000
"""Places that are walked side by side; more are walked one after the other, each from its oldest
job on."""
_FIRST_LOOK = 200
"""Jobs of each that are read at first: most have no more."""


@dataclass(slots=True)
class Newest(Walk):
    """See `Walk`."""

    _begun: bool = False
    _places: list[dict[str, Any]] | None = None
    _before: int = LAST_ID
    """The last id of the page before."""
    _ahead: Iterator[int] | None = None
    _connection: Connection | None = None

    def page(self, connection: Connection) -> list[int]:
        if not self._begun:
            only = self.selection.queue
            self._places = places.places(connection, only, (self.state,), PLACES_MOST)
            self._begun = True
        if self._places is None:
            return Walk.page(self, connection)
        if not self._page:
            self._connection = connection
            if self._ahead is None:
                self._ahead = merge(*map(self._ids, self._places), reverse=True)
            try:
                self._page = list(islice(self._ahead, walking.PAGE))
            except BaseException:
                # What has failed gives nothing more: the next call begins behind the page before.
                self._ahead = None
                raise
        return self._page

    def go_on(self) -> None:
        self._before = self._page[-1]
        Walk.go_on(self)

    def _ids(self, place: dict[str, Any]) -> Iterator[int]:
        """Those of one place, read when they are wanted."""
        before, most = self._before, _FIRST_LOOK
        while True:
            assert self._connection is not None
            ids = places.newest(self._connection, place, before, most)
            yield from ids
            if len(ids) < most:
                return
            before, most = ids[-1], walking.PAGE
