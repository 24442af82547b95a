"""The database is away, refuses the daemon or holds other tables: it says so, and waits."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from qsuper.states import State
from qsuper.store.schema import VERSIONS
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows
from tests.servers import MariaDB


@pytest.fixture
def server(own_mariadb: Callable[..., MariaDB]) -> MariaDB:
    return own_mariadb()


@pytest.fixture
def bare_daemon(server: MariaDB, folder: Path) -> Iterator[Daemon]:
    """Over a database without tables."""
    daemon = Daemon(folder, server.create_database())
    yield daemon
    daemon.clean_up()


def test_a_daemon_without_a_database_stays_up_says_so_and_goes_on_when_it_is_there(
    server: MariaDB, bare_daemon: Daemon, figures: Figures
) -> None:
    daemon = bare_daemon
    rows = Rows(daemon.url)
    rows.add([(1, "urgent", {"n": 1})])
    server.stop()
    daemon.start(ready=False)
    says(daemon, r"Can't connect to MySQL server on '127\.0\.0\.1' .* \(since [\d:]+\)")
    done = daemon.cli("jobs")
    assert done.returncode == 1
    assert re.fullmatch(r"qsuper: mysql\S+: Can't connect to .*\n", done.stderr)
    back = time.monotonic()
    server.start()
    goes_on(daemon, rows, 1)
    figures(goes_on_s=time.monotonic() - back)


def test_a_wrong_password_is_said_and_nothing_else_happens_until_it_is_right(
    server: MariaDB, bare_daemon: Daemon
) -> None:
    daemon = bare_daemon
    rows = Rows(daemon.url)
    rows.add([(1, "urgent", {"n": 1})])
    server.query(
        "CREATE USER shop@'127.0.0.1' IDENTIFIED BY 'right'",
        "GRANT ALL ON *.* TO shop@'127.0.0.1'",
    )
    url = make_url(daemon.url).set(username="shop", password="wrong")
    daemon.url = url.render_as_string(hide_password=False)
    daemon.write_config()
    daemon.start(ready=False)
    says(daemon, r"Access denied for user 'shop'@")
    done = daemon.cli("jobs")
    assert done.returncode == 1
    assert "Access denied" in done.stderr
    assert "wrong@" not in done.stderr + daemon.log() + daemon.cli("status").stdout
    server.query("SET PASSWORD FOR shop@'127.0.0.1' = PASSWORD('wrong')")
    goes_on(daemon, rows, 1)


def test_missing_tables_are_said_and_upgrade_sets_the_daemon_going(bare_daemon: Daemon) -> None:
    daemon = bare_daemon
    daemon.start(ready=False)
    says(daemon, r"no qsuper tables yet: run `qsuper db upgrade`")
    done = daemon.cli("db", "upgrade")
    said = f"the tables went from nothing to {VERSIONS[-1]}\n"
    assert (done.stdout, done.returncode) == (said, 0)
    goes_on(daemon, None, 1)


def test_a_queue_table_that_is_not_ours_is_left_alone(server: MariaDB, bare_daemon: Daemon) -> None:
    daemon = bare_daemon
    database = make_url(daemon.url).database
    server.query(
        f"USE {database}",
        "CREATE TABLE queue (id INT AUTO_INCREMENT PRIMARY KEY, taskphp VARCHAR(128) NOT NULL"
        " DEFAULT '', param TEXT, status TINYINT NOT NULL DEFAULT 0)",
        "INSERT INTO queue (taskphp, param) VALUES ('send.php', 'a=1&')",
    )
    daemon.start(ready=False)
    says(daemon, r"run `qsuper db adopt`")
    done = daemon.cli("db", "upgrade")
    assert done.returncode == 1
    assert re.fullmatch(r"qsuper: mysql\S+: .*run `qsuper db adopt`.*\n", done.stderr)
    assert server.query(f"USE {database}", "SELECT taskphp, status FROM queue") == (
        ("send.php", 0),
    )


def test_tables_of_another_version_are_said_and_touched_by_nobody(
    daemon: Daemon, rows: Rows
) -> None:
    version = {"sqlite": "0000", "mysql": "0099"}[rows.kind]
    rows.add([(1, "urgent", {"n": 1})])
    rows.run("UPDATE alembic_version SET version_num = :version", version=version)
    # A later version may say that it still serves this one.
    rows.run("UPDATE compatible SET oldest = :version", version=version)
    daemon.start(ready=False)
    said = rf"tables are at version {version}, .* this qsuper (knows|wants)"
    says(daemon, said)
    for words in (("add", "urgent", '{"n": 2}'), ("db", "upgrade"), ("jobs",)):
        done = daemon.cli(*words)
        assert done.returncode == 1
        assert re.search(said, done.stderr)
        assert done.stderr.count("\n") == 1
    assert rows.job(1)["status"] == State.READY
    rows.run(f"UPDATE alembic_version SET version_num = '{VERSIONS[-1]}'")
    goes_on(daemon, rows, 1)


def says(daemon: Daemon, pattern: str) -> None:
    """`status` answers, and what it shows first is this."""

    def said() -> bool:
        shown = daemon.cli("status")
        return shown.returncode == 0 and any(
            line.startswith("! ") and re.search(pattern, line) for line in shown.stdout.splitlines()
        )

    daemon.wait_until(said, f"status says {pattern}")
    assert daemon.master is not None
    assert daemon.master.poll() is None, "the master has ended"


def goes_on(daemon: Daemon, rows: Rows | None, number: int) -> None:
    """The same master, the same workers: the waiting job is run and all is well again."""
    if rows is None:
        done = daemon.cli("add", "urgent", f'{{"n": {number}}}')
        assert done.returncode == 0, done.stderr
    daemon.wait_until(lambda: daemon.runs(number), "the waiting job runs")
    daemon.wait_until(lambda: not daemon.status()["degraded"], "nothing is degraded")
    assert all(child["restarts"] == 0 for child in daemon.status()["children"])
