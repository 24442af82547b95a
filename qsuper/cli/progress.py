"""A line on the terminal that says how far something is that takes longer than a second.

Where standard error is no terminal nothing is said: cron mails what is written there, and scripts
look there for errors.
"""

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType

import click

from qsuper.cli.printing import cut, terminal_width
from qsuper.picture import span

QUIET_FOR = 1.0
"""Seconds before the line is shown."""
DRAW_EVERY = 0.25
STEADY_AFTER = 2.0
"""Seconds after which the rate is steady enough to say how long the rest takes."""


class Progress:
    """For a `with`: the line is there while the block runs, and gone behind it."""

    def __init__(
        self,
        what: str,
        noun: str,
        total: int | None = None,
        *,
        ask: Callable[[], int | None] | None = None,
    ) -> None:
        """`what` is done with `total` (None: nobody knows how many) of `noun`; without a noun only
        the part of the total is shown. `ask`, for a block that cannot call `at`, is called now and
        then from a thread of its own."""
        self._what = what
        self._noun = noun
        self._total = total
        self._ask = ask
        self._began = time.monotonic()
        self._first: tuple[int, float] | None = None
        self._done: int | None = None
        self._more = ""
        self._over = threading.Event()
        self._writing = threading.Lock()
        self._width = 0
        """Of the line that is there."""
        self._thread = threading.Thread(target=self._keep_drawing, daemon=True)

    def __enter__(self) -> "Progress":
        self._began = time.monotonic()
        if sys.stderr.isatty():
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._writing:
            self._over.set()
            self._write("")

    def at(self, done: int, more: str = "") -> None:
        """`done` of them; `more` is what else there is to say."""
        if self._first is None or done < self._first[0]:
            # What an earlier attempt has done is no measure of how fast this one is.
            self._first = (done, time.monotonic())
        self._done, self._more = done, more

    def line(self, now: float) -> str:
        """What is shown at that moment of the monotonic clock."""
        if self._done is None or self._first is None:
            return f"{self._what}: {span(now - self._began)}"
        done, total = self._done, self._total
        first, since = self._first
        rate = (done - first) / (now - since) if now > since else 0.0
        part = f"{min(done / total, 1.0):.0%}" if total else ""
        if not self._noun:
            words = [part]
        elif total:
            words = [f"{done:,} of {total:,} {self._noun} ({part})"]
        else:
            words = [f"{done:,} {self._noun}"]
        if self._noun and rate > 0:
            words.append(f"{rate:,.0f}/s")
        if total and rate > 0 and now - since >= STEADY_AFTER:
            words.append(f"{span(max(0, total - done) / rate)} left")
        return f"{self._what}: {', '.join(words)}{f'; {self._more}' if self._more else ''}"

    def _keep_drawing(self) -> None:
        if self._over.wait(QUIET_FOR):
            return
        while not self._over.is_set():
            if self._ask is not None and (done := self._ask()) is not None:
                self.at(done)
            with self._writing:
                if not self._over.is_set():
                    self._write(cut(self.line(time.monotonic()), terminal_width() - 1))
            self._over.wait(DRAW_EVERY)

    def _write(self, text: str) -> None:
        """In place of what is there. Spaces wipe on every terminal; control sequences do not."""
        if not text and not self._width:
            return
        end = "" if text else "\r"
        click.echo(f"\r{text.ljust(self._width)}{end}", nl=False, err=True)
        self._width = len(text)
