"""The private servers and folders of one run of the benchmark."""

import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import redis

from tests.servers import MariaDB, Redis
from tests.servers.mariadb import make_template

TOP = Path(__file__).parents[1]
PEERS = TOP / ".venv-bench"

SERVER: dict[str, object] = {
    # What a shop gives its database on a machine of its own; durable, as production is.
    "innodb-flush-log-at-trx-commit": 1,
    "innodb-buffer-pool-size": "4G",
    "innodb-log-file-size": "1G",
    "innodb-log-buffer-size": "32M",
    "max-connections": 500,
}


@dataclass(slots=True)
class Rig:
    """MariaDB and Redis, both private, and a folder for everything else."""

    mariadb: MariaDB
    redis: Redis
    folder: Path

    def machine(self) -> dict[str, str]:
        """What the figures were measured on."""
        with redis.Redis.from_url(self.redis.url()) as client:
            server = str(client.info("server")["redis_version"])
        return {
            "cores": str(os.cpu_count()),
            "python": platform.python_version(),
            "kernel": platform.release(),
            "mariadb": str(self.mariadb.query("SELECT VERSION()")[0][0]),
            "redis": server,
            "sqlalchemy": version("sqlalchemy"),
            "pymysql": version("pymysql"),
        }


@contextmanager
def rig() -> Iterator[Rig]:
    """Start them; kill and delete them afterwards."""
    template = make_template()
    mariadb, server = MariaDB(template, **SERVER), Redis()
    folder = Path(tempfile.mkdtemp(prefix="qsuper-bench-"))
    try:
        mariadb.start()
        server.start()
        yield Rig(mariadb, server, folder)
    finally:
        mariadb.remove()
        server.remove()
        shutil.rmtree(template.parent)
        shutil.rmtree(folder, ignore_errors=True)
