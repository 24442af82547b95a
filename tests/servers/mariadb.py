"""A private MariaDB server."""

import os
import shutil
import subprocess
from pathlib import Path

import pymysql

from tests.servers.mysql import MySQL
from tests.servers.program import find_program
from tests.servers.server import Server, ServerDied, make_folder

# Small, and as safe as production: what a test proves about a crash must hold there.
OPTIONS: dict[str, object] = {
    "bind-address": "127.0.0.1",
    "skip-networking": 0,
    "skip-name-resolve": 1,
    "max-connections": 300,
    "innodb-flush-log-at-trx-commit": 1,
    "innodb-buffer-pool-size": "64M",
    "innodb-log-file-size": "48M",
    "innodb-log-buffer-size": "4M",
    "key-buffer-size": "1M",
    "aria-pagecache-buffer-size": "8M",
}


class MariaDB(Server, MySQL):
    """A MariaDB server on a loopback port and a unix socket; root needs no password.

    `options` are the server's own (wait_timeout=1, auto_increment_increment=3); a change to the
    attribute counts from the next start on.
    """

    def __init__(self, template: Path, **options: object) -> None:
        Server.__init__(self, "mariadb")
        MySQL.__init__(self, f"mysql+pymysql://root@127.0.0.1:{self.port}")
        self.options = options
        self.data = self.folder / "data"
        shutil.copytree(template, self.data)

    def start(self) -> None:
        self._own_statements = 0  # the server, too, counts from its start
        super().start()

    def command(self) -> list[str]:
        chosen = OPTIONS | {name.replace("_", "-"): value for name, value in self.options.items()}
        return [
            find_program("mariadbd"),
            "--no-defaults",
            f"--datadir={self.data}",
            f"--socket={self.socket}",
            f"--port={self.port}",
            f"--pid-file={self.folder / 'mariadb.pid'}",
            f"--tmpdir={self.folder}",
            *as_root(),
            *(f"--{name}={value}" for name, value in chosen.items()),
        ]

    def answers(self) -> bool:
        try:
            self.query("SELECT 1")
        except pymysql.OperationalError:
            return False
        return True


def make_template() -> Path:
    """Make a data folder that every MariaDB starts from: copying is 5 times faster than this."""
    folder = make_folder("template")
    data = folder / "data"
    done = subprocess.run(
        [
            find_program("mariadb-install-db"),
            "--no-defaults",
            f"--datadir={data}",
            # A server that starts removes the temporary tables of all others from a shared folder.
            f"--tmpdir={folder}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--skip-name-resolve",
            f"--innodb-log-file-size={OPTIONS['innodb-log-file-size']}",
            *as_root(),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        shutil.rmtree(folder)
        raise ServerDied(f"mariadb-install-db failed:\n{done.stdout}{done.stderr}")
    return data


def as_root() -> list[str]:
    """Return the option without which MariaDB refuses to run as root."""
    return ["--user=root"] if os.geteuid() == 0 else []
