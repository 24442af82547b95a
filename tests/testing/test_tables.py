"""The empty database that a test gets, and what it must never touch."""

import gc
import os
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from qsuper import Queue
from qsuper.config import load
from qsuper.errors import QsuperError
from qsuper.testing import Clock, State, drain, empty_database, expire, inline, jobs
from qsuper.testing.tables import EMPTIED, MARK
from tests.acceptance.figures import Figures
from tests.store.table import Table

KEPT = {"alembic_version", "compatible", "sqlite_sequence", MARK}


def test_each_test_begins_with_an_empty_database(app: Queue, store_url: str) -> None:
    for _ in range(2):
        with empty_database(app, None if store_url.startswith("sqlite") else store_url) as queue:
            assert jobs(queue) == []
            queue.add("work")
            queue.timer("one", 60, "work")
            assert len(jobs(queue)) == 2


def test_every_table_that_remembers_is_emptied(store_url: str) -> None:
    table = Table(store_url)
    sql = "SELECT name FROM sqlite_master WHERE type = 'table'"
    names = {row[0] for row in table.read(sql if table.is_sqlite else "SHOW TABLES")}
    table.close()
    assert names - KEPT == set(EMPTIED)


def test_a_database_of_real_jobs_is_refused_and_left_as_it_is(app: Queue, store_url: str) -> None:
    table = Table(store_url)
    table.add(3)
    with pytest.raises(QsuperError, match="name an empty database"), empty_database(app, store_url):
        pass
    assert len(table.read("SELECT id FROM queue")) == 3
    table.close()


def test_the_applications_own_database_and_redis_are_left_alone(tmp_path: Path) -> None:
    own = tmp_path / "own.db"
    (tmp_path / "qsuper.toml").write_text(
        f'[store]\nurl = "sqlite:///{own}"\n[redis]\nurl = "redis://127.0.0.1:1/0"\n'
    )
    app = Queue(config=load(tmp_path / "qsuper.toml", environ={}))
    app.add("before")
    database = app.database
    with empty_database(app) as queue:
        assert queue is app
        assert queue.config.redis.url is None
        queue.add("inside")
    assert app.database is database
    assert [job.task for job in jobs(app)] == ["before"]


def test_a_queue_that_was_made_at_import_is_moved_and_moved_back(tmp_path: Path) -> None:
    app = Queue(f"sqlite:///{tmp_path}/own.db")
    with empty_database(app) as queue:
        queue.add("inside")
    assert "database" not in vars(app)
    assert not (tmp_path / "own.db").exists()


@pytest.mark.parametrize(
    "use", [drain, Clock, lambda app: inline(app).__enter__(), lambda app: expire(app, "SN1:1")]
)
def test_real_jobs_are_neither_run_nor_moved(
    tmp_path: Path, use: Callable[[Queue], object]
) -> None:
    app = Queue(f"sqlite:///{tmp_path}/own.db")
    job = app.add("work", delay=60)
    with pytest.raises(QsuperError, match="these would be real jobs"):
        use(app)
    assert job.state is State.SCHEDULED
    app.close()


def test_nothing_is_left_open(app: Queue) -> None:
    @app.task(transactional=True)
    def work(connection: object) -> None: ...

    def once() -> None:
        with empty_database(app) as queue, inline(queue):
            queue.add("work")
            jobs(queue)

    once()
    gc.collect()
    before = os.listdir("/proc/self/fd")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for _ in range(20):
            once()
        gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= len(before)
    assert said == []


def test_what_a_test_costs(app: Queue) -> None:
    figures = Figures("test_what_a_test_costs")

    @app.task
    def work() -> None: ...

    def median(once: Callable[[], object]) -> float:
        took = []
        for _ in range(20):
            began = time.perf_counter()
            once()
            took.append(time.perf_counter() - began)
        return statistics.median(took) * 1000

    def database() -> None:
        with empty_database(app):
            work.add()

    def drained() -> None:
        work.add()
        drain(app)

    with empty_database(app):
        plain = median(work.add)
        with inline(app):
            inline_ms = median(work.add)
        drained_ms = median(drained)
    figures(
        empty_database_and_a_job_ms=median(database),
        add_ms=plain,
        add_and_run_inline_ms=inline_ms,
        add_and_drain_ms=drained_ms,
    )
