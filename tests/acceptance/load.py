"""A backlog that never runs dry, and what must be true of it at the end."""

import random
from typing import Any

from tests.acceptance import journal
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.journal import Death, runs_of
from tests.acceptance.rows import Rows


class Load:
    """Jobs of mixed length, numbered from 1 on."""

    def __init__(self, rows: Rows, *, longest: float = 0.3) -> None:
        self._rows = rows
        self._longest = longest
        self._random = random.Random(20261120)
        self.last = 0

    @property
    def numbers(self) -> range:
        return range(1, self.last + 1)

    def add(self, count: int) -> None:
        """Most take 1 to 4 ms, one in thirty up to `longest` seconds."""
        first, self.last = self.last + 1, self.last + count
        self._rows.add(
            (n, "work", {"n": n, "seconds": self._seconds()}) for n in range(first, self.last + 1)
        )

    def add_job(self, task: str, **more: Any) -> int:
        """One job of another task, before all others."""
        self.last += 1
        self._rows.add([(self.last, task, {"n": self.last, **more})], priority=-10)
        return self.last

    def top_up(self, least: int) -> None:
        """Have at least so many ready rows."""
        ready = self._rows.count(0)
        if ready < least:
            self.add(2 * least - ready)

    def _seconds(self) -> float:
        rng = self._random
        long = rng.random() < 1 / 30
        return round(rng.uniform(0.02, self._longest) if long else rng.uniform(0.001, 0.004), 4)

    def unfinished(self, daemon: Daemon) -> list[int]:
        """Jobs of which a run was cut short; to be asked when none is under way."""
        return [run.number for run in daemon.runs() if not run.succeeded]

    def wait_until_done(self, daemon: Daemon) -> None:
        daemon.wait_until(lambda: self._rows.count(1) == self.last, "every job is done", 300)

    def judge(
        self, daemon: Daemon, figures: Figures, deaths: tuple[Death, ...] = (), **more: object
    ) -> None:
        """Nothing lost, one holder at a time, nothing run again once it was acknowledged."""
        events = daemon.events()
        runs = runs_of(events)
        lost = journal.lost(self.numbers, runs)
        overlapping = journal.overlapping(events, deaths)
        again = journal.again_after_ack(self._rows.moves(), runs)
        figures(
            jobs=self.last,
            lost=len(lost),
            overlapping=len(overlapping),
            acknowledged_and_run_again=len(again),
            **more,
        )
        assert not lost
        assert not overlapping
        assert not again


def wait_for_progress(daemon: Daemon, lines: int = 40) -> None:
    """Wait until the workers have written so many lines more."""
    before = daemon.written()
    daemon.wait_until(lambda: daemon.written() >= before + lines, "the workers go on")
