"""What belongs to a master, by the process table alone."""

from contextlib import suppress

import psutil

TAG = "QSUPER_RUN"


def family(pid: int) -> set[psutil.Process]:
    """All that descends from a process, daemons that it has adopted included."""
    with suppress(psutil.NoSuchProcess):
        return set(psutil.Process(pid).children(recursive=True))
    return set()


def tagged(nonce: str) -> set[psutil.Process]:
    """All programs that carry the mark of a run in their environment, whoever their parent is."""
    return {process for process in psutil.process_iter() if variable(process, TAG) == nonce}


def variable(process: psutil.Process, name: str) -> str | None:
    """What a process has in its environment under a name; nothing when it is gone."""
    # psutil lets some errors of /proc pass as they are.
    with suppress(psutil.Error, OSError):
        return process.environ().get(name)
    return None


def living(processes: set[psutil.Process]) -> set[psutil.Process]:
    """Those that still run; a zombie does not."""
    return {process for process in processes if _lives(process)}


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def end(processes: set[psutil.Process]) -> None:
    """Kill what a broken run has left."""
    for process in living(processes):
        with suppress(psutil.NoSuchProcess):
            process.kill()


def is_zombie(process: psutil.Process) -> bool:
    """Whether it has ended and nobody has asked how; one that is gone altogether is none."""
    with suppress(psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):
        return process.status() == psutil.STATUS_ZOMBIE
    return False
