"""The children: wanted against living, and what is done about the difference."""

import logging
import os
import signal
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from qsuper.errors import QsuperError
from qsuper.exits import describe
from qsuper.master import tree
from qsuper.master.child import Child
from qsuper.master.graves import Graves
from qsuper.master.spawner import Spawner
from qsuper.place import Kind
from qsuper.scoreboard import PHASES, Record
from qsuper.states import ChildState

GO_ON, DRAIN, AT_ONCE = 0, 1, 2
"""What a record's `order` may be."""

Wanted = Mapping[tuple[Kind, str | None], int]
"""How many children of a kind, per queue or (None) in all."""

log = logging.getLogger("qsuper.master")


class Crew:
    """All places of this node, those that are being left included."""

    def __init__(self, spawner: Spawner, graves: Graves, *, once: bool) -> None:
        self._spawner = spawner
        self._graves = graves
        self._once = once
        self.children: list[Child] = []
        self.exits: Counter[str] = Counter()
        """Children that have ended, by cause."""

    @property
    def alive(self) -> list[Child]:
        return [child for child in self.children if child.alive]

    @property
    def workers(self) -> list[Child]:
        """The living that run jobs, but for those killed already."""
        return [child for child in self.alive if child.kind.per_queue and not child.killed]

    def find(self, name: str) -> Child:
        """The child of this name that is not about to leave; raises `QsuperError`."""
        for child in self.children:
            if child.name == name and not child.retiring and child.replaces is None:
                return child
        names = ", ".join(sorted({child.name for child in self.children})) or "none"
        raise QsuperError(f"there is no child {name!r}; there are: {names}")

    def reap(self, now: float) -> None:
        """Note who has ended; their records are closed once their whole trees are gone."""
        while (ended := self._graves.reap()) is not None:
            pid, status = ended
            child = next((one for one in self.alive if one.pid == pid), None)
            if child is not None and child.record is not None:
                self._bury(child, child.record, status, now)
        self._graves.close(frozenset(child.pid for child in self.alive), now)

    def _bury(self, child: Child, record: Record, status: int, now: float) -> None:
        self._note_boot(child, record, now)
        why = f" ({record.reason})" if record.reason else ""
        done, said, pid = record.done, record.trouble, child.pid
        self.exits[record.reason or describe(status)] += 1
        self._graves.add(record, status, child.kind, now)
        child.exited(
            status,
            now,
            worked=done > 0,
            once=self._once and child.kind.per_queue,
            said=said,
        )
        level = logging.INFO if child.state is ChildState.STOPPED else logging.WARNING
        log.log(level, "%s pid %d %s%s: %s", child.name, pid, describe(status), why, child.state)
        if child.retiring:
            self.children.remove(child)

    def note_boots(self, now: float) -> None:
        """STARTING children whose phase has left booting are RUNNING."""
        for child in self.children:
            if child.record is not None:
                self._note_boot(child, child.record, now)

    @staticmethod
    def _note_boot(child: Child, record: Record, now: float) -> None:
        if child.state is ChildState.STARTING and PHASES[record.phase] != "booting":
            child.booted(now)

    def balance(self, wanted: Wanted, now: float, *, held: bool) -> None:
        """Retire what is too much, fork what is missing; no per-queue child while `held`."""
        for (kind, queue), count in wanted.items():
            places = self._places(kind, queue)
            if len(places) > count:
                for child in _first_to_leave(places)[: len(places) - count]:
                    self.retire(child, now)
            for number in self._free_numbers(kind, queue, count - len(places)):
                self.children.append(Child(kind, now, queue=queue, number=number))
        for child in [one for one in self.children if (one.kind, one.queue) not in wanted]:
            self.retire(child, now)
        for child in self.children:
            if child.due(now) and not (held and child.kind.per_queue):
                self._spawner.spawn(child, self._ordinal(child), now)
        self._renumber()

    def _places(self, kind: Kind, queue: str | None) -> list[Child]:
        return [
            child
            for child in self.children
            if child.kind is kind
            and child.queue == queue
            and not child.retiring
            and child.replaces is None
        ]

    def _free_numbers(self, kind: Kind, queue: str | None, count: int) -> Iterator[int]:
        """The lowest numbers that nobody has, those who are leaving included."""
        taken = {
            child.number for child in self.children if child.kind is kind and child.queue == queue
        }
        number = 0
        while count > 0:
            if number not in taken:
                count -= 1
                yield number
            number += 1

    def _ordinal(self, child: Child) -> int:
        """Its place among the living of its queue: dense, so that no slice is nobody's."""
        place = child.replaces or child
        living = [one for one in self._places(child.kind, child.queue) if one.alive or one is place]
        living.sort(key=lambda one: one.number)
        return living.index(place) if place in living else 0

    def _renumber(self) -> None:
        """Close the gaps in the ordinals; a replacement has that of the one it replaces."""
        next_of: dict[tuple[Kind, str | None], int] = {}
        ordinals: dict[Child, int] = {}
        staying = [child for child in self.children if child.alive and not child.retiring]
        for child in sorted(staying, key=lambda one: (one.replaces is not None, one.number)):
            if child.replaces is None:
                group = (child.kind, child.queue)
                ordinals[child] = next_of.get(group, 0)
                next_of[group] = ordinals[child] + 1
            else:
                ordinals[child] = ordinals.get(child.replaces, 0)
            if child.record is not None and child.record.ordinal != ordinals[child]:
                child.record.ordinal = ordinals[child]

    def retire(self, child: Child, now: float) -> None:
        """Let it finish what it does and leave; nobody follows it."""
        if child.retiring:
            return
        child.retiring = True
        if child.alive:
            self.order(child, DRAIN, now)
        else:
            self.children.remove(child)

    def restart(self, child: Child, now: float) -> None:
        """Let it finish what it does, then a fresh process takes the place; at once if dead."""
        if child.alive:
            self.order(child, DRAIN, now)
        else:
            child.retry_now(now)

    def replace(self, child: Child, now: float) -> Child:
        """A second process for a place; the first one works on until `succeed`."""
        fresh = Child(child.kind, now, queue=child.queue, number=child.number)
        fresh.replaces = child
        self.children.append(fresh)
        return fresh

    def succeed(self, fresh: Child, now: float) -> None:
        """The replacement takes over."""
        old, fresh.replaces = fresh.replaces, None
        if old is not None:
            fresh.forks += old.forks
            self.retire(old, now)

    def dismiss(self, fresh: Child, now: float) -> None:
        """The replacement goes, the one it would have replaced stays."""
        fresh.replaces = None
        self.retire(fresh, now)

    def order(self, child: Child, order: int, now: float) -> None:
        """Tell a living child to drain, or to stop at once. What was asked is never taken back."""
        if child.record is None or child.record.order >= order:
            return
        child.record.order = order
        child.told_to_stop(now)
        self.signal([child], signal.SIGTERM if order == DRAIN else signal.SIGQUIT)

    def kill(self, child: Child, reason: str) -> None:
        """End a living child and all it has started."""
        if child.record is None or child.killed:
            return
        child.killed = True
        child.record.reason = reason
        log.warning("killing %s pid %d and what it has started: %s", child.name, child.pid, reason)
        tree.kill(child.pid)

    @staticmethod
    def signal(children: Sequence[Child], number: int) -> None:
        for child in children:
            if child.alive:
                os.kill(child.pid, number)


def _first_to_leave(places: Sequence[Child]) -> list[Child]:
    """Those without a process first, then the idle ones, the highest number first."""
    return sorted(places, key=lambda child: (child.alive, not child.idle, -child.number))
