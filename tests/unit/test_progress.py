"""What takes longer than a second says on the terminal how far it is."""

import io
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from qsuper.cli import progress
from qsuper.cli.progress import Progress
from qsuper.store import altering, bulk, pruning, schema
from qsuper.store.adopting import copying
from qsuper.store.backend import Statement
from qsuper.store.database import Database
from tests.servers import MariaDB
from tests.store.old_queue import OldQueue
from tests.store.test_migrations import make
from tests.unit.cli import call
from tests.wait import wait_for

PATIENCE = 120.0


class Terminal(io.StringIO):
    """Standard error, as if somebody looked at it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """One on which progress is shown at once."""
    monkeypatch.setattr(progress, "QUIET_FOR", 0.0)
    monkeypatch.setattr(progress, "DRAW_EVERY", 0.001)
    return Terminal()


@pytest.fixture
def old(mariadb: MariaDB) -> Iterator[OldQueue]:
    old = OldQueue(mariadb.create_database())
    yield old
    old.close()
    mariadb.drop(old.url)


def told(folder: Path, url: str, terminal: Terminal, *arguments: str) -> str:
    """What a verb prints on standard output, with standard error on a terminal."""
    # `call` redirects standard error itself; the innermost one counts.
    with mock.patch("contextlib.redirect_stderr", return_value=mock.patch("sys.stderr", terminal)):
        answer = call(folder, *arguments, QSUPER_STORE__URL=url)
    assert answer.code == 0, answer
    return answer.out


def waiting_for(terminal: Terminal, words: str, real: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, which comes back a second time only when the words have been shown."""
    times = 0

    def slow(*arguments: Any, **named: Any) -> Any:
        nonlocal times
        times += 1
        if times == 2:
            wait_for(lambda: words in terminal.getvalue(), PATIENCE, f"{words!r} is shown")
        return real(*arguments, **named)

    return slow


def line_at(shown: Progress, seconds: float) -> str:
    return shown.line(shown._began + seconds)


def test_it_says_how_many_how_fast_and_how_long_the_rest_takes() -> None:
    shown = Progress("pruning", "rows", 10_000)
    assert line_at(shown, 3) == "pruning: 3s"
    with mock.patch("time.monotonic", return_value=shown._began):
        shown.at(0)
    shown.at(2500, "7 deleted")
    assert line_at(shown, 5) == "pruning: 2,500 of 10,000 rows (25%), 500/s, 15s left; 7 deleted"
    assert line_at(shown, 1) == "pruning: 2,500 of 10,000 rows (25%), 2,500/s; 7 deleted"


def test_without_a_total_it_says_no_rest() -> None:
    shown = Progress("moving", "jobs")
    with mock.patch("time.monotonic", return_value=shown._began):
        shown.at(0)
    shown.at(3000)
    assert line_at(shown, 10) == "moving: 3,000 jobs, 300/s"


def test_what_was_done_before_counts_for_the_part_but_not_for_the_rate() -> None:
    shown = Progress("adopting", "rows", 10_000)
    with mock.patch("time.monotonic", return_value=shown._began):
        shown.at(9000)
    shown.at(9500)
    assert line_at(shown, 5) == "adopting: 9,500 of 10,000 rows (95%), 100/s, 5s left"


def test_a_percentage_may_be_all_there_is() -> None:
    shown = Progress("upgrading the tables", "", 100)
    with mock.patch("time.monotonic", return_value=shown._began):
        shown.at(0)
    shown.at(40)
    assert line_at(shown, 4) == "upgrading the tables: 40%, 6s left"


def test_a_pruning_shows_how_far_it_is(shop_url: str, tmp_path: Path, terminal: Terminal) -> None:
    slow = waiting_for(terminal, "pruning: 1,000 of 2,500 ids (40%)", pruning.step)
    with mock.patch.object(pruning, "step", slow):
        out = told(tmp_path, shop_url, terminal, "db", "prune")
    assert out == "0 finished jobs deleted\n"
    assert terminal.getvalue().endswith(" \r"), "nothing is left of the line"


def test_a_bulk_cancel_shows_how_far_it_is(
    shop_url: str, tmp_path: Path, terminal: Terminal
) -> None:
    slow = waiting_for(terminal, "moving: 1,000 jobs", bulk.cancel)
    with mock.patch.object(bulk, "cancel", slow):
        out = told(tmp_path, shop_url, terminal, "cancel", "--all", "--yes")
    assert out == "2,500 jobs cancelled\n"
    assert terminal.getvalue().endswith(" \r")


