"""What can be asked over the control socket: one function a verb, one table of them."""

import os
from collections.abc import Mapping
from typing import Any, Protocol

from qsuper import wire
from qsuper.errors import QsuperError
from qsuper.master.control import Verb
from qsuper.version import VERSION


class Asked(Protocol):
    """The part of the master that requests are made of."""

    def describe(self) -> dict[str, Any]: ...
    def scale(self, queue: str | None, workers: object) -> dict[str, int]: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def reload(self) -> None: ...
    def restart(self, name: str) -> None: ...
    def stop(self, *, at_once: bool, everyone: bool) -> None: ...
    def reopen(self) -> None: ...


def table(master: Asked) -> Mapping[str, Verb]:
    """The verbs of this master."""

    def hello(args: dict[str, Any]) -> dict[str, Any]:
        _take(args)
        return wire.ok(version=VERSION, pid=os.getpid(), **master.describe())

    def scale(args: dict[str, Any]) -> dict[str, Any]:
        """`{"workers": 8}` or `{"workers": "auto", "queue": "mail"}`."""
        given = _take(args, "queue", "workers")
        if "workers" not in given:
            raise QsuperError("scale needs workers: a number, or auto")
        return wire.ok(wanted=master.scale(_name(given, "queue"), given["workers"]))

    def pause(args: dict[str, Any]) -> dict[str, Any]:
        _take(args)
        master.pause()
        return wire.ok()

    def resume(args: dict[str, Any]) -> dict[str, Any]:
        _take(args)
        master.resume()
        return wire.ok()

    def reload(args: dict[str, Any]) -> dict[str, Any]:
        _take(args)
        master.reload()
        return wire.ok()

    def restart(args: dict[str, Any]) -> dict[str, Any]:
        """`{"name": "default[3]"}`."""
        name = _name(_take(args, "name"), "name")
        if name is None:
            raise QsuperError("restart needs the name of a child, as `qsuper status` shows it")
        master.restart(name)
        return wire.ok()

    def stop(args: dict[str, Any]) -> dict[str, Any]:
        """`{}` drains, `{"now": true}` cuts jobs short; a master that stands by stops too."""
        now = _take(args, "now").get("now", False)
        if not isinstance(now, bool):
            raise QsuperError("now is true or false")
        master.stop(at_once=now, everyone=True)
        return wire.ok()

    def reopen(args: dict[str, Any]) -> dict[str, Any]:
        _take(args)
        master.reopen()
        return wire.ok()

    verbs = (hello, scale, pause, resume, reload, restart, stop, reopen)
    return {verb.__name__: verb for verb in verbs}


def _take(args: dict[str, Any], *known: str) -> dict[str, Any]:
    """The arguments, when there are none but the known ones."""
    if strange := sorted(set(args) - set(known)):
        takes = f"it takes {', '.join(known)}" if known else "it takes none"
        raise QsuperError(f"unknown argument {strange[0][:40]!r}; {takes}")
    return args


def _name(args: dict[str, Any], key: str) -> str | None:
    value = args.get(key)
    if value is not None and not isinstance(value, str):
        raise QsuperError(f"{key} is a name, not {str(value)[:40]!r}")
    return value
