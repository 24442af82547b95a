"""The journal: what the jobs themselves say of their runs, and the checkers that judge it.

Nothing here asks the code under test. A job writes one line when it begins and one when it ends,
each by one `write` to a file opened for appending, and between the two it holds a lock of the
kernel's on the byte of its number: a second run that begins while a first one lives finds it
held. The kernel frees it at the very moment a process dies, so a killed run overlaps nobody.
"""

import fcntl
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BEGIN, END, FAIL, HELD = "B", "E", "F", "X"
"""Kinds of events: a run begins, returns, raises; a run finds its job run by another process."""
_LINE = "{} {:>10} {:>8} {:>41}\n"
_LENGTH = len(_LINE.format(BEGIN, 0, 0, 0))
assert 4096 % _LENGTH == 0, "a kill would tear lines: the kernel writes page by page"


class Journal:
    """The writing side, one in each process that runs jobs."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._locks = _open_locks(path)

    @contextmanager
    def run(self, number: int) -> Iterator[None]:
        """Around the code of job `number`."""
        try:
            fcntl.lockf(self._locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        except OSError:
            self._note(HELD, number)
        self._note(BEGIN, number)
        try:
            yield
        except BaseException:
            self._note(FAIL, number)
            raise
        else:
            self._note(END, number)
        finally:
            fcntl.lockf(self._locks, fcntl.LOCK_UN, 1, number)

    def _note(self, kind: str, number: int) -> None:
        line = _LINE.format(kind, number, os.getpid(), time.monotonic_ns())
        os.write(self._file, line.encode())


def _open_locks(path: Path) -> int:
    """The file whose bytes are locked; one of nobody else's where no journal is kept."""
    if path == Path(os.devnull):
        return os.memfd_create("locks")
    return os.open(f"{path}.locks", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


@dataclass(frozen=True, slots=True)
class Event:
    """One line; `at` is CLOCK_MONOTONIC in ns, the same for all processes of the host."""

    kind: str
    number: int
    pid: int
    at: int


@dataclass(slots=True)
class Run:
    """One run of one job, as far as it came."""

    number: int
    pid: int
    began: int
    ended: int | None = None
    """None when its process was killed, or while it runs."""
    succeeded: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """One change of a row that the test's own trigger has recorded, in the order of the writes."""

    number: int
    old: int
    new: int
    worker: str | None
    claims: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Death:
    """A process that the test has killed; `at` is CLOCK_MONOTONIC in ns, before the signal."""

    pid: int
    at: int


def read(path: Path) -> list[Event]:
    """Every whole line, in the order in which they were written."""
    if not path.exists():
        return []
    raw = path.read_bytes()
    events = []
    for start in range(0, len(raw) - _LENGTH + 1, _LENGTH):
        kind, number, pid, at = raw[start : start + _LENGTH].split()
        events.append(Event(kind.decode(), int(number), int(pid), int(at)))
    return events


def length(path: Path) -> int:
    """How many lines have been written; reads none of them."""
    return path.stat().st_size // _LENGTH if path.exists() else 0


def inside(path: Path) -> set[int]:
    """The processes whose last word is that a job begins; reads the end of the journal only."""
    with path.open("rb") as file:
        file.seek(max(0, length(path) - 64) * _LENGTH)
        lines = [line.split() for line in file.read().splitlines() if len(line) + 1 == _LENGTH]
    last = {int(pid): kind.decode() for kind, _, pid, _ in lines}
    return {pid for pid, kind in last.items() if kind == BEGIN}


def runs_of(events: Iterable[Event]) -> list[Run]:
    """The runs, in the order in which they began."""
    runs: list[Run] = []
    under_way: dict[tuple[int, int], Run] = {}
    for event in events:
        key = (event.pid, event.number)
        if event.kind == BEGIN:
            under_way[key] = Run(event.number, event.pid, event.at)
            runs.append(under_way[key])
        elif event.kind in (END, FAIL):
            run = under_way.pop(key, None)
            if run is None:
                # A process that the run has forked ends it, too: it runs without having begun.
                run = Run(event.number, event.pid, event.at)
                runs.append(run)
            run.ended, run.succeeded = event.at, event.kind == END
    return runs


def lost(expected: Iterable[int], runs: Iterable[Run]) -> set[int]:
    """Jobs that no run has brought to its end."""
    return set(expected) - {run.number for run in runs if run.succeeded}


def ends_of(events: Iterable[Event], deaths: Iterable[Death] = ()) -> list[tuple[Run, int]]:
    """Each run with its end: its own word, or the death of its process, or its last word."""
    events = list(events)
    last_word = {event.pid: event.at for event in events}
    killed: dict[int, list[int]] = {}
    for death in deaths:
        killed.setdefault(death.pid, []).append(death.at)

    def end_of(run: Run) -> int:
        if run.ended is not None:
            return run.ended
        after = [at for at in killed.get(run.pid, ()) if at >= run.began]
        return min(after, default=last_word[run.pid])

    return [(run, end_of(run)) for run in runs_of(events)]


def overlapping(events: Iterable[Event], deaths: Iterable[Death] = ()) -> list[int]:
    """Jobs of which two runs were under way at one moment, once for each time it happened.

    Told twice: by the kernel's locks, and by the times. A run that was cut short lasts until its
    process was killed, or is known to have lived when it wrote its last line.
    """
    events = list(events)
    found = [event.number for event in events if event.kind == HELD]
    by_job: dict[int, list[tuple[int, int]]] = {}
    for run, end in ends_of(events, deaths):
        by_job.setdefault(run.number, []).append((run.began, end))
    for number, spans in by_job.items():
        latest = 0
        for began, end in sorted(spans):
            if began < latest:
                found.append(number)
            latest = max(latest, end)
    return found


def again_after_ack(moves: Iterable[Move], runs: Iterable[Run]) -> set[int]:
    """Jobs that left `done`, or that ran more often than they were claimed."""
    done: set[int] = set()
    again: set[int] = set()
    claims: Counter[int] = Counter()
    for move in moves:
        if move.number in done:
            again.add(move.number)
        if move.new == 1:
            done.add(move.number)
        if move.new == 2:
            claims[move.number] += 1
    begun = Counter(run.number for run in runs)
    return again | {number for number, count in begun.items() if count > claims[number]}


def cut_short(deaths: Iterable[Death], runs: Iterable[Run]) -> int:
    """How many of the killed processes had a run under way when they were killed."""
    unended = {run.pid for run in runs if run.ended is None}
    return sum(death.pid in unended for death in deaths)
