"""Where values come from: the file, then the environment, then the command line."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qsuper.config.problems import COMMAND_LINE, PREFIX, KeyPath, Problems

DEFAULT_FILE = "qsuper.toml"
FILE_VARIABLE = "QSUPER_CONFIG"

_NAMED_TABLES = ("queues", "tasks")
_TOP_LEVEL = {"QSUPER_APP": "app", "QSUPER_STATE_DIR": "state_dir"}
# Set by qsuper for its own processes and by its tests, none of them a key of the file.
# QSUPER_JOB_ID is not QSUPER_JOB__TIMEOUT: the second is one.
_RESERVED_PREFIXES = ("QSUPER_JOB_", "QSUPER_TEST_")


def find_file(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The file to read: the one named, else `QSUPER_CONFIG`, else ./qsuper.toml if there is one."""
    if path is not None:
        return path
    if named := environ.get(FILE_VARIABLE):
        return Path(named)
    default = Path(DEFAULT_FILE)
    return default if default.exists() else None


def read_file(file: Path, problems: Problems) -> dict[str, Any]:
    """The file's tables as plain values; none of them when it cannot be read."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        problems.add((), f"cannot be read: {error.strerror}; check --config and {FILE_VARIABLE}")
    except UnicodeDecodeError as error:
        problems.add((), f"byte {error.start} is not UTF-8; save the file as UTF-8")
    except tomllib.TOMLDecodeError as error:
        problems.add((), f"is not TOML: {error}")
    except RecursionError:
        problems.add((), "is nested too deeply")
    return {}


def lay_environment(values: dict[str, Any], environ: Mapping[str, str], problems: Problems) -> None:
    """Lay `QSUPER_LOG__LEVEL=debug` and its like over the values of the file."""
    for name, text in sorted(environ.items()):
        if name in _TOP_LEVEL:
            _lay(values, (_TOP_LEVEL[name],), text, name, problems)
        elif name.startswith(PREFIX) and "__" in name and not _reserved(name):
            path = tuple(name.removeprefix(PREFIX).lower().split("__"))
            _lay(values, _as_spelt(path, values), text, name, problems)


def lay_overrides(
    values: dict[str, Any], overrides: Mapping[str, object], problems: Problems
) -> None:
    """Lay dotted keys (`log.level`) over the values; a None stands for a flag not given."""
    for dotted, value in overrides.items():
        if value is not None:
            path = dotted.split(".")
            if path[0] in _NAMED_TABLES:
                # A queue's or a task's own name may hold dots.
                path = [path[0], ".".join(path[1:-1]), path[-1]]
            _lay(values, tuple(path), value, COMMAND_LINE, problems)


def _lay(
    values: dict[str, Any], path: tuple[str, ...], value: object, origin: str, problems: Problems
) -> None:
    """Put one value at its path and remember where it came from, tables made for it included."""
    table = values
    here: KeyPath = ()
    for name in path[:-1]:
        here = (*here, name)
        if not isinstance(table.get(name), dict):
            table[name] = {}
            problems.origins.setdefault(here, origin)
        table = table[name]
    table[path[-1]] = value
    problems.origins[path] = origin


def _reserved(name: str) -> bool:
    return name.startswith(_RESERVED_PREFIXES) and not name.startswith("QSUPER_JOB__")


def _as_spelt(path: tuple[str, ...], values: Mapping[str, Any]) -> tuple[str, ...]:
    """The path with a queue's or task's name as the file spells it: variables have no `-`."""
    if len(path) < 2 or path[0] not in _NAMED_TABLES or not isinstance(values.get(path[0]), dict):
        return path
    for name in values[path[0]]:
        if _as_variable(name) == path[1]:
            return (path[0], name, *path[2:])
    return path


def _as_variable(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name.lower())
