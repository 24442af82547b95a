import pytest

from qsuper.redis.waking import Waker, read_call


@pytest.mark.parametrize(
    ("data", "call"),
    [
        (b"default", ("default", 1)),
        (b"mail 20", ("mail", 20)),
        (b"mail ", ("mail", 1)),
        (b"mail 0", ("mail", 0)),
        (b"", None),
        (b" 3", None),
        (b"mail -1", None),
        (b"mail 1e9", None),
        (b"mail 9999999999", None),
        (b"mail 1 2", None),
        (b"\xff\xfe\x00", ("\ufffd\ufffd\x00", 1)),
    ],
)
def test_a_call_is_a_queue_and_a_number(data: bytes, call: tuple[str, int] | None) -> None:
    assert read_call(data) == call


def test_a_waker_without_redis_asks_once_where_it_is() -> None:
    asked: list[None] = []
    waker = Waker(lambda: asked.append(None))
    for _ in range(3):
        waker.wake("default")
    waker.close()
    assert len(asked) == 1


def test_a_url_that_is_none_fails_nobody() -> None:
    waker = Waker(lambda: "redis://host:port/x")
    waker.wake("default")
    waker.close()
