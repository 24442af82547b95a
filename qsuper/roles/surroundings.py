"""What of a worker's process is put back after each job, so that the next one finds it as it was.

What a job imports, caches or keeps connected is the application's own business.
"""

import copy
import logging
import random
from typing import Any

from qsuper.roles import changeable
from qsuper.roles.changeable import CannotPutBack, Thing

log = logging.getLogger("qsuper.worker")

THOROUGHLY_EVERY = 64
"""After so many jobs of well-known tasks the dear things are looked at, too."""


class Surroundings:
    """They are as they should be when this is made: the application is loaded, no job has run."""

    def __init__(self) -> None:
        cheap = changeable.cheap()
        self._cheap = _Kept(cheap)
        self._all = _Kept([*cheap, *changeable.dear()])
        self._jobs = 0
        self._meddlers: set[str] = set()
        self._said: set[tuple[str, ...]] = set()

    def put_back(self, task: str, *, trusted: bool) -> str:
        """After a job of `task`, which is `trusted` when many quick ones of it have been seen.

        Returns why this process is of no use any more, or an empty text.
        """
        self._jobs += 1
        if trusted and self._jobs % THOROUGHLY_EVERY and task not in self._meddlers:
            kept = self._cheap
        else:
            kept = self._all
            # Whether somebody has seeded it cannot be seen.
            random.seed()
        found = kept.look()
        return "" if found == kept.values else self._mend(task, kept, found)

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
        self._say(task, names)
        return ", ".join(dict.fromkeys(lost))

    def _say(self, task: str, names: list[str]) -> None:
        names = list(dict.fromkeys(names))
        if names and (task, *names) not in self._said:
            self._said.add((task, *names))
            log.warning("%s leaves %s changed: put back, each time", task, ", ".join(names))


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
