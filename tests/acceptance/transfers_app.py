"""An application that moves money: in the job's own transaction, and beside it."""

import time
from contextlib import suppress
from typing import Any

from pymysql.cursors import DictCursor
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from qsuper import Queue, current_job
from qsuper.tasks.current import CurrentJob
from tests.acceptance.app import journal

queue = Queue()


def move(cursor: Any, n: int, source: int, target: int, amount: int) -> None:
    cursor.execute(f"UPDATE accounts SET balance = balance - {amount} WHERE id = {source}")
    cursor.execute(f"UPDATE accounts SET balance = balance + {amount} WHERE id = {target}")
    cursor.execute(f"INSERT INTO transfers (job, source, target) VALUES ({n}, {source}, {target})")


@queue.task(transactional=True)
def transfer(
    connection: Any, n: int, source: int, target: int, amount: int, seconds: float = 0.0
) -> None:
    """Every other one asks for a receipt, in the same transaction."""
    cursor = connection.cursor()
    move(cursor, n, source, target, amount)
    with journal.run(n):
        time.sleep(seconds)
    if n % 2 == 0:
        queue.add("receipt", {"n": n})


@queue.task
def transfer_loose(n: int, source: int, target: int, amount: int, seconds: float = 0.0) -> None:
    """The same on a connection of its own, committed before the job ends."""
    engine = create_engine(queue.config.store.url, poolclass=NullPool)
    with engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(text("PRAGMA busy_timeout = 60000"))
        cursor = connection.connection.cursor()
        move(cursor, n, source, target, amount)
    with journal.run(n):
        time.sleep(seconds)


@queue.task
def receipt(n: int) -> None:
    """What a transfer asked for."""


@queue.task(transactional=True, max_attempts=1)
def commit_by_oneself(connection: Any, n: int, how: str) -> None:
    move(connection.cursor(), n, 1, 2, 1)
    if how == "method":
        connection.commit()
    else:
        connection.cursor().execute(how)


@queue.task(transactional=True)
def fail_and_recover(connection: Any, n: int) -> None:
    """The first attempt fails after its writes."""
    move(connection.cursor(), n, 1, 2, 1)
    queue.add("receipt", {"n": n})
    if current_job().attempt == 1:
        raise ValueError("after the writes")


@queue.task(transactional=True, timeout=0.5)
def linger(connection: Any, n: int) -> None:
    """Longer than its time-out, in the first attempt."""
    move(connection.cursor(), n, 1, 2, 1)
    if current_job().attempt == 1:
        with journal.run(n):
            time.sleep(3600)


@queue.task(transactional=True)
def clash(connection: Any, n: int, first: int, second: int) -> None:
    """Two of these, with their accounts the other way round, are a deadlock."""
    cursor = connection.cursor()
    cursor.execute(f"UPDATE accounts SET balance = balance - 1 WHERE id = {first}")
    time.sleep(0.3)
    cursor.execute(f"UPDATE accounts SET balance = balance + 1 WHERE id = {second}")
    cursor.execute(f"INSERT INTO transfers (job, source, target) VALUES ({n}, {first}, {second})")


@queue.task(transactional=True, max_attempts=1)
def overlook_a_deadlock(connection: Any, n: int, first: int, second: int) -> None:
    """Its code takes the error for nothing, and writes on."""
    cursor = connection.cursor()
    cursor.execute(f"UPDATE accounts SET balance = balance - 1 WHERE id = {first}")
    time.sleep(0.3)
    with suppress(Exception):
        cursor.execute(f"UPDATE accounts SET balance = balance + 1 WHERE id = {second}")
    cursor.execute(f"INSERT INTO transfers (job, source, target) VALUES ({n}, {first}, {second})")


@queue.task(transactional=True, max_attempts=1)
def lock_oneself_out(connection: Any, n: int) -> None:
    """By a second connection, which waits for the first one."""
    cursor = connection.cursor()
    cursor.execute("UPDATE accounts SET balance = balance - 1 WHERE id = 1")
    engine = create_engine(queue.config.store.url, poolclass=NullPool)
    with engine.begin() as other:
        if other.dialect.name == "sqlite":
            other.execute(text("PRAGMA busy_timeout = 100"))
        else:
            other.execute(text("SET SESSION innodb_lock_wait_timeout = 1"))
        other.execute(text("UPDATE accounts SET balance = balance + 1 WHERE id = 1"))


@queue.task(transactional=True, timeout=0.05, max_attempts=1)
def chatter(connection: Any, n: int) -> None:
    """Its time-out strikes between a question and its answer, sooner or later."""
    cursor = connection.cursor()
    while True:
        cursor.execute(f"SELECT {n}")


@queue.task(transactional=True, timeout=0.2, max_attempts=1)
def take_no_notice(connection: Any, n: int) -> None:
    """Of its time-out."""
    move(connection.cursor(), n, 1, 2, 1)
    with suppress(BaseException):
        time.sleep(3600)


@queue.task(transactional=True, max_attempts=1)
def fail_for_good(connection: Any, n: int) -> None:
    move(connection.cursor(), n, 1, 2, 1)
    raise ValueError("after the writes")


@fail_for_good.on_failure
def tell(_job: CurrentJob, _error: BaseException) -> None:
    queue.add("receipt", {"n": 0})


@queue.task(transactional=True)
def change_the_session(connection: Any, n: int) -> None:
    """And leave it so."""
    cursor = connection.cursor()
    if "sqlite" in queue.config.store.url:
        connection.row_factory = lambda _cursor, _row: None
        cursor.execute("CREATE TEMPORARY TABLE accounts (id INTEGER, balance INTEGER)")
    else:
        connection.cursorclass = DictCursor
        cursor.execute("CREATE TEMPORARY TABLE accounts (id INTEGER, balance INTEGER)")
        cursor.execute("SET SESSION TRANSACTION READ ONLY")
