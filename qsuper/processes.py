"""The host's processes as /proc tells of them."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """One process. Its pid may be used again, its pid and start time together never are."""

    pid: int
    parent: int
    ticks: int
    """Start time in clock ticks since boot."""
    zombie: bool


def look(pid: int) -> Process | None:
    """The process of this pid, or None when there is none."""
    try:
        stat = (_PROC / str(pid) / "stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command stands in parentheses and may hold spaces and parentheses itself.
    fields = stat[stat.rindex(b")") + 2 :].split()
    return Process(pid, int(fields[1]), int(fields[19]), fields[0] in b"ZX")


def ticks_at(moment: float) -> int:
    """The `ticks` of a process started at that moment, in seconds since boot, or just before."""
    return int(moment * TICKS_A_SECOND)


def lives(pid: int, ticks: int) -> bool:
    """Whether exactly this process lives: its pid may be another's by now."""
    process = look(pid)
    return process is not None and process.ticks == ticks and not process.zombie


def send(process: Process, number: int) -> None:
    """Signal exactly this process, if it is still there and ours to signal."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except OSError:  # gone
        return
    try:
        now = look(process.pid)
        if now is not None and now.ticks == process.ticks:
            signal.pidfd_send_signal(descriptor, number)
    except (ProcessLookupError, PermissionError):
        return
    finally:
        os.close(descriptor)


def memory(pid: int) -> int | None:
    """Bytes of memory, its share of what it shares (PSS); None where the kernel does not say.

    None also for another user's process.
    """
    try:
        rollup = (_PROC / str(pid) / "smaps_rollup").read_text()
    except OSError:
        return None
    for line in rollup.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return None


def boot_id() -> str:
    """Another one after each boot; pids of an earlier boot mean nothing."""
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def everyone() -> dict[int, Process]:
    """Every process of the host by its pid."""
    found = (look(int(entry)) for entry in os.listdir(_PROC) if entry.isdecimal())
    return {process.pid: process for process in found if process is not None}


def descendants(pid: int, since: float = 0.0) -> list[Process]:
    """What descends from a process, parents before their children, without zombies.

    With `since`, in seconds since boot, only what was started from then on: not what an older
    child has started lately, either.
    """
    oldest = ticks_at(since)
    family: dict[int, list[Process]] = {}
    for process in everyone().values():
        family.setdefault(process.parent, []).append(process)
    found: list[Process] = []
    parents = [pid]
    while parents:
        children = [one for one in family.get(parents.pop(), []) if one.ticks >= oldest]
        found += [child for child in children if not child.zombie]
        parents += [child.pid for child in children]
    return found


def children() -> list[int]:
    """The pids of this process's own children, those it did not fork included."""
    own = os.getpid()
    if not (_PROC / "self" / "task" / str(own) / "children").exists():
        # A kernel without CONFIG_PROC_CHILDREN.
        return [process.pid for process in everyone().values() if process.parent == own]
    found = []
    # Each thread has those that it has forked itself.
    for thread in (_PROC / "self" / "task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            found += (thread / "children").read_text().split()
    return [int(pid) for pid in found]


def ancestors() -> Iterator[int]:
    """This process and all it descends from."""
    pid = os.getpid()
    while pid and (process := look(pid)) is not None:
        yield pid
        pid = process.parent


def age(process: Process) -> float:
    """Seconds since a process has started."""
    up = float((_PROC / "uptime").read_text().split()[0])
    return max(0.0, up - process.ticks / TICKS_A_SECOND)


def has_tag(pid: int, tag: bytes) -> bool:
    """Whether `tag` (`NAME=value`) stands in the environment a process was started with."""
    try:
        return tag in (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:  # gone, or another user's
        return False


def locks_file(pid: int, path: Path) -> bool:
    """Whether a process holds an open file through which `path` is locked by flock.

    Only those: a backup that reads the file is no holder.
    """
    folder = _PROC / str(pid)
    try:
        wanted = path.stat()
        for descriptor in os.listdir(folder / "fd"):
            opened = (folder / "fd" / descriptor).stat()
            if (opened.st_dev, opened.st_ino) != (wanted.st_dev, wanted.st_ino):
                continue
            if "FLOCK" in (folder / "fdinfo" / descriptor).read_text():
                return True
    except OSError:  # gone, or another user's
        return False
    return False
