"""Who is told of a job that is ready, and when; and what that costs where nobody listens."""

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy import create_engine

from qsuper import Queue
from qsuper.config import Config, RedisConfig, StoreConfig
from qsuper.redis.waking import CHANNEL, Waker
from qsuper.states import State
from tests.acceptance.daemon import Daemon
from tests.acceptance.ear import Ear
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows
from tests.servers import Redis
from tests.wait import wait_for

JOBS = 20
THREADS, EACH = 6, 10


def queue_of(rows: Rows, url: str | None) -> Queue:
    return Queue(config=Config(store=StoreConfig(url=rows.url), redis=RedisConfig(url=url)))


@contextmanager
def queue_with_ear(rows: Rows, server: Redis) -> Iterator[tuple[Queue, Ear]]:
    queue = queue_of(rows, server.url(3))
    with closing(Ear(server.url())) as ear, closing(queue):
        yield queue, ear


def test_each_way_to_enqueue_says_how_much_is_ready(rows: Rows, redis_server: Redis) -> None:
    with queue_with_ear(rows, redis_server) as (queue, ear):
        queue.add("work", {"n": 1})
        queue.add("work", {"n": 2}, queue="mail")
        queue.add("work", {"n": 3}, name="a name")
        queue.add_many("work", [{"n": n} for n in range(20)])
        queue.timer("at once", 0, "work", {"n": 4})
        assert ear.heard() == ["default", "mail", "default", "default 20", "default"]


def test_what_is_not_ready_is_not_told(rows: Rows, redis_server: Redis) -> None:
    with queue_with_ear(rows, redis_server) as (queue, ear):
        queue.add("work", {"n": 1}, delay=60)
        queue.add_many("work", [{"n": 2}], delay=60)
        queue.timer("later", 60, "work", {"n": 3})
        queue.add_many("work", [])
        assert ear.heard() == []


def test_what_is_in_a_callers_transaction_is_not_told(rows: Rows, redis_server: Redis) -> None:
    engine = create_engine(rows.url)
    with queue_with_ear(rows, redis_server) as (queue, ear):
        with engine.begin() as connection:
            queue.add("work", {"n": 1}, connection=connection)
            queue.add_many("work", [{"n": 2}], connection=connection)
            queue.timer("now", 0, "work", {"n": 3}, connection=connection)
        assert ear.heard() == []
    assert rows.count(State.READY, State.SCHEDULED) == 3
    engine.dispose()


