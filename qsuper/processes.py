"""The host's processes as /proc tells of them."""

import os
from collections.abc import Iterator
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


def lives(pid: int, ticks: int) -> bool:
    """Whether exactly this process lives: its pid may be another's by now."""
    process = look(pid)
    return process is not None and process.ticks == ticks and not process.zombie


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


def descendants(pid: int) -> list[Process]:
    """What descends from a process, parents before their children, without zombies."""
    family: dict[int, list[Process]] = {}
    for process in everyone().values():
        family.setdefault(process.parent, []).append(process)
    found: list[Process] = []
    parents = [pid]
    while parents:
        children = family.get(parents.pop(), [])
        found += [child for child in children if not child.zombie]
        parents += [child.pid for child in children]
    return found


def children() -> list[int]:
    """The pids of this process's own children, those it did not fork included."""
    own = os.getpid()
    try:
        listed = (_PROC / "self" / "task" / str(own) / "children").read_text()
    except FileNotFoundError:  # a kernel without CONFIG_PROC_CHILDREN
        return [process.pid for process in everyone().values() if process.parent == own]
    return [int(pid) for pid in listed.split()]


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
