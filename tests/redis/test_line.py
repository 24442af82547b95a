"""Words to a Redis whose answers nobody waits for."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from qsuper.redis.line import Line
from qsuper.redis.server import Server
from qsuper.redis.waking import Waker
from tests.servers import Redis
from tests.wait import wait_for

PATIENCE = 0.5
THREADS = 12


@pytest.fixture
def server(own_redis: Callable[..., Redis]) -> Redis:
    return own_redis()


@pytest.fixture
def line(server: Redis) -> Line:
    return Line(Server(server.url(), timeout=PATIENCE), PATIENCE)


@pytest.fixture
def listener(server: Redis) -> Iterator[Any]:
    """Hears what is said on the channel."""
    with redis.Redis.from_url(server.url()) as client:
        listener: Any = client.pubsub()
        listener.subscribe("test-line")
        wait_for(lambda: listener.get_message(timeout=1), 30, "it is subscribed")
        yield listener
        listener.close()


def words(listener: Any, count: int) -> list[bytes]:
    found: list[bytes] = []

    def all_heard() -> bool:
        while message := listener.get_message(timeout=0.1):
            found.append(message["data"])
        return len(found) >= count

    wait_for(all_heard, 30, f"{count} words are heard")
    return found


def test_every_word_of_many_threads_is_heard(line: Line, listener: Any) -> None:
    def speak(thread: int) -> None:
        for number in range(50):
            line.publish(b"test-line", b"%d %d" % (thread, number))

    threads = [threading.Thread(target=speak, args=(one,)) for one in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wanted = {b"%d %d" % (thread, number) for thread in range(8) for number in range(50)}
    assert set(words(listener, 400)) == wanted
    line.close()


def test_a_connection_that_was_closed_meanwhile_loses_no_word(
    line: Line, server: Redis, listener: Any
) -> None:
    line.publish(b"test-line", b"first")
    with redis.Redis.from_url(server.url()) as client:
        client.client_kill_filter(_type="normal", skipme=True)
    line.publish(b"test-line", b"second")
    assert words(listener, 2) == [b"first", b"second"]
    line.close()


def test_a_line_that_was_cut_off_in_a_word_is_of_no_use_and_says_so(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    line.publish(b"test-line", b"first")

    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(line._connection, "send_packed_command", cut)
        with pytest.raises(KeyboardInterrupt):
            line.publish(b"test-line", b"second")
    with pytest.raises(redis.ConnectionError):
        line.publish(b"test-line", b"third")


def test_a_frozen_redis_holds_up_no_thread_behind_another(server: Redis) -> None:
    waker = Waker(server.url)
    waker.wake("default")
    server.freeze()
    try:
        waits: list[float] = []

        def wake() -> None:
            began = time.monotonic()
            for _ in range(3):
                waker.wake("default")
                time.sleep(0.6)
            waits.append(time.monotonic() - began - 3 * 0.6)

        threads = [threading.Thread(target=wake) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        server.thaw()
    # In series the last one would have waited for half a second each.
    assert max(waits) < THREADS * PATIENCE / 2
    waker.close()
