"""Keys that expire without a Redis."""

import pytest

from qsuper import Queue
from qsuper.errors import QsuperError
from qsuper.testing import drain, expire, inline, jobs


def test_a_key_that_expires_makes_the_job_that_the_listener_makes(queue: Queue) -> None:
    told = []

    @queue.watch("SN*:1", db=15)
    def order_expired(key: str, value: str | None, how: str, db: int) -> None:
        told.append((key, value, how, db))

    (job,) = expire(queue, "SN1:1", value="order 7")
    assert [one.id for one in jobs(queue, "order_expired")] == [job.id]
    drain(queue)
    expire(queue, b"SN2:1", db=15, how="presumed")
    drain(queue)
    assert told == [("SN1:1", "order 7", "observed", 15), ("SN2:1", None, "presumed", 15)]


def test_each_task_that_watches_the_key_gets_one_job(queue: Queue) -> None:
    seen = []

    @queue.watch("SN*")
    @queue.watch("*:1")
    def one(key: str) -> None:
        seen.append("one")

    @queue.watch("SN1:?")
    def other(key: str) -> None:
        seen.append("other")

    with inline(queue):
        expire(queue, "SN1:1")
    assert sorted(seen) == ["one", "other"]


def test_a_key_that_nobody_watches_is_said(queue: Queue) -> None:
    @queue.watch("SN*:1", db=15)
    def order_expired(key: str) -> None: ...

    with pytest.raises(QsuperError, match=r"no watch matches the key 'SN1:2': there are 'SN\*:1'"):
        expire(queue, "SN1:2")
    with pytest.raises(QsuperError, match="no watch"):
        expire(queue, "SN1:1", db=3)
    assert jobs(queue) == []
