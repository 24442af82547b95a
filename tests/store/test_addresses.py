"""A URL says the same to the driver whoever reads it, and what encrypts stays encrypted."""

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pymysql
import pytest

from qsuper.errors import QsuperError, StoreUnavailable
from qsuper.store import address
from qsuper.store.backend import MYSQL, Statement
from qsuper.store.database import Database
from tests.servers import MariaDB
from tests.servers.program import find_program

PLAIN = [
    "mysql://h/d",
    "mysql+pymysql://h/d",
    "mariadb://h/d",
    "mariadb+pymysql://u@h/d",
    "mysql+pymysql://u:p@localhost/shop",
    "mysql+pymysql://u:p@127.0.0.1:3307/shop-2.test",
    "mysql+pymysql://u:@h/d",
    "mysql+pymysql://:p@h/d",
    "mysql+pymysql://@h/d",
    "mysql+pymysql://h:0/d",
    "mysql+pymysql://u%40x:p%3A%2F+%C3%A9%25@db.example.com/d",
    "mysql+pymysql://u@h/d?unix_socket=/run/mysqld/mysqld.sock",
    "mysql+pymysql://u@h/d?charset=utf8mb4",
    "mysql+pymysql://u@h/d?charset=utf8mb4&unix_socket=/run/m.sock",
    "sqlite:///jobs.db",
    "sqlite:///../x/./jobs.db",
    "sqlite:////var/lib/qsuper/the jobs + more.db",
]
NOT_PLAIN = [
    "mysql+pymysql://u@h/d?ssl_ca=/ca.pem",
    "mysql+pymysql://u@h/d?connect_timeout=3",
    "mysql+pymysql://u@h/d?unix_socket=%2Frun%2Fm.sock",
    "mysql+pymysql://u@h",
    "mysql+pymysql://u:a:b@h/d",
    "mysql+pymysql://u:a@b@h/d",
    "mysql+pymysql://[::1]:3306/d",
    "mysql+mysqldb://u@h/d",
    "sqlite:///jobs.db?timeout=3",
    "sqlite:///100%25.db",
    "sqlite:///:memory:",
    "sqlite://",
    "postgresql://h/d",
    "nonsense",
]
ONE = Statement("SELECT 1")
ENCRYPTED = Statement("SHOW SESSION STATUS LIKE 'Ssl_cipher'")


def told(read: address.Address) -> tuple[Any, ...]:
    """What the driver is told; where SQLite's own options come from us anyway."""
    return read.backend, read.options if read.backend is MYSQL else read.file


@pytest.mark.parametrize("url", PLAIN)
def test_a_plain_url_says_what_it_says_to_sqlalchemy(url: str) -> None:
    plain = address.read_plain(url)
    assert plain is not None
    assert told(plain) == told(address.read_any(url))


@pytest.mark.parametrize("url", NOT_PLAIN)
def test_what_is_not_plain_is_left_to_sqlalchemy(url: str) -> None:
    assert address.read_plain(url) is None


def test_no_url_is_read_in_two_ways() -> None:
    chance = random.Random(20261121)
    plain = 0
    for _ in range(20_000):
        user, password, host, port, name, query = (
            "".join(chance.choices("aab12.-_%4:/@?&=#+ é\n", k=chance.randrange(5)))
            for _ in range(6)
        )
        begin = chance.choice(("mysql+pymysql://", "mysql://", "mariadb://", "sqlite:///"))
        way = chance.choice(
            ("{0}@{2}/{4}", "{0}:{1}@{2}:{3}/{4}", "{2}/{4}?unix_socket={5}", "{4}")
        )
        url = begin + way.format(user, password, host, port, name, query)
        if (read := address.read_plain(url)) is not None:
            plain += 1
            assert told(read) == told(address.read_any(url)), url
    assert plain > 1_000


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite://h/x.db"])
def test_a_url_without_a_file_is_refused(url: str) -> None:
    with pytest.raises(QsuperError, match=r"^store\.url must "):
        address.read(url)


@pytest.mark.parametrize("more", ["", "?timeout=3"])
def test_a_sqlite_connection_has_sqlalchemy_s_functions(tmp_path: Path, more: str) -> None:
    raw = Database(f"sqlite:///{tmp_path}/jobs.db{more}").connect().raw
    row = raw.execute("SELECT 'abc' REGEXP 'B|c', NULL REGEXP 'x', floor(2.5)").fetchone()
    assert row == (1, None, 2)
    raw.close()


def test_importing_qsuper_and_reading_a_plain_url_loads_no_sqlalchemy() -> None:
    code = (
        "import sys, qsuper.client, qsuper.roles, qsuper.cli.run\n"
        "from qsuper.store.database import Database\n"
        "Database('mysql+pymysql://u:p@h/d').place\n"
        "print([name for name in sys.modules if 'sqlalchemy' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_what_a_connection_trusts_is_as_pymysql_s_but_for_the_certificates() -> None:
    theirs: Any = pymysql.connections.Connection(host="h", defer_connect=True)
    ours: Any = address.MySQLConnection(host="h", defer_connect=True)
    assert vars(ours).keys() == vars(theirs).keys()
    for name in ("ssl", "_ssl_required", "client_flag"):
        assert getattr(ours, name, None) == getattr(theirs, name, None)
    if theirs.ssl:  # PyMySQL encrypts unasked since 1.2
        for name in ("check_hostname", "verify_mode", "minimum_version", "options"):
            assert getattr(ours.ctx, name) == getattr(theirs.ctx, name)
        assert ours.ctx.cert_store_stats()["x509"] == 0


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate that vouches for itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    return make_certificate(folder / "server.crt", folder / "server.key")


def make_certificate(certificate: Path, key: Path) -> tuple[Path, Path]:
    subprocess.run(
        [
            *(find_program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days"),
            *("2", "-subj", "/CN=localhost", "-keyout", str(key), "-out", str(certificate)),
        ],
        capture_output=True,
        check=True,
    )
    return certificate, key


def test_a_server_that_can_encrypt_is_spoken_to_as_before(
    own_mariadb: Callable[..., MariaDB], certificates: tuple[Path, Path], tmp_path: Path
) -> None:
    certificate, key = certificates
    server = own_mariadb(ssl_cert=certificate, ssl_key=key)
    unasked = bool(getattr(address.MySQLConnection(host="h", defer_connect=True), "ssl", False))
    connection = Database(server.url()).connect()
    assert bool(connection.row(ENCRYPTED)[1]) is unasked
    connection.close()

    asked = f"{server.url()}?ssl_ca={certificate}&ssl_check_hostname=false"
    connection = Database(asked).connect()
    assert connection.row(ENCRYPTED)[1]
    connection.close()

    others = tmp_path / "others.crt"
    make_certificate(others, tmp_path / "others.key")
    with pytest.raises(StoreUnavailable, match="certificate verify failed"):
        Database(f"{server.url()}?ssl_ca={others}&ssl_check_hostname=false").connect()
