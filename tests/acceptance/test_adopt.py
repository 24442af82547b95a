"""`qsuper db adopt`, as the one who moves from the PHP loop meets it."""

import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pymysql
import pytest

from qsuper.config import load
from tests.acceptance.daemon import PATIENCE, TOP, Daemon
from tests.acceptance.figures import Figures
from tests.servers import MariaDB
from tests.servers.program import find_program
from tests.store.old_queue import OldQueue
from tests.wait import wait_for

ROWS = 100_000
ANSWERS = ("--codec", "query", "--reader-stopped", "--yes")
MOMENTS = (0, 20_000, 60_000, 90_000)
"""Rows copied after which an adoption is killed."""


@pytest.fixture
def old(mariadb: MariaDB) -> Iterator[OldQueue]:
    old = OldQueue(mariadb.create_database())
    yield old
    old.close()
    mariadb.drop(old.url)


@pytest.fixture
def shop(old: OldQueue, folder: Path) -> Iterator[Daemon]:
    """A folder whose configuration names the database with the old table."""
    daemon = Daemon(folder, old.url)
    daemon.write_config(app="tests.acceptance.adopted_app:queue")
    yield daemon
    daemon.clean_up()


class Writers:
    """Programs that INSERT as the old ones do, until they are ended."""

    def __init__(self, url: str, folder: Path, count: int) -> None:
        self.files = [folder / f"writer-{number}" for number in range(count)]
        self._programs = [
            subprocess.Popen(
                [
                    find_program("setpriv"),
                    *("--pdeathsig", "KILL", "--", sys.executable, "-m", "tests.store.old_queue"),
                    *(url, str(file), f"{file.name}.php"),
                ],
                cwd=TOP,
            )
            for file in self.files
        ]
        wait_for(lambda: all(map(Path.exists, self.files)), PATIENCE, "all writers write")

    def alive(self) -> bool:
        return all(program.poll() is None for program in self._programs)

    def end(self) -> None:
        for program in self._programs:
            program.kill()
            program.wait()

    def written(self) -> dict[int, tuple[str, str]]:
        """By id: program and param of each acknowledged row."""
        return {
            int(job_id): (f"{file.name}.php", f"n={number}&")
            for file in self.files
            for number, job_id, _ in self._lines(file)
        }

    def longest(self) -> float:
        """Milliseconds that the slowest INSERT took."""
        return max(float(took) for file in self.files for _, _, took in self._lines(file))

    def _lines(self, file: Path) -> list[list[str]]:
        """Whole lines only: the last one may have been cut off by the end."""
        return [line.split() for line in file.read_text().splitlines(keepends=True) if "\n" in line]


def copied(old: OldQueue) -> int:
    """How many rows an adoption under way has copied; -1 before the new table is in its place."""
    with suppress(pymysql.MySQLError):
        return int(old.run("SELECT copied FROM queue_adoption, alembic_version LIMIT 1")[0][0])
    return -1


