"""A stream, and one who does not read it."""

import asyncio
from collections.abc import Callable

import pytest
from starlette.types import Message, Receive, Send

from qsuper.roles.web.answers import Trouble
from qsuper.roles.web.serving import streaming
from qsuper.roles.web.serving.events import STREAMS_MOST, Events, Stream
from qsuper.roles.web.serving.streaming import EventStream


class Quiet(Events):
    """Nobody looks: the test says what there is to hear."""

    def __init__(self) -> None:
        super().__init__(None, None, None)  # type: ignore[arg-type]

    async def _look(self) -> None:
        pass

    @property
    def streams(self) -> set[Stream]:
        return self._streams


async def never() -> Message:
    """Nothing is received: the listener stays."""
    await asyncio.Event().wait()
    return {}


async def hear(
    events: Quiet,
    send: Send,
    receive: Receive = never,
    may_stay: Callable[[], bool] = lambda: True,
) -> None:
    await EventStream(events, None, may_stay)({"type": "http"}, receive, send)


def test_who_does_not_read_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "PATIENCE", 0.05)

    async def story() -> set[Stream]:
        events, sent = Quiet(), 0

        async def send(_message: Message) -> None:
            nonlocal sent
            sent += 1
            if sent > 1:
                await asyncio.Event().wait()

        async with asyncio.timeout(30):
            await hear(events, send)
        return events.streams

    assert asyncio.run(story()) == set()


def test_only_the_newest_waits_for_who_is_slow() -> None:
    async def story() -> bytes:
        stream = Stream(None)
        for number in range(1000):
            stream.put("picture", b"%d;" % number)
            stream.put("job", b"job %d;" % number)
        return await stream.next()

    assert asyncio.run(story()) == b"999;job 999;"


def test_silence_is_broken_so_that_no_proxy_takes_it_for_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streaming, "HEARTBEAT", 0.01)

    async def story() -> list[bytes]:
        events, bodies = Quiet(), []

        async def send(message: Message) -> None:
            bodies.append(message.get("body", b""))
            if len(bodies) > 4:
                events.close()

        async with asyncio.timeout(30):
            await hear(events, send)
        return bodies

    assert b": still here\n\n" in asyncio.run(story())


@pytest.mark.parametrize("why", ["listener", "session"])
def test_it_ends_with_its(why: str) -> None:
    async def gone() -> Message:
        return {"type": "http.disconnect"}

    async def story() -> list[Message]:
        events, sent = Quiet(), []

        async def send(message: Message) -> None:
            sent.append(message)

        async with asyncio.timeout(30):
            if why == "listener":
                await hear(events, send, gone)
            else:
                await hear(events, send, may_stay=lambda: False)
        assert not events.streams
        return sent

    assert not asyncio.run(story())[-1].get("more_body", True)


def test_there_is_an_end_to_how_many_listen() -> None:
    async def story() -> None:
        events = Quiet()
        for _ in range(STREAMS_MOST):
            assert events.open(None)

        async def send(_message: Message) -> None:
            raise AssertionError("nothing is sent")

        with pytest.raises(Trouble, match="Too many"):
            await hear(events, send)

    asyncio.run(story())
