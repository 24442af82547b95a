"""The examples whose tasks are programs, run as their READMEs say."""

import gzip
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from sqlalchemy import make_url

from qsuper.states import State
from tests.acceptance.daemon import TOP, Daemon
from tests.acceptance.rows import Rows
from tests.servers import MariaDB
from tests.servers.program import find_program

SENDERS = [
    ["sh", "send_msg.sh"],
    *([["php", "send_msg.php"]] if shutil.which("php") else []),
]
CONTENT = 'h\u00e9llo & "a+b" = 100%;\n$(touch hacked) `x`'


def settle_in(daemon: Daemon, example: str) -> str:
    """Copy an example to where the daemon runs; its configuration, with the test's database."""
    shutil.copytree(TOP / "examples" / example, daemon.folder, dirs_exist_ok=True)
    text = daemon.config.read_text() + f'\n[store]\nurl = "{daemon.url}"\n'
    daemon.config.write_text(text)
    return text


def end_of(daemon: Daemon, rows: Rows, number: int) -> State:
    def ended() -> bool:
        return rows.job(number)["status"] in (State.DONE, State.DEAD, State.SCHEDULED)

    daemon.wait_until(ended, f"job {number} ends")
    return State(rows.job(number)["status"])


@pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: sender[0])
def test_a_message_is_sent_to_each_of_its_receivers(
    daemon: Daemon, rows: Rows, sender: list[str]
) -> None:
    text = settle_in(daemon, "messages")
    program = str(sender).replace("'", '"')
    daemon.config.write_text(text.replace('["php", "send_msg.php"]', program, 1))
    daemon.start()
    added = daemon.cli("add", "send_msg", "uid=4&uids[]=6&uids[]=234&content=hi")
    assert (added.returncode, added.stderr) == (0, "")
    assert end_of(daemon, rows, int(added.stdout)) is State.DONE
    # As PHP's http_build_query writes it.
    param = f"uid=5&uids%5B0%5D=6&uids%5B1%5D=7&content={quote_plus(CONTENT)}"
    rows.add([(100, "send_msg", param), (101, "send_msg", "uid=4&content=hi")])
    rows.add([(102, "send_msg", "uid=4&uids[]=../6&content=hi"), (103, "send_msg", None)])
    assert end_of(daemon, rows, 100) is State.DONE
    outbox = daemon.folder / "outbox"
    assert {path.name: path.read_text() for path in outbox.glob("*.txt")} == {
        "6.txt": f"from 4: hi\nfrom 5: {CONTENT}\n",
        "7.txt": f"from 5: {CONTENT}\n",
        "234.txt": "from 4: hi\n",
    }
    for number in (101, 102, 103):
        assert end_of(daemon, rows, number) is State.DEAD
        ((_, _, error),) = rows.attempts(number)
        assert error == "exited with 65: its param is wrong"
    assert not (daemon.folder / "hacked").exists()
    assert "2 messages of 4 sent" in daemon.log()


@pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: sender[0])
def test_an_outbox_that_cannot_be_written_burns_no_attempt_and_repeats_nothing(
    daemon: Daemon, rows: Rows, sender: list[str]
) -> None:
    """The second receiver's file is a folder at first."""
    text = settle_in(daemon, "messages")
    program = str(sender).replace("'", '"')
    text = text.replace('["php", "send_msg.php"]', program, 1)
    daemon.config.write_text(f"{text}\n[tasks.send_msg.backoff]\nbase = 0.2\n")
    daemon.start()
    block = daemon.folder / "outbox" / "7.txt"
    block.mkdir()
    rows.add([(1, "send_msg", "uid=4&uids[]=6&uids[]=7&uids[]=8&content=hi")])
    daemon.wait_until(lambda: rows.job(1)["claims"] >= 3, "it has been put off twice")
    block.rmdir()
    daemon.wait_until(lambda: rows.job(1)["status"] == State.DONE, "it is done")
    assert rows.job(1)["attempt"] == 1
    for receiver in (6, 7, 8):
        file = daemon.folder / "outbox" / f"{receiver}.txt"
        assert file.read_text() == "from 4: hi\n"


def test_the_nightly_dump_of_a_sqlite_file_can_be_restored(daemon: Daemon, rows: Rows) -> None:
    shop = daemon.folder / "shop.db"
    with sqlite3.connect(shop) as connection:
        connection.execute("CREATE TABLE goods (name TEXT)")
        connection.executemany("INSERT INTO goods VALUES (?)", [(f"good {n}",) for n in range(99)])
    connection.close()
    packed = dump(daemon, rows, str(shop))
    restored = sqlite3.connect(":memory:")
    restored.executescript(gzip.decompress(packed.read_bytes()).decode())
    assert restored.execute("SELECT COUNT(*), MAX(name) FROM goods").fetchone() == (99, "good 98")
    restored.close()


def test_the_nightly_dump_of_a_mariadb_database_can_be_restored(
    mariadb: MariaDB, mariadb_daemon: Daemon, mariadb_rows: Rows
) -> None:
    daemon = mariadb_daemon
    mariadb_rows.run("CREATE TABLE goods (name VARCHAR(20)) ENGINE=InnoDB")
    mariadb_rows.run("INSERT INTO goods VALUES ('lamp'), ('ladder')")
    address = make_url(daemon.url)
    options = f"[client]\nuser={address.username}\nsocket={mariadb.socket}\n"
    (daemon.folder / ".my.cnf").write_text(options)
    packed = dump(daemon, mariadb_rows, str(address.database))
    url = mariadb.create_database()
    name = str(make_url(url).database)
    restored = subprocess.run(
        [find_program("mariadb", "mysql"), "--batch", "--skip-column-names", name],
        input=gzip.decompress(packed.read_bytes()) + b"\nSELECT name FROM goods ORDER BY name;",
        env={**os.environ, "HOME": str(daemon.folder)},
        capture_output=True,
        check=True,
        timeout=120,
    )
    assert restored.stdout.split() == [b"ladder", b"lamp"]
    mariadb.drop(url)


def dump(daemon: Daemon, rows: Rows, database: str) -> Path:
    """Have the schedule's job made now; the packed file that it has sent off."""
    settle_in(daemon, "nightly")
    destination = daemon.folder / "elsewhere"
    daemon.environ |= {
        "DATABASE": database,
        "DESTINATION": str(destination),
        "HOME": str(daemon.folder),
    }
    assert "nightly_dump" in daemon.cli("cron", "list").stdout
    daemon.start()
    assert daemon.cli("cron", "run", "nightly_dump").returncode == 0
    ((number,),) = rows.run("SELECT id FROM queue WHERE task = 'nightly_dump'")
    # The other server is not there yet.
    assert end_of(daemon, rows, number) is State.SCHEDULED
    assert (rows.job(number)["attempt"], rows.attempts(number)) == (0, [])
    destination.mkdir()
    assert daemon.cli("run-now", str(number)).returncode == 0
    daemon.wait_until(lambda: rows.job(number)["status"] == State.DONE, "it is sent")
    (packed,) = destination.iterdir()
    (result,) = rows.run("SELECT result FROM queue WHERE id = :id", id=number)[0]
    assert result == f'{{"file":"{packed.name}","bytes":{packed.stat().st_size}}}'
    return packed
