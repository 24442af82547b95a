"""What of a worker's process is put back after each job, so that the next one finds it as it was.

What a job imports, caches or keeps connected is the application's own business, and so is what a
module sets up while it is imported: it stays loaded, and would never set that up again.
"""

import copy
import logging
import random
import sys
from typing import Any

from qsuper.roles import changeable
from qsuper.roles.thing import CannotPutBack, Thing

log = logging.getLogger("qsuper.worker")

THOROUGHLY_EVERY = 64
"""After so many jobs of well-known tasks the dear things are looked at, too."""


class Surroundings:
    """They are as they should be when this is made: the application is loaded, no job has run."""

    def __init__(self) -> None:
        cheap = changeable.cheap()
        self._cheap = _Kept(cheap)
        self._all = _Kept([*cheap, *changeable.dear()])
        self._modules = set(sys.modules)
        self._jobs = 0
        self._meddlers: set[str] = set()
        self._said: set[tuple[str, ...]] = set()

    def put_back(self, task: str, *, trusted: bool) -> str:
        """After a job of `task`, which is `trusted` when many quick ones of it have been seen.

        Returns why this process is of no use any more, or an empty text.
        """
        self._jobs += 1
        new = self._imported() if len(sys.modules) != len(self._modules) else []
        if not new and trusted and self._jobs % THOROUGHLY_EVERY and task not in self._meddlers:
            kept = self._cheap
        else:
            kept = self._all
            # Whether somebody has seeded it cannot be seen.
            random.seed()
        found = kept.look()
        if new and found != kept.values:
            self._adopt(task, new, found)
        return "" if found == kept.values else self._mend(task, kept, found)

    def _imported(self) -> list[str]:
        """Modules of others that are new: Python's own and ours set up nothing."""
        before, self._modules = self._modules, set(sys.modules)
        tops = {name.partition(".")[0] for name in self._modules - before}
        return sorted(tops - sys.stdlib_module_names - {"qsuper"})

    def _adopt(self, task: str, modules: list[str], found: list[Any]) -> None:
        """What they may have set is from now on as it should be."""
        names = []
        for place, (thing, now) in enumerate(zip(self._all.things, found, strict=True)):
            wanted = self._all.values[place]
            if now == wanted or thing.adopt is None or isinstance(now, Exception):
                continue
            adopted = thing.adopt(now, wanted)
            if adopted == wanted:
                continue
            self._all.values[place] = _apart(adopted)
            if place < len(self._cheap.values):
                self._cheap.values[place] = _apart(adopted)
            names.append(thing.name)
        if self._is_new(task, names):
            imports, settings = ", ".join(modules), ", ".join(dict.fromkeys(names))
            log.info("%s has imported %s and changed %s: kept", task, imports, settings)

    def _mend(self, task: str, kept: "_Kept", found: list[Any]) -> str:
        self._meddlers.add(task)
        names, lost = [], []
        for thing, now, wanted in zip(kept.things, found, kept.values, strict=True):
            if now == wanted:
                continue
            try:
                thing.put_back(_apart(wanted))
                if thing.look() != wanted:
                    raise CannotPutBack(thing.name)
                names.append(thing.name)
            except CannotPutBack as error:
                lost.append(str(error))
            except Exception:
                lost.append(thing.name)
        if self._is_new(task, names):
            names = list(dict.fromkeys(names))
            log.warning("%s leaves %s changed: put back, each time", task, ", ".join(names))
        return ", ".join(dict.fromkeys(lost))

    def _is_new(self, task: str, names: list[str]) -> bool:
        """Whether there is something to say of a task that has not been said."""
        if not names or (task, *names) in self._said:
            return False
        self._said.add((task, *names))
        return True


class _Kept:
    """Things, and what they should be."""

    def __init__(self, things: list[Thing]) -> None:
        self.things = things
        self._looks = [thing.look for thing in things]
        self.values = [_apart(value) for value in self.look()]

    def look(self) -> list[Any]:
        try:
            return [look() for look in self._looks]
        except Exception:
            # Somebody has replaced what is asked.
            return [_look(thing) for thing in self.things]


def _apart(value: Any) -> Any:
    """A copy of what may change where it stands."""
    return copy.copy(value) if isinstance(value, list | dict) else value


def _look(thing: Thing) -> Any:
    try:
        return thing.look()
    except Exception as error:
        return error
