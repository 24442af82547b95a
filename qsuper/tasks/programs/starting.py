"""Starts a program: fork, what must be set up in between, execve.

Not `subprocess`: its Popen takes an exit status that somebody else has reaped for 0, and cannot
lay a pipe on descriptor 3. After the fork a lock that another thread held is held for ever: up to
execve nothing is imported, logged, or waited for.
"""

import ctypes
import errno
import math
import os
import resource
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from qsuper import kinship
from qsuper.config import RlimitConfig

REPORT = 3
"""The descriptor on which a program may tell us something."""
_ERROR = 4
"""Where the number of an error goes that comes before its first instruction."""

_execve = ctypes.CDLL(None, use_errno=True).execve
_SIGNALS = tuple(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})

Limit = tuple[int, int, int]
"""What, how much before a signal or an error, how much at last."""


@dataclass(frozen=True, slots=True)
class Command:
    """All that a process is started with."""

    path: str
    argv: Sequence[str]
    environ: Mapping[str, str]
    cwd: str
    limits: Sequence[Limit] = ()


def limits_of(settings: RlimitConfig) -> Iterator[Limit]:
    """As `setrlimit` wants them: the address space last, nothing can be allocated after it."""
    if settings.cpu is not None:
        # A second more before it is killed, so that SIGXCPU can say what for.
        seconds = math.ceil(settings.cpu)
        yield resource.RLIMIT_CPU, seconds, seconds + 1
    for kind, most in (
        (resource.RLIMIT_NOFILE, settings.files),
        (resource.RLIMIT_NPROC, settings.processes),
        (resource.RLIMIT_FSIZE, settings.file_size),
        (resource.RLIMIT_AS, settings.memory),
    ):
        if most is not None:
            yield kind, most, most


def fork(command: Command, stdin: int, report: int, error: int) -> int:
    """The pid of a new process that becomes the program, or writes an error number to `error`."""
    path = os.fsencode(command.path)
    argv = _strings([_encoded(argument) for argument in command.argv])
    settings = [_encoded(f"{name}={value}") for name, value in command.environ.items()]
    environ = _strings(settings)
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    number = errno.EIO
    try:
        os.dup2(stdin, 0)
        os.dup2(report, REPORT)
        os.dup2(error, _ERROR, inheritable=False)
        os.closerange(_ERROR + 1, _highest_descriptor() + 1)
        _stand_alone(parent)
        os.chdir(command.cwd)
        for limit, soft, hard in command.limits:
            _lower(limit, soft, hard)
        # Not `os.execve`: it copies its arguments, for which the limit may leave no memory.
        _execve(path, argv, environ)
        number = ctypes.get_errno()
    except OSError as failure:
        number = failure.errno or errno.EIO
    except MemoryError:
        number = errno.ENOMEM
    finally:
        os.write(_ERROR, number.to_bytes(2))
        os._exit(127)


def _highest_descriptor() -> int:
    return max(int(number) for number in os.listdir("/proc/self/fd"))


def _stand_alone(parent: int) -> None:
    """Signals as a program expects them, a process group of its own, and the death of its
    parent's."""
    os.setpgid(0, 0)
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    kinship.die_with_parent(signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(127)


def _lower(limit: int, soft: int, hard: int) -> None:
    """Who is no root can only go down, and a limit may be lower already."""
    _, most = resource.getrlimit(limit)
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.setrlimit(limit, (soft, hard))


def _strings(values: Sequence[bytes]) -> "ctypes.Array[ctypes.c_char_p]":
    """As C has a list of strings."""
    return (ctypes.c_char_p * (len(values) + 1))(*values, None)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
