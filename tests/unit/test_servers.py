import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pymysql
import pytest
import redis
from sqlalchemy import create_engine, text

from tests.servers import MariaDB, Redis
from tests.servers.program import ProgramMissing, find_program
from tests.servers.server import LONGEST_FOLDER, ServerDied, make_folder
from tests.wait import wait_for


def test_every_store_url_leads_to_an_empty_database_that_takes_a_table(store_url: str) -> None:
    engine = create_engine(store_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE queue (id INTEGER PRIMARY KEY, task VARCHAR(10))"))
        connection.execute(text("INSERT INTO queue (id, task) VALUES (1, '🐘')"))
        assert connection.execute(text("SELECT task FROM queue")).scalar_one() == "🐘"
    engine.dispose()


def test_statements_are_counted_and_our_own_are_not(mariadb: MariaDB) -> None:
    before = mariadb.statement_count()
    assert mariadb.statement_count() == before
    connection = mariadb._connect()
    with connection.cursor() as cursor:
        for _ in range(7):
            cursor.execute("SELECT 1")
    connection.close()
    assert mariadb.statement_count() == before + 8, "SET NAMES and seven SELECTs"


def test_a_commit_survives_the_kill_of_a_mariadb_of_ones_own(
    own_mariadb: Callable[..., MariaDB],
) -> None:
    server = own_mariadb(wait_timeout=7, auto_increment_increment=3)
    database = server.create_database().rsplit("/", 1)[1]
    server.query(f"CREATE TABLE {database}.t (id INT)", f"INSERT INTO {database}.t VALUES (5)")
    server.kill()
    assert not server.answers()
    server.start()
    assert server.query(f"SELECT id FROM {database}.t") == ((5,),)
    assert server.query("SELECT @@wait_timeout, @@auto_increment_increment") == ((7, 3),)
    assert server.query("SELECT @@innodb_flush_log_at_trx_commit") == ((1,),)


def test_a_mariadb_that_cannot_start_says_why(own_mariadb: Callable[..., MariaDB]) -> None:
    with pytest.raises(ServerDied, match="no-such-option"):
        own_mariadb(no_such_option=1)


def test_the_socket_and_the_port_lead_to_the_same_mariadb(mariadb: MariaDB) -> None:
    assert len(os.fsencode(mariadb.socket)) <= 107
    connection = pymysql.connect(unix_socket=str(mariadb.socket), user="root")
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@port")
        assert cursor.fetchall() == ((mariadb.port,),)
    connection.close()


def test_the_socket_and_the_port_lead_to_the_same_redis(redis_server: Redis) -> None:
    redis_server.empty()
    with redis.Redis.from_url(redis_server.url(15)) as client:
        client.set("SN1:1", "text")
    with redis.Redis.from_url(redis_server.socket_url(15)) as client:
        assert client.get("SN1:1") == b"text"
    redis_server.empty()


def test_a_frozen_redis_answers_nothing_and_a_thawed_one_does(
    own_redis: Callable[..., Redis],
) -> None:
    server = own_redis(notify_keyspace_events="Ex")
    with redis.Redis.from_url(server.url(), socket_timeout=0.2) as client:
        assert client.config_get("notify-keyspace-events") != {"notify-keyspace-events": ""}
        server.freeze()
        with pytest.raises(redis.TimeoutError):
            client.ping()
        server.thaw()
        wait_for(server.answers, message="the thawed server answers")
    server.freeze()
    server.restart()
    assert server.answers()


def test_servers_die_with_the_process_that_started_them() -> None:
    program = (
        "import sys\n"
        "from tests.servers import Redis\n"
        "server = Redis()\n"
        "server.start()\n"
        "print(server.pid, server.folder, flush=True)\n"
        "sys.stdin.read()\n"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert owner.stdout is not None
    pid, folder = owner.stdout.readline().split()
    assert psutil.pid_exists(int(pid))
    owner.kill()
    owner.communicate()
    wait_for(lambda: not alive(int(pid)), message="the server is gone after its owner's SIGKILL")
    for left in Path(folder).iterdir():
        left.unlink()
    Path(folder).rmdir()


def test_a_missing_program_is_an_error_that_names_it() -> None:
    with pytest.raises(ProgramMissing, match=r"no-such-db or no-such-redis is not installed"):
        find_program("no-such-db", "no-such-redis")


def test_a_long_temporary_folder_still_gives_a_short_socket_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * LONGEST_FOLDER)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    folder = make_folder("short")
    folder.rmdir()
    assert len(os.fsencode(folder)) <= LONGEST_FOLDER
    assert not list(long.iterdir())


def alive(pid: int) -> bool:
    """Say whether `pid` still runs; one that nobody has reaped yet does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
