"""What a job has started, as the kernel knows it: a lock that all its processes hold together."""

import fcntl
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

_LEAVES = "(setsid sleep 3600 &); (setsid sh -c 'sleep 3600 & exec sleep 3600' &); sleep 3600 &"
_SCRIPT = f'{_LEAVES} : > "$1"; wait'
"""A child, a grandchild, a daemon in a session of its own, and one that was forked twice."""


class Tree:
    """That of job `number`, whose processes share one open file and the lock on it.

    The lock is free at the very moment at which the last of them is gone.
    """

    def __init__(self, journal: Path | str, number: int) -> None:
        self._path = Path(f"{journal}.tree.{number}")
        self._grown = Path(f"{self._path}.grown")

    def plant(self) -> int:
        """A descriptor to inherit: who has it belongs to the tree."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        os.set_inheritable(descriptor, True)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        return descriptor

    def grow(self, *, deaf: bool) -> "subprocess.Popen[bytes]":
        """Start a whole tree; a deaf one ignores TERM."""
        root = self.plant()
        try:
            trap = "trap '' TERM; " if deaf else ""
            return subprocess.Popen(
                ["sh", "-c", f"{trap}{_SCRIPT}", "sh", str(self._grown)], pass_fds=(root,)
            )
        finally:
            os.close(root)

    def has_grown(self) -> bool:
        """Whether all of it was there once."""
        return self._grown.exists()

    def grew(self) -> None:
        """Say that it has, for a job that plants without `grow`."""
        self._grown.touch()

    def lives(self) -> bool:
        """Whether any process of it is left."""
        with self._path.open("r+b") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False


def end_trees(journal: Path) -> None:
    """Kill what is left of every tree, whoever its parent is."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            opened = [str(link.readlink()) for link in (folder / "fd").iterdir()]
            if any(path.startswith(f"{journal}.tree.") for path in opened):
                os.kill(int(folder.name), signal.SIGKILL)
