"""What there is to say of a SQLite file."""

import os
from collections.abc import Iterator
from pathlib import Path

from qsuper.cli.doctor import disks
from qsuper.cli.doctor.finding import Finding, bad, note, ok, warn
from qsuper.cli.printing import cut
from qsuper.store.examining import file

WAL_LARGE = 256 * 1024**2
"""Bytes of changes that could not be put into the file, for somebody reads an older state."""
_BESIDE = ("", "-wal", "-shm")


def library() -> Iterator[Finding]:
    found = ".".join(map(str, file.library()))
    if file.library() < file.OLDEST:
        wanted = ".".join(map(str, file.OLDEST[:2]))
        yield bad(f"this Python has SQLite {found}", f"take a Python with SQLite {wanted} or later")
    else:
        yield ok(f"SQLite {found}")


def place(path: Path) -> Iterator[Finding]:
    """The folder's file system, and whose the files are."""
    disk = disks.of(path.parent)
    if disk.is_network:
        yield bad(
            f"{path} lies on {disk.kind}: SQLite's locks do not hold over a network, and two"
            " workers may take one job",
            "put it on a disk of this host, or use MySQL or MariaDB",
        )
    elif disk.is_volatile:
        yield warn(
            f"{path} lies on {disk.kind}: all jobs are gone with the next boot of the host, or"
            " with the container",
            "put it on a disk or a volume that stays",
        )
    yield from disks.room(path.parent, disk)
    for beside in _BESIDE:
        one = Path(f"{path}{beside}")
        if one.exists() and not os.access(one, os.R_OK | os.W_OK):
            yield bad(
                f"{one} belongs to {disks.owner(one)} and cannot be written by this user",
                "chown it to the user that qsuper runs as",
            )


def journal(path: Path, mode: str) -> Iterator[Finding]:
    if mode != "wal":
        yield note(f"journal_mode is {cut(mode, 20)}; the first worker sets it to wal")
    else:
        yield ok("journal_mode is wal; each connection sets synchronous = FULL")
    wal = Path(f"{path}-wal")
    size = wal.stat().st_size if wal.exists() else 0
    if size >= WAL_LARGE:
        yield warn(
            f"{wal.name} has grown to {size // 1024**2} MB: somebody keeps reading an old state,"
            " and each claim takes longer",
            "end that reader (a forgotten sqlite3 shell, a backup)",
        )
