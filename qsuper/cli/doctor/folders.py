"""The folders of a node: whether they can be written, by whom, and on what they lie."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from qsuper.cli.checks import writable
from qsuper.cli.doctor import disks
from qsuper.cli.doctor.case import Case
from qsuper.cli.doctor.finding import Finding, bad, ok, refused, warn
from qsuper.config.loader import STANDARD_OUTPUT
from qsuper.errors import QsuperError

SOCKET = "control.sock"
PATH_MOST = 107
"""Bytes of a unix socket's path."""


def folders(case: Case) -> Iterator[Finding]:
    state_dir = Path(case.config.state_dir)
    yield from _folder(state_dir, "state_dir")
    disk = disks.of(state_dir)
    if disk.is_network:
        yield bad(
            f"state_dir lies on {disk.kind}: its locks and its shared memory are for one host",
            "name a folder of this host's own disk as state_dir",
        )
    length = len(os.fsencode(state_dir / SOCKET))
    if length > PATH_MOST:
        yield bad(
            f"the path of {SOCKET} in state_dir has {length} bytes; a socket's has {PATH_MOST} at"
            " most",
            "name a shorter state_dir",
        )
    if case.config.log.dir == STANDARD_OUTPUT:
        yield ok("the log goes to standard output")
    else:
        yield from _folder(Path(case.config.log.dir), "[log] dir")


def _folder(folder: Path, key: str) -> Iterator[Finding]:
    try:
        writable(folder, key)
    except QsuperError as error:
        yield from refused(error)
        return
    if folder.exists():
        mode = folder.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            yield warn(
                f"{folder} may be written by everybody: whoever can, can command qsuper",
                f"chmod o-w {folder}",
            )
        if os.geteuid() == 0 and folder.stat().st_uid != 0:
            name = disks.owner(folder)
            yield warn(
                f"{folder} belongs to {name}, and this is root: files that root makes there are in"
                f" {name}'s way",
                f"run qsuper's verbs as {name}",
            )
    yield from disks.room(folder, disks.of(folder))
