"""The slots that a worker's jobs have taken, until their ends are written down."""

import threading
from dataclasses import dataclass

from qsuper.store import limiting
from qsuper.store.database import Connection


@dataclass(frozen=True, slots=True)
class TakenSlot:
    """A slot of a limit, and the fence that is in it."""

    limit: str
    job_id: int
    claims: int
    lasting: bool
    """Its limit is the task's as a whole: its slots stay when nobody needs them."""


class Slots:
    """Shared by the worker and its companion."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: dict[int, TakenSlot] = {}
        self._leaving: list[TakenSlot] = []

    def __bool__(self) -> bool:
        return bool(self._taken or self._leaving)

    def note(self, slot: TakenSlot) -> None:
        """A job has it from now on."""
        with self._lock:
            self._taken[slot.job_id] = slot

    def let_go(self, job_id: int) -> None:
        """Its job has ended, or will not begin: free it at the next `free`."""
        with self._lock:
            if slot := self._taken.pop(job_id, None):
                self._leaving.append(slot)

    def free(self, connection: Connection, but: frozenset[int] = frozenset()) -> None:
        """Free what was let go, except for jobs whose end has yet to be written, and make as many
        held ones ready."""
        with self._lock:
            staying = [slot for slot in self._leaving if slot.job_id in but]
            leaving = [slot for slot in self._leaving if slot.job_id not in but]
            while leaving:
                self._leaving = staying + leaving
                _free(connection, leaving[-1])
                leaving.pop()
            self._leaving = staying

    def let_all_go(self) -> None:
        """Nothing runs, and nothing that was claimed will."""
        with self._lock:
            self._leaving += self._taken.values()
            self._taken.clear()


def _free(connection: Connection, slot: TakenSlot) -> None:
    # Nothing to free: it has been given to somebody else, who has what is ours to give.
    freed = limiting.free(connection, slot.limit, slot.job_id, slot.claims)
    if freed and not limiting.unhold(connection, slot.limit, 1) and not slot.lasting:
        limiting.remove(connection, slot.limit)
