"""Servers and proxies cut who is silent; whoever speaks next shall not hear of it."""

import time
from collections.abc import Callable

import pytest

from qsuper.errors import OutcomeUnknown, StoreUnavailable
from qsuper.store.backend import IDLE_MOST, Statement
from qsuper.store.database import Database, Link
from tests.servers import MariaDB
from tests.wait import wait_for

ONE = Statement("SELECT 1")


@pytest.mark.parametrize(("server_s", "ours"), [(1, IDLE_MOST), (100_000, 100_000)])
def test_our_sessions_outlast_an_impatient_server(
    server_s: int, ours: int, own_mariadb: Callable[..., MariaDB]
) -> None:
    server = own_mariadb(wait_timeout=server_s)
    link = Link(Database(server.url()))
    assert link.connection.rows(Statement("SELECT @@wait_timeout")) == [(ours,)]
    link.drop()


def test_a_connection_cut_while_it_idled_is_replaced_in_silence(mariadb: MariaDB) -> None:
    link = Link(Database(mariadb.url()), trusted_for=0.01)
    cut(mariadb, link)
    idle(0.02)
    assert link.connection.rows(ONE) == [(1,)]
    assert link.reconnects == 1
    link.drop()


def test_a_connection_cut_between_two_statements_is_an_error(mariadb: MariaDB) -> None:
    link = Link(Database(mariadb.url()), trusted_for=3600)
    cut(mariadb, link)
    with pytest.raises(OutcomeUnknown):
        link.connection.rows(ONE)
    link.drop()


@pytest.mark.parametrize(("trusted_for", "tries"), [(3600, 0), (0, 10)])
def test_only_a_connection_that_idled_costs_a_statement(
    trusted_for: float, tries: int, mariadb: MariaDB
) -> None:
    link = Link(Database(mariadb.url()), trusted_for=trusted_for)
    selects = Statement("SHOW SESSION STATUS LIKE 'Com_select'")
    ((_, before),) = link.connection.rows(selects)
    for _ in range(9):
        _ = link.connection
        idle(0.001)
    ((_, after),) = link.connection.rows(selects)
    assert int(after) - int(before) == tries
    link.drop()


def test_a_server_that_is_away_when_an_idle_connection_is_tried_is_unavailable(
    own_mariadb: Callable[..., MariaDB],
) -> None:
    server = own_mariadb()
    link = Link(Database(server.url()), trusted_for=0)
    assert link.connection.rows(ONE) == [(1,)]
    server.kill()
    idle(0.01)
    with pytest.raises(StoreUnavailable) as away:
        link.connection.rows(ONE)
    assert type(away.value) is StoreUnavailable, "nothing was under way"


def cut(server: MariaDB, link: Link) -> None:
    """End the link's session, as a server or a proxy does with one that idles."""
    ((id,),) = link.connection.rows(Statement("SELECT CONNECTION_ID()"))
    server.query(f"KILL {id}")
    alive = f"SELECT COUNT(*) FROM information_schema.processlist WHERE id = {id}"
    wait_for(lambda: server.query(alive) == ((0,),), message="the session is gone")


def idle(seconds: float) -> None:
    ends = time.monotonic() + seconds
    wait_for(lambda: time.monotonic() > ends)
