"""Who the daemon is: root gives its rights up for good, before it touches anything."""

import ctypes
import grp
import os
import pwd
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from qsuper.errors import ConfigError, QsuperError

_PR_SET_DUMPABLE = 4


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a process may become."""

    uid: int
    gid: int
    groups: frozenset[int]
    """All of them, its own included."""
    name: str
    home: str


def become(user: str | None, group: str | None, folders: Iterable[Path]) -> None:
    """Be this user and group from now on, if this process is not already.

    Those of `folders` that are missing where the account could not make them are made and given to
    it. Raises `ConfigError` for accounts that do not exist, and `QsuperError` when this process
    may not become another, or could become root again.
    """
    if user is None:
        if group is not None:
            raise ConfigError([f"group = {group!r} needs a user; name that, too"])
        return
    account = find(user, group)
    if os.geteuid() != 0:
        _refuse_to_be_another(account)
        return
    for folder in folders:
        _make_for(account, folder)
    _change_to(account)
    _verify(account)
    _look_at_python(account)
    os.environ.update(HOME=account.home, USER=account.name, LOGNAME=account.name)


def is_root_unasked(user: str | None) -> bool:
    """Whether jobs run as root although nobody has said that they should."""
    return user is None and os.geteuid() == 0


def find(user: str, group: str | None) -> Account:
    """The account of these names, or numbers; raises `ConfigError`."""
    entry = _user(user)
    if entry is None and not user.isdecimal():
        raise ConfigError([f"user = {user!r}: this host has no such account; name one it has"])
    uid = entry.pw_uid if entry else int(user)
    if group is not None:
        gid = _group(group)
    elif entry:
        gid = entry.pw_gid
    else:
        raise ConfigError([f"user = {user!r} has no account, and so no group; set group, too"])
    groups = os.getgrouplist(entry.pw_name, gid) if entry else [gid]
    home = entry.pw_dir if entry else "/"
    return Account(uid, gid, frozenset(groups), entry.pw_name if entry else user, home)


def _user(user: str) -> pwd.struct_passwd | None:
    with suppress(KeyError):
        return pwd.getpwnam(user)
    with suppress(KeyError, ValueError, OverflowError):
        return pwd.getpwuid(int(user))
    return None


def _group(group: str) -> int:
    with suppress(KeyError):
        return grp.getgrnam(group).gr_gid
    if group.isdecimal():
        return int(group)
    raise ConfigError([f"group = {group!r}: this host has no such group; name one it has"])


def _refuse_to_be_another(account: Account) -> None:
    if os.geteuid() != account.uid or os.getegid() != account.gid:
        raise QsuperError(
            f"only root can become user {account.name} with group {account.gid}, and this is user "
            f"{os.geteuid()} with group {os.getegid()}: start it as root or as {account.name}, or "
            "take user and group out of the configuration"
        )


def _make_for(account: Account, folder: Path) -> None:
    """Make the first folder that is missing on the way, where the account has no right to.

    The rest is for the account itself: in a folder of its own it could lead root astray.
    """
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    if not missing:
        return
    first = missing[-1]
    if first.parent.stat().st_uid == account.uid:
        return
    try:
        first.mkdir()
        opened = os.open(first, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            os.fchown(opened, account.uid, account.gid)
        finally:
            os.close(opened)
    except OSError as error:
        raise QsuperError(
            f"cannot make {first} for {account.name}: {error.strerror}; make it, or name another"
        ) from error


def _change_to(account: Account) -> None:
    """Groups first: a process that is no longer root may not change them."""
    os.setgroups(sorted(account.groups))
    os.setresgid(account.gid, account.gid, account.gid)
    os.setresuid(account.uid, account.uid, account.uid)
    # The kernel now hides this process and its children in /proc from their own user: the next
    # master could not find what this one leaves (`processes.has_tag`).
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, ctypes.c_ulong(1), 0, 0, 0)


def _verify(account: Account) -> None:
    """Trust what the kernel says now, not that the calls have returned."""
    changed = (
        set(os.getresuid()) == {account.uid}
        and set(os.getresgid()) == {account.gid}
        and set(os.getgroups()) == account.groups
    )
    if not changed or (account.uid != 0 and _can_be_root_again()):
        raise QsuperError(
            f"the rights of root could not be given up for {account.name}; nothing was started"
        )


def _look_at_python(account: Account) -> None:
    """What has yet to be imported is imported by the account."""
    for place in (os.__file__, __file__):
        if not os.access(place, os.R_OK):
            raise QsuperError(
                f"{account.name} may not read {place}: have Python and qsuper where it may, or "
                "open the folders on the way to it"
            )


def _can_be_root_again() -> bool:
    try:
        os.setuid(0)
    except PermissionError:
        return False
    return True