def killed_at(shop: Daemon, old: OldQueue, moment: int) -> bool:
    """Adopt, and kill the adoption when so many rows are copied; whether it was under way."""
    adoption = subprocess.Popen(
        shop.command("db", "adopt", *ANSWERS),
        env=shop.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    while adoption.poll() is None and copied(old) < moment:
        time.sleep(0.001)
    with suppress(ProcessLookupError):
        adoption.kill()
    _, words = adoption.communicate()
    assert adoption.returncode in (0, -signal.SIGKILL), words
    return adoption.returncode != 0


def test_100_000_rows_are_adopted_under_writers_however_often_it_is_killed(
    shop: Daemon, old: OldQueue, folder: Path, figures: Figures
) -> None:
    old.add_many(ROWS)
    before = old.run("SELECT id, taskphp, param, status, ctime FROM queue")
    writers = Writers(old.url, folder, 3)
    with ExitStack() as ended:
        ended.callback(writers.end)
        kills = sum(killed_at(shop, old, moment) for moment in MOMENTS)
        began = time.monotonic()
        last = shop.cli("db", "adopt", *ANSWERS)
        seconds = time.monotonic() - began
        assert last.returncode == 0, last.stderr
        assert writers.alive(), "an INSERT has failed"
    assert kills >= 3
    rows = {row[0]: row[1:] for row in old.run("SELECT id, task, param, status, ctime FROM queue")}
    assert [(row[0], *rows.pop(row[0])) for row in before] == before
    written = writers.written()
    lost = {
        job_id for job_id, (task, param) in written.items() if rows[job_id][:3] != (task, param, 0)
    }
    assert not lost
    assert len(rows) - len(written) in range(len(writers.files) + 1), "one each unacknowledged"
    figures(
        rows=ROWS,
        kills=kills,
        last_attempt_s=seconds,
        written_meanwhile=len(written),
        lost=0,
        longest_insert_ms=writers.longest(),
    )


def test_100_000_rows_take_seconds(shop: Daemon, old: OldQueue, figures: Figures) -> None:
    old.add_many(ROWS)
    began = time.monotonic()
    done = shop.cli("db", "adopt", *ANSWERS)
    assert (done.returncode, done.stderr) == (0, "")
    assert "100,000 rows adopted\n" in done.stdout
    assert old.run("SELECT COUNT(*) FROM queue") == [(ROWS,)]
    figures(rows=ROWS, seconds=time.monotonic() - began)


def test_a_daemon_works_on_the_adopted_rows_and_on_what_the_old_programs_write_then(
    shop: Daemon, old: OldQueue, folder: Path
) -> None:
    old.add_many(200)
    assert shop.cli("db", "adopt", *ANSWERS).returncode == 0
    shop.start()
    for number in range(1000, 1020):
        old.add("send_msg.php", f"n={number}&uids[]=6&uids[]=7&")
    sent = folder / "sent"
    expected = sorted(f"{number} 6 7" for number in (*range(10, 201, 10), *range(1000, 1020)))
    shop.wait_until(
        lambda: sent.exists() and len(sent.read_text().splitlines()) >= len(expected), "all is sent"
    )
    shop.wait_until(
        lambda: old.run("SELECT COUNT(*) FROM queue WHERE status <> 1") == [(0,)], "all is done"
    )
    assert sorted(sent.read_text().splitlines()) == expected


def test_the_old_programs_run_as_it_has_printed_them(
    shop: Daemon, old: OldQueue, folder: Path
) -> None:
    for number in range(20):
        old.add("send_msg.sh", f"n={number}&uids[]=6&")
    printed = shop.cli("db", "adopt", *ANSWERS).stdout.partition("# for qsuper.toml")[2]
    (folder / "send_msg.sh").write_text('echo "$1" >> sent\n')
    with shop.config.open("a") as file:
        file.write("#" + printed.partition("the old table")[0])
    shop.start()
    shop.wait_until(
        lambda: old.run("SELECT COUNT(*) FROM queue WHERE status = 1") == [(20,)], "all is done"
    )
    sent = (folder / "sent").read_text().splitlines()
    assert sorted(sent) == sorted(f"n={number}&uids[]=6&" for number in range(20))


def test_what_it_prints_for_the_configuration_is_one(
    shop: Daemon, old: OldQueue, folder: Path
) -> None:
    for script in ("send_msg.php", "cron/dump.sh", 'quo"te.php', "with space.php", "-d.php"):
        old.add(script)
    done = shop.cli("db", "adopt", *ANSWERS)
    text, _, rest = done.stdout.partition("# for qsuper.toml")[2].partition("only [scripts] runs")
    text = f"#{text}"
    assert tomllib.loads(text)["tasks"] == {
        "send_msg.php": {"program": ["php", "send_msg.php"], "codec": "query"},
        "cron/dump.sh": {"program": ["sh", "cron/dump.sh"], "codec": "query"},
        'quo"te.php': {"program": ["php", 'quo"te.php'], "codec": "query"},
    }
    (folder / "printed.toml").write_text(text)
    assert set(load(folder / "printed.toml", environ={}).tasks) == set(tomllib.loads(text)["tasks"])
    assert "with space.php" in rest
    assert "-d.php" in rest
    (folder / "scripts.toml").write_text(text.partition("others:")[2].replace("\n# ", "\n")[1:])
    assert load(folder / "scripts.toml", environ={}).scripts.interpreters == {".php": ("php",)}
    assert done.stdout.splitlines()[-1].startswith("the old table is kept as queue_before_qsuper")


def test_a_dry_run_shows_the_plan_and_changes_nothing(shop: Daemon, old: OldQueue) -> None:
    old.add()
    done = shop.cli("db", "adopt", "--dry-run")
    assert done.returncode == 0
    for words in ("1 waiting", "which look like query", "uid=4&", "RENAME TABLE queue TO", "1 s"):
        assert words in done.stdout
    assert old.run("SHOW TABLES") == [("queue",)]


def test_without_a_terminal_what_is_not_answered_is_named(shop: Daemon, old: OldQueue) -> None:
    old.run("ALTER TABLE queue ADD priority INT")
    done = shop.cli("db", "adopt", "--codec", "raw")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "give --priority, --reader-stopped, --yes (or --dry-run)" in done.stderr
    assert old.run("SHOW TABLES") == [("queue",)]


@pytest.mark.parametrize(
    ("answers", "code", "tables"),
    [("\nlarger-first\ny\ny\n", 0, 13), ("\nlarger-first\nn\n", 1, 1), ("\x04", 130, 1)],
)
def test_on_a_terminal_it_asks(
    answers: str, code: int, tables: int, shop: Daemon, old: OldQueue
) -> None:
    """The codec that the sample looks like is the answer that Enter gives."""
    old.run("ALTER TABLE queue ADD priority INT")
    old.add(param='{"uid": 4}', priority=3)
    keyboard, terminal = os.openpty()
    os.write(keyboard, answers.encode())
    done = subprocess.run(
        shop.command("db", "adopt"),
        env=shop.environ,
        cwd=shop.folder,
        stdin=terminal,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    os.close(keyboard)
    os.close(terminal)
    assert done.returncode == code, done.stderr
    assert "How are the params written?" in done.stdout + done.stderr
    assert len(old.run("SHOW TABLES")) == tables
    if code == 0:
        assert 'codec = "json"' in done.stdout
        assert old.run("SELECT priority FROM queue") == [(-3,)]


def test_what_is_nothing_to_adopt_is_said_in_one_line(shop: Daemon, old: OldQueue) -> None:
    old.run("DROP TABLE queue")
    empty = shop.cli("db", "adopt")
    assert (empty.returncode, empty.stderr.count("\n")) == (1, 1)
    assert "has no table `queue` to adopt: `qsuper db upgrade` makes one" in empty.stderr
    old.run("CREATE TABLE queue (id INT PRIMARY KEY, message TEXT)")
    another = shop.cli("db", "adopt")
    assert (another.returncode, another.stderr.count("\n")) == (1, 1)
    assert "neither qsuper's nor the old one: it has no column taskphp" in another.stderr
    old.run("DROP TABLE queue")
    shop.cli("db", "upgrade")
    ours = shop.cli("db", "adopt")
    assert (ours.returncode, ours.stdout) == (
        0,
        "the tables are qsuper's already: nothing to adopt\n",
    )
