"""How much of the log is for strangers."""

import asyncio
import logging

import pytest
from starlette.types import Message, Receive, Scope, Send

from qsuper.config import WebConfig
from qsuper.roles.web.gate.allowance import PERIOD, Allowance
from qsuper.roles.web.gate.guard import FAILURES_MOST, Guard
from qsuper.roles.web.gate.names import Names


def test_so_many_are_written_down_and_the_rest_is_counted() -> None:
    allowance = Allowance(2)
    assert [allowance.take(5.0) for _ in range(5)] == ["", "", None, None, None]
    assert allowance.take(5.0 + PERIOD) == ", and 3 before it"
    assert allowance.take(5.0 + PERIOD) == ""
    assert allowance.take(6.0 + PERIOD) is None


def test_failures_do_not_fill_the_disk(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError("it cannot be done")

    statuses: list[int] = []

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def nothing() -> Message:
        return {"type": "http.disconnect"}

    path = "/" + "9" * 15_000
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "server": ("127.0.0.1", 80),
    }
    guard = Guard(fail, Names(WebConfig()))

    async def many() -> None:
        for _ in range(5 * FAILURES_MOST):
            await guard(scope, nothing, answer)

    with caplog.at_level(logging.ERROR, "qsuper.web"):
        asyncio.run(many())
    assert statuses == [500] * (5 * FAILURES_MOST)
    lines = [record.getMessage() for record in caplog.records if record.name == "qsuper.web"]
    # A minute may have begun anew on the way.
    assert FAILURES_MOST <= len(lines) <= 2 * FAILURES_MOST
    assert max(map(len, lines)) < 300
