"""Attempts as one looks at them: the newest, and no more than one can read."""

import pytest

from qsuper.store import attempts
from qsuper.store.counting import CAP
from tests.store.table import Table


def fail(table: Table, job_id: int, count: int, text: str = "x") -> None:
    statement = (
        "INSERT INTO attempts (job_id, claims, attempt, outcome, error, traceback, output)"
        " VALUES (:id, :claims, :claims, 'failed', :error, :text, :text)"
    )
    for claims in range(1, count + 1):
        table.write(statement, id=job_id, claims=claims, error=f"error {claims}", text=text)


def test_the_newest_attempts_come_first_and_the_others_are_counted(table: Table) -> None:
    one, other, none = table.add(3)
    fail(table, one, 7)
    fail(table, other, 1)
    found = attempts.newest(table.connection, one, 3)
    assert [past.error for past in found] == ["error 7", "error 6", "error 5"]
    assert attempts.count(table.connection, one) == 7
    assert [past.error for past in attempts.newest(table.connection, other, 3)] == ["error 1"]
    assert attempts.newest(table.connection, none, 3) == []
    assert attempts.count(table.connection, none) == 0


def test_a_million_attempts_are_counted_up_to_the_cap(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    (job_id,) = table.add()
    fail(table, job_id, 3)
    statement = attempts._COUNT.text.replace(str(CAP + 1), "2")
    monkeypatch.setattr(attempts, "_COUNT", type(attempts._COUNT)(statement))
    assert attempts.count(table.connection, job_id) == 2


def test_long_texts_are_cut_to_their_heads_and_the_newest_is_cut_last(table: Table) -> None:
    (job_id,) = table.add()
    fail(table, job_id, 2, "é" * (attempts.HEAD_MOST + 1))
    newest, before = attempts.newest(table.connection, job_id, 50)
    assert (newest.cut, newest.traceback) == (False, "é" * (attempts.HEAD_MOST + 1))
    assert (before.cut, before.traceback) == (True, "é" * attempts.HEAD_MOST)
    assert before.output == before.traceback
    assert before.error == "error 1"
