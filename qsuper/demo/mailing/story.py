"""What happens when, told by how much of the mailing has arrived."""

import json
import shutil
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from qsuper.demo import EXAMPLES
from qsuper.demo.daemon import Daemon
from qsuper.demo.mailing import verdict
from qsuper.demo.mailing.mailing import MESSAGES, RECIPIENTS, Mailing, read
from qsuper.demo.mailing.scene import Scene
from qsuper.demo.mailing.sink import Sink
from qsuper.demo.mailing.victim import Victim, kill_a_worker
from qsuper.demo.patience import Patience
from qsuper.demo.screen import Screen
from qsuper.store import listing
from qsuper.store.database import Database

TITLE = "A mailing: one job for each mail, and a worker is killed"
PROGRAMS = EXAMPLES / "mailing"
MORE_WORKERS = 8
TURN = 0.08
STALLED = 20.0
"""Seconds without a single mail after which the rest counts as lost."""
WAIT_FOR_RETRY = 10.0


def play(data: Path, folder: Path, screen: Screen, patience: Patience) -> verdict.Verdict:
    """The whole act, in a folder that it makes."""
    mailing = read(data)
    folder.mkdir()
    for name in ("mailing.py", "send.py", "qsuper.toml"):
        shutil.copy(PROGRAMS / name, folder)
    for name in (RECIPIENTS, MESSAGES):
        shutil.copy(data / name, folder)
    screen.begin(TITLE)
    with closing(Sink()) as sink:
        screen.tell(f"a mail server listens at {sink.address}")
        with closing(Daemon(folder, {"MAILING_SMTP": sink.address})) as daemon:
            daemon.wait_until_ready(patience)
            screen.tell(f"`qsuper run`: master {daemon.pid} has forked {daemon.workers} workers")
            story = Story(mailing, sink, daemon, screen, patience)
            story.run()
            daemon.stop()
        screen.tell("`qsuper stop`: every process has ended")
        return story.judge()


@dataclass(frozen=True, slots=True)
class Cue:
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
        self._database = Database(self.daemon.config.store.url)
        self._cues = [
            Cue(0.15, Story.kill_a_worker),
            Cue(0.15, Story.see_it_run_again),
            Cue(0.40, Story.scale_up),
            Cue(0.80, Story.scale_down),
        ]

    def run(self) -> None:
        """Enqueue, then look on until all has arrived, or nothing arrives any more."""
        self._begun = time.monotonic()
        self.screen.tell(f"`python send.py`: {self.daemon.run_program('send.py')}")
        while not self._over():
            share = len(self.sink.mails) / len(self.mailing)
            if self._cues and share >= self._cues[0].share and self._cues[0].do(self):
                self._cues.pop(0)
            self._show()
            self.patience.rest(TURN)
        self._show()
        self.screen.tell(f"{len(self.sink.mails):,} mails are in the mailbox")

    @property
    def _arrived(self) -> bool:
        return len(self.sink.mails) >= len(self.mailing)

    def _over(self) -> bool:
        if self._arrived and not self._cues:
            return True
        return time.monotonic() - max(self._begun, self.sink.last) > STALLED

    def kill_a_worker(self) -> bool:
        if self._arrived:
            self.screen.tell("all mails have arrived before a worker could be killed")
            return True
        self.victim = kill_a_worker(self.daemon.state_dir)
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
        return self._scale(self.daemon.workers)

    def _scale(self, workers: int) -> bool:
        self.daemon.scale(workers)
        self.screen.tell(f"`qsuper scale {workers}`")
        return True

    def _show(self) -> None:
        self.screen.show(
            Scene(
                mailing=self.mailing,
                arrived=Counter(
                    message
                    for mail in list(self.sink.mails)
                    if (message := self.mailing.expected.get(mail))
                ),
                workers=self.daemon.children("worker"),
            )
        )

    def judge(self) -> verdict.Verdict:
        """Call it when the daemon has stopped: then every outcome is written down."""
        jobs = listing.jobs(self._database, listing.Filter(most=1_000_000))
        seconds = self.sink.last - self._begun
        killed = self.victim.job if self.victim else None
        return verdict.judge(self.mailing, self.sink.mails, jobs, seconds, killed)
