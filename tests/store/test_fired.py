import json
from typing import Any

from qsuper.states import State
from qsuper.store import ledger
from qsuper.store.fired import fired
from qsuper.store.ledger import Key, Shot
from tests.store.table import Table

AT = 1_700_000_000_123


def fire(table: Table, name: bytes, noticed: int, at: int = AT, db: int = 15) -> None:
    with table.connection.transaction():
        assert ledger.fire(table.connection, Shot(Key(db, name), at, noticed), "listener")


def made(table: Table, key: str, how: str, **columns: Any) -> int:
    """The job that a watch made of a key's end."""
    watch = {"watch": {"pattern": "SN*", "how": how, "db": 15, "deadline": AT / 1000}}
    (job_id,) = table.add(
        headers=json.dumps(watch), param=json.dumps({"key": key, "value": None}), **columns
    )
    return job_id


def test_a_key_that_fired_is_told_with_its_lateness_and_its_job(table: Table) -> None:
    fire(table, b"SN1:1", AT + 250)
    job_id = made(table, "SN1:1", "presumed")
    _, (key,) = fired(table.connection, 10)
    assert (key.db, key.key, key.at, key.late) == (15, b"SN1:1", AT / 1000, 0.25)
    assert (key.how, key.job_id) == ("presumed", job_id)


def test_keys_of_one_millisecond_are_told_apart_by_the_param_of_their_jobs(table: Table) -> None:
    for number, how in enumerate(("observed", "presumed"), 1):
        fire(table, f"SN{number}:1".encode(), AT)
        made(table, f"SN{number}:1", how)
    _, keys = fired(table.connection, 10)
    assert {key.key: key.how for key in keys} == {b"SN1:1": "observed", b"SN2:1": "presumed"}


def test_a_key_whose_job_is_gone_is_told_all_the_same(table: Table) -> None:
    fire(table, b"\xff", AT)
    table.add(headers="no JSON", name="a timer that waits", status=4)
    timers, (key,) = fired(table.connection, 10)
    assert (key.key, key.how, key.job_id) == (b"\xff", None, None)
    assert timers == []


def test_a_timer_that_fired_is_told_with_the_time_until_it_began(table: Table) -> None:
    at = "2026-11-20 10:00:00.000"
    (wanted,) = table.add(name="order:SN1", status=1, attempt=1, run_at=at, started_at=at)
    table.add(name="order:SN2", status=1, attempt=2, run_at=at, started_at=at)
    (timer,), keys = fired(table.connection, 10)
    assert (timer.job_id, timer.name, timer.state, timer.late) == (
        wanted,
        "order:SN1",
        State.DONE,
        0.0,
    )
    assert keys == []
    assert fired(table.connection, 0) == ([], [])
