"""Starts under a rate are reserved one interval apart, on the database's clock."""

import threading

import pytest

from qsuper.store import rating
from tests.store.table import Table

NAME = "rate:send_msg"
FAR = 3600.0


def free_at(table: Table) -> float:
    return float(table.read("SELECT free_at FROM rates WHERE name = :name", name=NAME)[0][0])


def set_free_in(table: Table, seconds: float) -> None:
    table.write("DELETE FROM rates")
    sql = "INSERT INTO rates (name, free_at) VALUES (:name, {unix_now} + :seconds)"
    table.write(sql, name=NAME, seconds=seconds)


def test_the_first_start_is_free_and_the_next_one_an_interval_later(table: Table) -> None:
    assert rating.free_in(table.connection, NAME) is None
    assert rating.starts_ahead(table.connection, NAME, FAR) == 1
    assert rating.reserve(table.connection, NAME, FAR) == 0.0
    assert rating.reserve(table.connection, NAME, FAR) is None
    assert rating.starts_ahead(table.connection, NAME, FAR) == 0
    left = rating.free_in(table.connection, NAME)
    assert left is not None
    # Half an interval of what nobody has used is made up for.
    assert FAR / 2 - 60 < left <= FAR / 2


def test_a_start_that_comes_soon_is_waited_for(table: Table) -> None:
    set_free_in(table, rating.AHEAD * 0.9)
    before = free_at(table)
    wait = rating.reserve(table.connection, NAME, FAR)
    assert wait is not None
    assert 0.0 <= wait <= rating.AHEAD
    assert free_at(table) == pytest.approx(before + FAR, abs=0.002)


def test_starts_reserved_at_once_are_an_interval_apart(table: Table) -> None:
    every, reserved = 0.001, list[float]()
    table.write("INSERT INTO rates (name) VALUES (:name)", name=NAME)

    def reserve() -> None:
        connection = table.connect()
        waits = [rating.reserve(connection, NAME, every) for _ in range(10)]
        reserved.extend(wait for wait in waits if wait is not None)

    before = table.read("SELECT {unix_now}")[0][0]
    threads = [threading.Thread(target=reserve) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reserved
    assert free_at(table) >= float(before) + (len(reserved) - 1) * every - 0.002


def test_a_clock_that_was_set_back_does_not_stop_a_rate_for_as_long(table: Table) -> None:
    set_free_in(table, FAR)
    assert rating.starts_ahead(table.connection, NAME, 0.1) == 1
    assert rating.reserve(table.connection, NAME, 0.1) == 0.0
    left = rating.free_in(table.connection, NAME)
    assert left is not None
    assert left <= 0.1


def test_as_many_starts_lie_ahead_as_fit_into_the_wait(table: Table) -> None:
    set_free_in(table, 0.0)
    assert 1 <= rating.starts_ahead(table.connection, NAME, rating.AHEAD / 10) <= 11
    set_free_in(table, 1.0)
    assert rating.starts_ahead(table.connection, NAME, 2.0) == 0