def test_an_adoption_shows_how_far_it_is(old: OldQueue, tmp_path: Path, terminal: Terminal) -> None:
    old.add_many(5000)
    answers = ("--codec", "query", "--reader-stopped", "--yes")
    slow = waiting_for(terminal, "adopting: 200 of 5,000 rows (4%)", copying._step)
    with mock.patch.object(copying, "_step", slow):
        out = told(tmp_path, old.url, terminal, "db", "adopt", *answers)
    assert "5,000 rows adopted\n" in out


def test_a_terminal_sees_the_upgrade_that_waits_and_no_trace_of_it_afterwards(
    mariadb: MariaDB, tmp_path: Path
) -> None:
    url = mariadb.create_database()
    database = Database(url)
    make(database, "0004")
    reader = database.connect()
    reader.run(Statement("START TRANSACTION"))
    # No ALTER TABLE gets past somebody who has read.
    reader.rows(Statement("SELECT * FROM queue"))
    mine, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "qsuper", "db", "upgrade"],
        cwd=tmp_path,
        env={**os.environ, "QSUPER_STORE__URL": url, "COLUMNS": "80", "TERM": "dumb"},
        stdout=subprocess.PIPE,
        stderr=theirs,
    ) as upgrade:
        os.close(theirs)
        said = b""
        while b"upgrading the tables: " not in said:
            said += os.read(mine, 1000)
        reader.close()
        assert upgrade.wait(PATIENCE) == 0
        assert upgrade.stdout is not None
        assert upgrade.stdout.read() == b"the tables went from 0004 to 0005\n"
    rest = said + os.read(mine, 100_000)
    os.close(mine)
    assert rest.endswith(b" \r")
    assert b"\n" not in rest
    mariadb.drop(url)


def test_what_fails_leaves_no_trace_of_the_line_either(terminal: Terminal) -> None:
    def cut_off() -> None:
        with Progress("moving", "jobs") as shown:
            shown.at(7)
            wait_for(lambda: "7 jobs" in terminal.getvalue(), PATIENCE)
            raise KeyboardInterrupt

    with mock.patch("sys.stderr", terminal), pytest.raises(KeyboardInterrupt):
        cut_off()
    assert terminal.getvalue().endswith(" \r")


def test_nothing_is_said_where_nobody_looks(shop_url: str, tmp_path: Path) -> None:
    with (
        mock.patch.object(progress, "QUIET_FOR", 0.0),
        mock.patch.object(threading.Thread, "start", side_effect=AssertionError),
    ):
        answer = call(tmp_path, "cancel", "--all", "--yes", QSUPER_STORE__URL=shop_url)
    assert (answer.code, answer.err) == (0, "")


def test_what_is_done_at_once_shows_nothing_on_a_terminal(
    shop_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "QUIET_FOR", PATIENCE)
    terminal = Terminal()
    told(tmp_path, shop_url, terminal, "cancel", "--all", "--yes")
    assert not terminal.getvalue()


def test_mariadb_tells_how_far_an_alter_table_is(mariadb: MariaDB) -> None:
    url = mariadb.create_database()
    database = Database(url)
    connection, altering_one = database.connect(), database.patient().connect()
    altering_one.run(Statement("CREATE TABLE big (id INT PRIMARY KEY, text VARCHAR(200))"))
    altering_one.run(Statement("INSERT INTO big SELECT seq, REPEAT('x', 200) FROM seq_1_to_100000"))
    assert altering.percent(connection) is None
    seen = threading.Event()

    def alter() -> None:
        while not seen.is_set():
            altering_one.run(Statement("ALTER TABLE big FORCE, ALGORITHM = COPY"))

    thread = threading.Thread(target=alter)
    thread.start()
    try:
        percent = wait_for(lambda: altering.percent(connection), PATIENCE)
    finally:
        seen.set()
        thread.join()
    assert percent is not None
    assert 0 < percent <= 100
    connection.close()
    altering_one.close()
    mariadb.drop(url)


@pytest.fixture
def shop_url(store_url: str) -> str:
    """A database of 2,500 waiting jobs."""
    database = Database(store_url)
    schema.upgrade(database)
    connection = database.connect()
    with connection.transaction():
        connection.many(
            Statement("INSERT INTO queue (task) VALUES (:task)"), [{"task": "task"}] * 2500
        )
    connection.close()
    return store_url
