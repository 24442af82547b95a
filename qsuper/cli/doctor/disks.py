"""What a folder lies on."""

import os
import pwd
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from qsuper.cli.doctor.finding import Finding, bad, ok, warn

MOUNTS = Path("/proc/self/mountinfo")
NETWORK = re.compile(
    r"nfs\d?|cifs|smb\w*|afs|ceph|glusterfs|9p|fuse\.(sshfs|glusterfs|s3fs|rclone)"
)
VOLATILE = ("tmpfs", "ramfs", "overlay")
"""File systems whose files do not outlive the host's boot, or the container."""
FREE_LITTLE, FREE_LEAST = 1024**3, 64 * 1024**2
"""Bytes free from which on it is said, and from which on it is bad."""
FILES_LEAST = 1000
"""Files that must still find room."""
_ESCAPED = re.compile(r"\\(\d{3})")


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system that a path lies on."""

    kind: str
    """As `mount` names it; empty when nobody says."""
    mounted: str
    """Where."""

    @property
    def is_network(self) -> bool:
        return NETWORK.fullmatch(self.kind) is not None

    @property
    def is_volatile(self) -> bool:
        return self.kind in VOLATILE


def existing(path: Path) -> Path:
    """The path, or the nearest folder above that is there."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def of(path: Path) -> Disk:
    """By the longest mount point that leads to it; the last one mounted there counts."""
    wanted = existing(path).resolve()
    found = Disk("", "/")
    for line in MOUNTS.read_text(errors="replace").splitlines():
        before, _, after = line.partition(" - ")
        mounted = _ESCAPED.sub(lambda code: chr(int(code[1], 8)), before.split()[4])
        if wanted.is_relative_to(mounted) and len(mounted) >= len(found.mounted):
            found = Disk(after.split()[0], mounted)
    return found


def room(path: Path, disk: Disk) -> Iterator[Finding]:
    """Whether something can still be written there."""
    space = os.statvfs(existing(path))
    free = space.f_bavail * space.f_frsize
    where = f"{disk.mounted} ({disk.kind or 'unknown'})"
    if free < FREE_LITTLE:
        yield (bad if free < FREE_LEAST else warn)(
            f"{where} has {free // 1024**2} MB left for {path}", "make room, or move it"
        )
    elif space.f_files and space.f_favail < FILES_LEAST:
        yield bad(f"{where} has room for {space.f_favail} more files only", "remove some files")
    else:
        yield ok(f"{path}: on {where}, {free / 1024**3:,.0f} GB free")


def owner(path: Path) -> str:
    """The name of its user, or the number."""
    uid = path.stat().st_uid
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
