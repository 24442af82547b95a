"""What the kernel grants the daemon: open files, processes, memory."""

import resource
from collections.abc import Iterator
from pathlib import Path

import psutil

from qsuper.cli.doctor.case import Case
from qsuper.cli.doctor.finding import Finding, bad, note, ok, warn

FILES_LEAST, FILES_FEW = 64, 256
"""Open files of one process. A worker has some 20 of its own (measured), the job has the others."""
PROCESS_MEMORY = 13 * 1024**2
"""Bytes that a child takes before the application has taken any (measured)."""
THREADS_OF_WORKER = 2
FULL = 0.9
"""The part of a memory limit from which on it is said."""
PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")
_UNLIMITED = 2**60


def limits(case: Case) -> Iterator[Finding]:
    """Of the running daemon; while none runs, of this shell."""
    pid = None if case.picture is None else case.picture.pid
    whose = "of this shell (no daemon runs)" if pid is None else "of the daemon"
    yield from files(limit(pid, "Max open files", resource.RLIMIT_NOFILE), whose)
    processes = limit(pid, "Max processes", resource.RLIMIT_NPROC)
    yield from room_for_processes(case, processes, whose, least_of_cgroup(pid, "pids.max"))
    yield from memory(case, memory_limit(pid))


def files(most: int | None, whose: str) -> Iterator[Finding]:
    mend = "raise it: LimitNOFILE= (systemd), minfds and `ulimit -n` (supervisord), limits.conf"
    if most is None or most >= FILES_FEW:
        yield ok(f"open files: {'no limit' if most is None else f'{most:,}'} for each process")
    else:
        yield (bad if most < FILES_LEAST else warn)(
            f"the limit of open files {whose} is {most}: a worker takes some 20 itself, its jobs"
            " the rest",
            mend,
        )


def room_for_processes(
    case: Case, of_user: int | None, whose: str, of_cgroup: int | None
) -> Iterator[Finding]:
    need = case.workers * THREADS_OF_WORKER + len(case.others) + 1
    grants = [most for most in (of_user, of_cgroup) if most is not None]
    most = min(grants, default=None)
    if most is not None and most < 2 * need:
        yield (bad if most < need else warn)(
            f"the limit of processes and threads {whose} is {most:,}; qsuper takes {need}, jobs'"
            " programs come on top",
            "raise it: LimitNPROC= and TasksMax= (systemd), --pids-limit (docker), limits.conf",
        )
    else:
        yield ok(
            f"processes and threads: {'no limit' if most is None else f'{most:,}'}, qsuper takes"
            f" {need}"
        )


def memory(case: Case, most: int | None) -> Iterator[Finding]:
    """`most`: bytes its group of processes may have; None when nobody holds it to any."""
    processes = case.workers + len(case.others) + 1
    have = psutil.virtual_memory()
    if case.picture is not None:
        taken = sum(child.memory or 0 for child in case.picture.children)
        free = have.available
        shown = f"the children take {_mb(taken)}"
    else:
        taken = processes * PROCESS_MEMORY
        free = have.available - taken
        shown = f"{processes} processes take {_mb(taken)} before the application takes any"
    mend = "have fewer workers, set worker.max_memory, or give it more"
    if most is not None and taken > FULL * most:
        yield warn(f"{shown}, and their limit is {_mb(most)}: the kernel kills one of them", mend)
    elif free < 0.05 * have.total:
        yield warn(f"{shown}, and the host has {_mb(have.available)} left", mend)
    else:
        yield ok(f"{shown}; the host has {_mb(have.available)} left")
    if most is not None:
        yield note(f"the group of processes may have {_mb(most)}")


def limit(pid: int | None, name: str, number: int) -> int | None:
    """The soft limit of a process, or of this one; None when there is none."""
    if pid is not None:
        try:
            for line in (PROC / str(pid) / "limits").read_text().splitlines():
                if line.startswith(name):
                    soft = line.removeprefix(name).split()[0]
                    return None if soft == "unlimited" else int(soft)
        except OSError:  # another user's: then this shell's has to do
            pass
    soft_limit, _ = resource.getrlimit(number)
    return None if soft_limit == resource.RLIM_INFINITY else soft_limit


def memory_limit(pid: int | None) -> int | None:
    """What its control group may have, in bytes."""
    return least_of_cgroup(pid, "memory.max", "memory.limit_in_bytes")


def least_of_cgroup(pid: int | None, name: str, old_name: str | None = None) -> int | None:
    """The smallest number of that name in its control group and those above it."""
    found: list[int] = []
    for folder in _groups(pid, name.partition(".")[0]):
        for file in (name, old_name):
            try:
                text = (folder / str(file)).read_text().strip()
            except OSError:
                continue
            if text.isdigit() and int(text) < _UNLIMITED:
                found.append(int(text))
    return min(found, default=None)


def _groups(pid: int | None, controller: str) -> Iterator[Path]:
    """The folders of a process's control groups, of either version of them."""
    try:
        lines = (PROC / str(pid or "self") / "cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        top = CGROUPS / controller if controllers else CGROUPS
        here = top / path.lstrip("/")
        while here.is_relative_to(top):
            yield here
            here = here.parent


def _mb(size: int) -> str:
    return f"{size / 1024**2:,.0f} MB"
