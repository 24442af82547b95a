"""What a program says on descriptor 3: one JSON object a line."""

import json
import logging
from typing import Any

from qsuper.config.kinds import TEN_YEARS
from qsuper.errors import ParamError, QsuperError
from qsuper.job import is_number
from qsuper.tasks.current import CurrentJob, as_json

LINE_BYTES_MOST = 64 * 1024
KEYS = ("progress", "text", "result", "retry_in", "state")

log = logging.getLogger("qsuper.program")


class Reports:
    """Takes in what comes, in whatever pieces. Junk is said once and otherwise ignored: what a
    program has on this descriptor may not be meant for us."""

    def __init__(self, current: CurrentJob) -> None:
        self._current = current
        self._rest = b""
        self._too_long = False
        self._complained = False
        self.result: str | None = None
        """JSON; the last one counts."""
        self.retry_in: float | None = None
        """Seconds after which it wants to run again."""

    def hear(self, data: bytes) -> None:
        """The next piece of it."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._line(line)
        if len(self._rest) > LINE_BYTES_MOST:
            self._rest, self._too_long = b"", True

    def finish(self) -> None:
        """It has ended, perhaps without a last newline."""
        rest, self._rest = self._rest, b""
        self._line(rest)

    def _line(self, line: bytes) -> None:
        if self._too_long or len(line) > LINE_BYTES_MOST:
            self._too_long = False
            self._complain(f"a line of more than {LINE_BYTES_MOST} bytes")
            return
        if not line.strip():
            return
        try:
            self._take(json.loads(line))
        except (ValueError, RecursionError, QsuperError) as error:
            self._complain(f"{line[:80]!r} ({str(error).partition(chr(10))[0]:.200})")

    def _take(self, said: Any) -> None:
        if not isinstance(said, dict) or not said.keys() & set(KEYS):
            raise ParamError(f"known is a JSON object with {', '.join(KEYS)}")
        if "result" in said:
            self.result = as_json(said["result"], "the result")
        if "retry_in" in said:
            self.retry_in = _seconds(said["retry_in"])
        if "progress" in said:
            self._current.progress(said["progress"], _printable(said.get("text", "")))
        if "state" in said:
            if len(as_json(said["state"], "the state")) > LINE_BYTES_MOST:
                raise ParamError(f"the state is larger than {LINE_BYTES_MOST} bytes")
            self._current.state = said["state"]

    def _complain(self, what: str) -> None:
        if not self._complained:
            self._complained = True
            log.warning("ignored on descriptor 3, and what is like it: %s", what)


def _seconds(value: Any) -> float:
    if not is_number(value) or value < 0:
        raise ParamError(f"retry_in is a number of seconds, not {value!r:.40}")
    return float(min(value, TEN_YEARS))


def _printable(text: Any) -> str:
    """A screen and a column shall be able to show it."""
    return "".join(letter if letter.isprintable() else " " for letter in str(text)[:200])
