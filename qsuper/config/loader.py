"""Builds the one `Config` out of its sources."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from qsuper.config.problems import Problems
from qsuper.config.reader import Reader
from qsuper.config.sources import find_file, lay_environment, lay_overrides, read_file
from qsuper.config.tables.config import Config
from qsuper.config.tables.store import StoreConfig

DATABASE_FILE = "qsuper.db"
STANDARD_OUTPUT = "-"

_SQLITE_RELATIVE = re.compile(r"(sqlite(?:\+\w+)?:///)([^/].*)", re.DOTALL)


def load(
    path: Path | None = None,
    *,
    environ: Mapping[str, str],
    overrides: Mapping[str, object] | None = None,
) -> Config:
    """The configuration in force: defaults, the file, the environment, `overrides` on top.

    `path` names the file; without it `QSUPER_CONFIG` does, else `./qsuper.toml` is read if there
    is one. `overrides` has dotted keys (`"log.level"`). Every path in the result is absolute.
    Raises `ConfigError` with all mistakes at once, one line each.
    """
    file = find_file(path, environ)
    problems = Problems(None if file is None else str(file))
    values = {} if file is None else read_file(file, problems)
    lay_environment(values, environ, problems)
    lay_overrides(values, overrides or {}, problems)
    config = Reader(problems).table(Config, values)
    problems.raise_if_any()
    if config is None:
        raise AssertionError("a configuration without mistakes can be built")
    return _with_absolute_paths(config, file, own_database="url" not in values.get("store", {}))


def _with_absolute_paths(config: Config, file: Path | None, *, own_database: bool) -> Config:
    folder = Path.cwd() if file is None else file.absolute().parent
    state_dir = _absolute(folder, config.state_dir)
    url = f"sqlite:///{state_dir}/{DATABASE_FILE}" if own_database else config.store.url
    log_dir = config.log.dir
    if log_dir != STANDARD_OUTPUT:
        log_dir = _absolute(folder, log_dir)
    tasks = {
        name: replace(task, cwd=_absolute(folder, task.cwd)) for name, task in config.tasks.items()
    }
    scripts = config.scripts
    if scripts.dir is not None:
        scripts = replace(scripts, dir=_absolute(folder, scripts.dir))
    return replace(
        config,
        file=None if file is None else str(file.absolute()),
        folder=str(folder),
        state_dir=state_dir,
        store=_with_absolute_file(config.store, url, folder),
        log=replace(config.log, dir=log_dir),
        tasks=tasks,
        scripts=scripts,
    )


def _with_absolute_file(store: StoreConfig, url: str, folder: Path) -> StoreConfig:
    relative = _SQLITE_RELATIVE.fullmatch(url)
    if relative is not None:
        name, mark, arguments = relative[2].partition("?")
        url = f"{relative[1]}{_absolute(folder, name)}{mark}{arguments}"
    return replace(store, url=url)


def _absolute(folder: Path, path: str) -> str:
    """Absolute and without `..`, yet with symbolic links as they are: a deploy may swap them."""
    return os.path.normpath(folder / path)
