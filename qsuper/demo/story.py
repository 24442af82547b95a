"""The course of the demo: what happens when, told by how much of the mailing has arrived."""

import json
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from qsuper.demo import verdict
from qsuper.demo.daemon import Daemon, Victim
from qsuper.demo.mailing import Mailing, read
from qsuper.demo.patience import Patience
from qsuper.demo.screen import Scene, Screen
from qsuper.demo.sink import Sink
from qsuper.store import listing
from qsuper.store.database import Database

WORKERS, MORE_WORKERS = 4, 8
TURN = 0.08
STALLED = 20.0
"""Seconds without a single mail after which the rest counts as lost."""
WAIT_FOR_RETRY = 10.0


def play(data: Path, programs: Path, folder: Path, screen: Screen, patience: Patience) -> int:
    """The whole demo; returns the exit code."""
    mailing = read(data)
    with closing(Sink()) as sink, screen:
        screen.tell(f"a mail server listens at {sink.address}")
        daemon = Daemon(folder, data, programs, smtp=sink.address, workers=WORKERS)
        with closing(daemon):
            daemon.wait_until_ready(WORKERS, patience)
            screen.tell(f"`qsuper run`: master {daemon.pid} has forked {WORKERS} workers")
            story = Story(mailing, sink, daemon, screen, patience)
            story.run()
            daemon.stop()
        screen.tell("`qsuper stop`: every process has ended")
        found = story.judge()
        screen.conclude(found, story.victim.job if story.victim else 0)
    return 0 if found.good else 1


@dataclass(frozen=True, slots=True)
class Act:
    """Something that happens once this share of the mailing has arrived; repeated until done."""

    share: float
    do: Callable[["Story"], bool]


@dataclass
class Story:
    """From the first job to the last mail."""

    mailing: Mailing
    sink: Sink
    daemon: Daemon
    screen: Screen
    patience: Patience
    victim: Victim | None = None
    _killed_at: float = 0.0
    _begun: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        store = self.daemon.config.store
        self._database = Database(store.url)
        self._acts = [
            Act(0.15, Story.kill_a_worker),
            Act(0.15, Story.see_it_run_again),
            Act(0.40, Story.scale_up),
            Act(0.80, Story.scale_down),
        ]

    def run(self) -> None:
        """Enqueue, then look on until all has arrived, or nothing arrives any more."""
        self._begun = time.monotonic()
        self.screen.tell(f"`python send.py`: {self.daemon.enqueue()}")
        while not self._over():
            share = len(self.sink.mails) / len(self.mailing)
            if self._acts and share >= self._acts[0].share and self._acts[0].do(self):
                self._acts.pop(0)
            self._show()
            self.patience.rest(TURN)
        self._show()
        self.screen.tell(f"{len(self.sink.mails):,} mails are in the mailbox")

    @property
    def _arrived(self) -> bool:
        return len(self.sink.mails) >= len(self.mailing)

    def _over(self) -> bool:
        if self._arrived and not self._acts:
            return True
        return time.monotonic() - max(self._begun, self.sink.last) > STALLED

    def kill_a_worker(self) -> bool:
        if self._arrived:
            self.screen.tell("all mails have arrived before a worker could be killed")
            return True
        self.victim = self.daemon.kill_a_worker()
        if self.victim is None:
            return False
        self._killed_at = time.time()
        row = listing.job(self._database, self.victim.job)
        to = json.loads(row["param"])["to"]
        self.screen.tell(
            f"SIGKILL to {self.victim.name} while it runs job {self.victim.job}: {to}", bad=True
        )
        return True

    def see_it_run_again(self) -> bool:
        """The killed worker's job: what became of it."""
        if self.victim is None:
            return True
        row = listing.job(self._database, self.victim.job)
        waited = time.time() - self._killed_at
        if row["attempt"] < 2:
            return waited > WAIT_FOR_RETRY
        if row["state"] != "done" and waited < WAIT_FOR_RETRY:
            return False
        again = row["started_at"] - self._killed_at
        self.screen.tell(
            f"job {self.victim.job} began again {max(again, 0.001):.3f} s later:"
            f" attempt {row['attempt']}, {row['state']}",
            good=row["state"] == "done",
        )
        return True

    def scale_up(self) -> bool:
        return self._scale(MORE_WORKERS)

    def scale_down(self) -> bool:
        return self._scale(WORKERS)

    def _scale(self, workers: int) -> bool:
        self.daemon.scale(workers)
        self.screen.tell(f"`qsuper scale {workers}`")
        return True

    def _show(self) -> None:
        picture = self.daemon.look()
        self.screen.show(
            Scene(
                mailing=self.mailing,
                arrived=Counter(
                    message
                    for mail in list(self.sink.mails)
                    if (message := self.mailing.expected.get(mail))
                ),
                workers=tuple(
                    child for child in (picture.children if picture else ()) if child.queue
                ),
            )
        )

    def judge(self) -> verdict.Verdict:
        """Call it when the daemon has stopped: then every outcome is written down."""
        jobs = listing.jobs(self._database, listing.Filter(most=1_000_000))
        seconds = self.sink.last - self._begun
        return verdict.judge(self.mailing, self.sink.mails, jobs, seconds)
