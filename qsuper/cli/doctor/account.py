"""Whose rights jobs have, and whether that account can write what qsuper writes."""

import itertools
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from qsuper.cli.doctor import disks
from qsuper.cli.doctor.case import Case
from qsuper.cli.doctor.finding import Finding, bad, counted, note, ok, refused, warn
from qsuper.config.loader import STANDARD_OUTPUT
from qsuper.errors import QsuperError
from qsuper.master.account import Account, find

FILES_MOST = 2000
"""Files of a folder that are looked at."""
PROC = Path("/proc")


def account(case: Case) -> Iterator[Finding]:
    yield from _root(case)
    user = case.config.user
    if user is None:
        return
    try:
        whose = find(user, case.config.group)
    except QsuperError as error:
        yield from refused(error)
        return
    paths = [case.config.state_dir]
    if case.config.log.dir != STANDARD_OUTPUT:
        paths.append(case.config.log.dir)
    folders = [folder for folder in map(Path, paths) if folder.is_dir()]
    strange = [path for folder in folders for path in files_of_others(folder, whose)]
    if strange:
        yield bad(
            f"{counted(len(strange), 'path')} cannot be written by {whose.name}, whom qsuper"
            f" becomes: {strange[0]} is {disks.owner(strange[0])}'s",
            f"chown -R {whose.name} {' '.join(map(str, folders))}",
        )
    else:
        yield ok(f"qsuper becomes {whose.name}, who can write its folders")


def files_of_others(folder: Path, whose: Account) -> list[Path]:
    """The folder and what is in it, as far as the account cannot write there; the first
    `FILES_MOST` are looked at. Links are not followed."""
    found = []
    for path in itertools.islice(itertools.chain([folder], folder.rglob("*")), FILES_MOST):
        try:
            seen = path.lstat()
        except OSError:  # gone meanwhile
            continue
        may = (
            stat.S_ISLNK(seen.st_mode)
            or whose.uid in (0, seen.st_uid)
            or (seen.st_gid in whose.groups and seen.st_mode & stat.S_IWGRP)
            or seen.st_mode & stat.S_IWOTH
        )
        if not may:
            found.append(path)
    return found


def _root(case: Case) -> Iterator[Finding]:
    """Whether jobs have all rights there are."""
    mend = "name an account of their own in `user`, or start qsuper as one"
    if case.picture is None:
        if case.config.user is None and os.geteuid() == 0:
            yield note("root looks here: started by root, jobs would have root's rights", mend)
        return
    try:
        uid = (PROC / str(case.picture.pid)).stat().st_uid
    except OSError:  # it has just ended
        return
    if uid == 0:
        yield warn("the daemon runs as root, and so do all jobs", mend)
    else:
        yield ok("neither the daemon nor a job runs as root")