def test_it_is_told_after_the_commit(
    rows: Rows, redis_server: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    say = Waker.wake

    def look_and_say(self: Waker, queue: str, count: int = 1) -> None:
        seen.append(rows.count())
        say(self, queue, count)

    monkeypatch.setattr(Waker, "wake", look_and_say)
    with queue_with_ear(rows, redis_server) as (queue, ear):
        queue.add("work", {"n": 1})
        queue.add("work", {"n": 2}, name="a name")
        queue.add_many("work", [{"n": n} for n in range(3)])
        queue.timer("now", 0, "work", {"n": 9})
        assert len(ear.heard()) == 4
    assert seen == [1, 2, 5, 6]


def test_threads_and_forks_are_all_heard(rows: Rows, redis_server: Redis) -> None:
    with queue_with_ear(rows, redis_server) as (queue, ear):

        def add() -> None:
            for _ in range(EACH):
                queue.add("work", {"n": 1})
            queue.close()

        queue.add("work", {"n": 0})
        threads = [threading.Thread(target=add) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                queue.add("work", {"n": 1}, queue="child")
                code = 0
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
        queue.add("work", {"n": 1}, queue="parent")
        heard = ear.heard()
    assert heard == ["default"] * (1 + THREADS * EACH) + ["child", "parent"]


def away(server: Redis) -> str:
    server.stop()
    return server.url()


def frozen(server: Redis) -> str:
    server.freeze()
    return server.url()


def closed(server: Redis) -> str:
    with redis.Redis.from_url(server.url()) as client:
        client.config_set("requirepass", "right")
    return f"redis://:wrong@127.0.0.1:{server.port}/0"


def no_database(server: Redis) -> str:
    return server.url(4711)


@pytest.mark.parametrize("make", [away, frozen, closed, no_database])
def test_a_redis_that_does_not_answer_costs_a_moment_once(
    make: Callable[[Redis], str],
    rows: Rows,
    own_redis: Callable[..., Redis],
    figures: Figures,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries: list[float] = []
    queue = queue_of(rows, make(own_redis()))
    connect = Waker._connect

    def counted(self: Waker) -> Any:
        tries.append(time.monotonic())
        return connect(self)

    monkeypatch.setattr(Waker, "_connect", counted)
    with closing(queue):
        queue.database  # noqa: B018 - the tables are made
        took = [seconds_of(lambda: queue.add("work", {"n": 1})) for _ in range(10)]
    assert rows.count() == 10
    assert len(tries) <= 1 + sum(took) // 5, "it is left in peace for a while"
    figures(first_ms=took[0] * 1e3, others_ms=max(took[1:]) * 1e3)


def test_a_redis_that_comes_back_is_told_again(
    rows: Rows, own_redis: Callable[..., Redis], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qsuper.redis.waking.SILENCE", 0.05)
    server = own_redis()
    with closing(queue_of(rows, server.url())) as queue:
        queue.add("work", {"n": 1})
        server.kill()
        queue.add("work", {"n": 2})
        server.start()

        with closing(Ear(server.url())) as ear:

            def told() -> bool:
                queue.add("work", {"n": 3})
                return bool(ear.heard())

            wait_for(told, message="it is told again")


def test_a_connection_that_redis_closed_for_idling_loses_no_word(
    rows: Rows, own_redis: Callable[..., Redis]
) -> None:
    server = own_redis(timeout=1)
    with queue_with_ear(rows, server) as (queue, ear), redis.Redis.from_url(server.url()) as client:
        for _ in range(3):
            queue.add("work", {"n": 1})
            assert ear.heard() == ["default"]
            wait_for(
                lambda: "qsuper" not in [one["name"] for one in client.client_list()],
                message="the queue's connection is closed",
            )


def test_who_has_no_redis_loads_no_client_of_it(rows: Rows, folder: Path) -> None:
    program = (
        "import sys, qsuper\n"
        f"qsuper.Queue({rows.url!r}).add('work', {{'n': 1}})\n"
        "assert 'redis' not in sys.modules, 'redis-py was loaded'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert rows.count() == 1


def test_a_foreign_programs_rows_are_found_without_any_word(
    daemon: Daemon, rows: Rows, figures: Figures
) -> None:
    daemon.start()
    took = [
        until_start(daemon, rows, number, lambda n: rows.add([(n, "work", {"n": n})]))
        for number in range(1, JOBS + 1)
    ]
    figures(insert_to_start_ms=statistics.median(took), most_ms=max(took))


def test_a_word_on_the_channel_wakes_a_worker(
    daemon: Daemon, rows: Rows, own_redis: Callable[..., Redis], figures: Figures
) -> None:
    server = own_redis()
    daemon.write_config(redis={"url": server.url()})
    daemon.start()
    with redis.Redis.from_url(server.url()) as client:
        daemon.wait_until(
            lambda: dict(client.pubsub_numsub(CHANNEL))[CHANNEL] == 1, "the listener listens"
        )
    with closing(queue_of(rows, server.url())) as queue:
        took = [
            until_start(daemon, rows, number, lambda n: queue.add("work", {"n": n}))
            for number in range(1, JOBS + 1)
        ]
    figures(add_to_start_ms=statistics.median(took), most_ms=max(took))


def until_start(daemon: Daemon, rows: Rows, number: int, enqueue: Callable[[int], object]) -> float:
    """Milliseconds from before the enqueueing until the handler runs, while all workers rest."""
    daemon.wait_until(lambda: daemon.idle() == 4, "all workers rest")
    began = time.monotonic_ns()
    enqueue(number)
    daemon.wait_until(lambda: rows.count(State.DONE) == number, "it is run")
    return (daemon.runs(number)[0].began - began) / 1e6


def seconds_of(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
