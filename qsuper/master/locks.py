"""The locks of a state directory.

`master.lock` and `standby.lock` are POSIX locks: a fork does not inherit them, and the kernel
names their holder. `run.lock` is a flock on an open file that every child inherits: it is free
only when the master and the last of its children are gone.
"""

import fcntl
import os
import struct
from pathlib import Path

_FLOCK = struct.Struct("hhlli4x")
_WHOLE_FILE = (os.SEEK_SET, 0, 0)


class OwnLock:
    """A lock that belongs to this process alone and says who holds it."""

    def __init__(self, path: Path) -> None:
        # Closing any descriptor of the file gives a POSIX lock up: there is only this one.
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def take(self) -> bool:
        """Take the lock if it is free; whether it is ours now."""
        try:
            fcntl.lockf(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def release(self) -> None:
        fcntl.lockf(self.descriptor, fcntl.LOCK_UN)

    def holder(self) -> int | None:
        """The pid of another process that holds the lock, if one does."""
        question = _FLOCK.pack(fcntl.F_WRLCK, *_WHOLE_FILE, 0)
        answer = fcntl.fcntl(self.descriptor, fcntl.F_GETLK, question)
        kind, _, _, _, pid = _FLOCK.unpack(answer)
        return None if kind == fcntl.F_UNLCK else pid

    def close(self) -> None:
        os.close(self.descriptor)


class SharedLock:
    """A lock that this process and every child it forks hold together.

    The file's text is the nonce of the run that holds it, so that the next run can find its
    programs even when the scoreboard cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def take(self) -> bool:
        """Take the lock if it is free; whether it is ours now."""
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def read(self) -> str:
        """The nonce of the run that holds the lock, or held it last."""
        return os.pread(self.descriptor, 64, 0).decode("ascii", "replace").strip()

    def write(self, nonce: str) -> None:
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, nonce.encode(), 0)

    def close(self) -> None:
        os.close(self.descriptor)
