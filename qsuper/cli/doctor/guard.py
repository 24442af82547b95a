"""Who starts qsuper again when it ends: supervisord, systemd, a container's runtime."""

import configparser
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from qsuper.cli.doctor import supervisor
from qsuper.cli.doctor.asking import ASKED_FOR, ask

SUPERVISOR_FILES = (
    "/etc/supervisord.conf",
    "/etc/supervisor/supervisord.conf",
    "/etc/supervisor/conf.d/*.conf",
)
SYSTEMD_FILES = ("/etc/systemd/system/*.service", "/usr/lib/systemd/system/qsuper*.service")
PROC = Path("/proc")
_RUN = re.compile(r"\bqsuper\b.*\brun\b")
_UNIT = re.compile(r"/([^/]+\.service)(?=/|$)", re.MULTILINE)
_MANAGER = "user@"
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")
_UNITS = {
    **dict.fromkeys(("us", "usec"), 1e-6),
    **dict.fromkeys(("ms", "msec"), 1e-3),
    **dict.fromkeys(("", "s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
}
"""As systemd.time(7) has them; longer ones stop nothing."""


@dataclass(frozen=True, slots=True)
class Guard:
    """One that keeps qsuper alive, and how it ends it."""

    name: str
    """`supervisord` or `systemd`."""
    where: str
    """The program, the unit or the file."""
    stop_wait: float | None
    """Seconds between TERM and KILL; None for ever."""
    kills_group: bool
    """TERM goes to the children, too."""
    restarts: bool


def of_daemon(pid: int) -> Iterator[Guard]:
    """Of the master that runs; nothing when it is nobody's, or nobody may ask."""
    environ = _environ(pid)
    if url := environ.get("SUPERVISOR_SERVER_URL"):
        # It tells no `stopasgroup` and no `autorestart`: those are then taken to be the usual ones.
        name = environ.get("SUPERVISOR_PROCESS_NAME", "")
        for program in supervisor.programs(url, timeout=ASKED_FOR):
            if program.get("name") == name:
                yield _supervised(f"program {name}", program)
    elif (unit := unit_of(pid)) and (shown := _show(pid, unit)):
        yield _unit(unit, shown)


def in_files(folder: str) -> Iterator[Guard]:
    """Those whose files start qsuper: beside its configuration, and of the host."""
    for path in _files(f"{folder}/supervisord.conf", *SUPERVISOR_FILES):
        for section, values in _read(path).items():
            if section.startswith("program:") and _RUN.search(values.get("command", "")):
                yield _supervised(str(path), values)
    for path in _files(f"{folder}/*.service", *SYSTEMD_FILES):
        values = _read(path).get("Service", {})
        if _RUN.search(values.get("execstart", "")):
            yield _unit(str(path), values)


def unit_of(pid: int) -> str | None:
    """The service of systemd that a process is of."""
    # The innermost; the manager of somebody who is logged in is no service of qsuper's.
    units = [unit for unit in _units(pid) if not unit.startswith(_MANAGER)]
    return units[-1] if units else None


def _units(pid: int) -> list[str]:
    try:
        return _UNIT.findall((PROC / str(pid) / "cgroup").read_text())
    except OSError:
        return []


def seconds(text: str) -> float | None:
    """`90`, `1min 30s`, as systemd writes it; None for ever, which is `infinity` or 0, and for what
    cannot be read."""
    found = [(float(number), _UNITS.get(unit)) for number, unit in _SPAN.findall(text)]
    known = [number * unit for number, unit in found if unit is not None]
    return (sum(known) or None) if len(known) == len(found) else None


def _supervised(where: str, values: Mapping[str, object]) -> Guard:
    def is_true(key: str, otherwise: bool) -> bool:
        return str(values.get(key, otherwise)).lower() in ("true", "yes", "on", "1", "auto")

    restart = str(values.get("autorestart", "unexpected")).lower()
    return Guard(
        "supervisord",
        where,
        _number(str(values.get("stopwaitsecs", 10))),
        is_true("stopasgroup", False),
        restart not in ("false", "no", "off", "0"),
    )


def _number(text: str) -> float | None:
    """None where it stands in a variable."""
    with suppress(ValueError):
        return float(text)
    return None


def _unit(where: str, values: Mapping[str, str]) -> Guard:
    own = values.get("timeoutstopsec") or values.get("timeoutsec")
    stop = values.get("TimeoutStopUSec") or own or "90s"
    kill_mode = values.get("KillMode") or values.get("killmode") or "control-group"
    restart = values.get("Restart") or values.get("restart") or "no"
    return Guard("systemd", where, seconds(stop), kill_mode == "control-group", restart != "no")


def _show(pid: int, unit: str) -> dict[str, str]:
    """What systemd says of a unit; nothing when it cannot be asked."""
    of_user = ["--user"] if any(one.startswith(_MANAGER) for one in _units(pid)) else []
    told = ask("systemctl", *of_user, "show", unit, "-p", "TimeoutStopUSec,KillMode,Restart")
    pairs = (line.partition("=") for line in (told or "").splitlines())
    return {key: value for key, _, value in pairs if value}


def _environ(pid: int) -> dict[str, str]:
    try:
        raw = (PROC / str(pid) / "environ").read_bytes()
    except OSError:  # another user's
        return {}
    pairs = (os.fsdecode(pair).partition("=") for pair in raw.split(b"\0") if pair)
    return {name: value for name, _, value in pairs}


def _files(*patterns: str) -> Iterator[Path]:
    for pattern in patterns:
        top = Path(pattern)
        yield from sorted(top.parent.glob(top.name)) if top.parent.is_dir() else ()


def _read(path: Path) -> dict[str, dict[str, str]]:
    """A file of sections; what cannot be read as one is empty."""
    parser = configparser.RawConfigParser(strict=False, inline_comment_prefixes=(";",))
    try:
        parser.read_string(path.read_text(errors="replace"))
    except (OSError, configparser.Error):
        return {}
    return {name: dict(parser[name]) for name in parser.sections()}
