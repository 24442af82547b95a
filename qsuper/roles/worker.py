"""Runs jobs: claims a batch, runs it job by job, writes down how each ended."""

import logging
import os
import random
import signal
from contextlib import suppress
from pathlib import Path
from types import FrameType

from qsuper import logs
from qsuper.errors import StoreError
from qsuper.exits import Exit
from qsuper.job import Done, Failed, Job, Outcome, PutOff
from qsuper.place import Place
from qsuper.roles import lease
from qsuper.roles.acks import Acks
from qsuper.roles.batch import Batch
from qsuper.roles.companion import Companion
from qsuper.roles.output import Output
from qsuper.roles.pace import Pace
from qsuper.roles.recycling import Recycling
from qsuper.roles.role import AT_ONCE, Role, kill_descendants
from qsuper.scoreboard import clock
from qsuper.slices import Slice
from qsuper.store import claiming, looking
from qsuper.store.claiming import Claim
from qsuper.tasks import application, function
from qsuper.tasks.ending import Aborted, SoftTimeout
from qsuper.tasks.registry import Registry, Task

log = logging.getLogger("qsuper.worker")

EVERYONE_EVERY = 8
"""Every so many claims ignore the slice, and at least one a second does."""
LOOK = 2.0
"""Seconds after which an idle worker looks for itself while a scheduler looks for all."""
LOOK_ALONE = 0.25
"""The same while no scheduler does."""
STRAYS_EVERY = 5.0
HELD_BACK = 0.2
"""Seconds between two looks at whether it may begin again (pause, lease)."""


class Worker(Role):
    """One worker of one queue."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        assert place.queue is not None
        self.queue = place.queue
        self.name = place.queue.name
        self.worker = place.record.worker
        self.acks = Acks(self.config, self.record, place.board.header.node)
        self.batch = Batch(self.record)
        self.companion = Companion(place, self.database, self.batch, self.acks)
        self.pace = Pace(self.config.worker.batch)
        self.recycling = Recycling(self.config.worker, clock())
        self.registry = Registry()
        self.helps = True
        self._claims = 0
        self._everyone_at = 0.0
        self._strays_at = 0.0
        self._interruptible = False
        self._task = ""
        self._timeout = -1.0
        self._idle = False

    def boot(self) -> None:
        output = Path(self.config.state_dir, "output", f"{self.name}-{self.record.number}.out")
        self.output = Output(output)
        self.registry = application.load(self.config.app, Path(self.config.folder))
        logs.setup(self.config.log, f"worker {self.place.name}")
        self.output.redirect()
        self.companion.start()
        signal.signal(signal.SIGALRM, self._on_alarm)

    def tick(self, now: float) -> float | None:
        if self.order == AT_ONCE:
            self._go_now()
            return None
        self.acks.flush(self.link.connection)
        if self.order or self.record.order:
            self.record.describe(phase="draining")
            return None
        if self.recycling.due(now, self.record.done + self.record.failed):
            self.exit = Exit.RECYCLED
            return None
        if held := self._held_back(now):
            self.record.describe(phase=held)
            return HELD_BACK
        claim = self._claim(now)
        if not claim.jobs:
            return self.nothing(now)
        self._idle = False
        self._run(claim.jobs)
        return 0.0

    def wakeful(self) -> list[int]:
        return [self.queue.wake_read] if self._idle else []

    def _held_back(self, now: float) -> str | None:
        """The phase in which nothing may begin, or None."""
        if self.place.board.header.paused or self.queue.paused:
            return "paused"
        if lease.due(self.place, now, 1.5) and self._may_renew(now):
            lease.renew(self.place, self.connection())
        return None if lease.may_begin(self.place, now) else "waiting"

    def _may_renew(self, now: float) -> bool:
        """The scheduler enters the node; a worker does so only when none comes up."""
        return bool(self.place.board.header.renewed) or now - self.record.spawned > 3.0

    def _claim(self, now: float) -> Claim:
        if now - self._strays_at > STRAYS_EVERY:
            self._strays_at = now
            known = self.acks.ids
            claiming.release_strays(self.connection(), self.name, self.worker, known)
        everyone = self._claims % EVERYONE_EVERY == 0 or now - self._everyone_at > 1.0
        self._claims += 1
        if everyone:
            self._everyone_at = now
        with self.batch.claiming:
            claim = self.look(everyone)
            self.record.conflicts += claim.conflicts
            if claim.jobs:
                if claim.helped:
                    self.record.helps += len(claim.jobs)
                self.batch.hold(claim.jobs, [self._most_attempts(job) for job in claim.jobs])
        return claim

    def look(self, everyone: bool) -> Claim:
        """One claim."""
        return claiming.claim(
            self.connection(),
            queue=self.name,
            worker=self.worker,
            mine=self.slice,
            most=self._batch_size(),
            helps=self.helps,
            everyone=everyone,
        )

    def _batch_size(self) -> int:
        return self.pace.size

    @property
    def slice(self) -> Slice:
        count = max(1, self.queue.total or self.queue.wanted)
        return Slice((self.queue.first + self.record.ordinal) % count, count)

    def nothing(self, now: float) -> float | None:
        """Nothing to claim: rest until woken."""
        self._idle = True
        self.pace.size = 1
        if self.record.phase != 1:
            self.record.describe(phase="idle", task="")
            self._task = ""
        if now - self.place.board.header.looked < 1.0:
            return LOOK * random.uniform(0.75, 1.25)
        looking.promote(self.connection(), self.name)
        return LOOK_ALONE * random.uniform(0.75, 1.25)

    def take_hint(self) -> bool:
        """One byte wakes one worker, though all that are idle see the pipe readable."""
        try:
            return bool(os.read(self.queue.wake_read, 1))
        except BlockingIOError:
            return False

    def trouble(self, error: StoreError) -> None:
        super().trouble(error)
        # What was claimed and has not begun is left to the look for strays, which comes first.
        self.batch.surrender()
        self._strays_at = 0.0
        self._idle = False

    def _run(self, jobs: list[Job]) -> None:
        started = clock()
        self.record.describe(phase="busy")
        self.companion.watch()
        all_fast = True
        try:
            while (job := self.batch.next()) is not None:
                if self._interrupted():
                    self._give_back([job, *self.batch.surrender()])
                    break
                all_fast = self._run_one(job) and all_fast
        finally:
            self.companion.active = False
            logs.clear_job()
        ran = self.batch.position + 1
        if ran:
            seconds = clock() - started
            self.pace.batch_ended(ran, seconds, all_fast)
            if ran > 1:
                log.info(
                    "%d jobs, %d to %d, in %.1f ms",
                    ran,
                    jobs[0].id,
                    jobs[ran - 1].id,
                    seconds * 1e3,
                )
        self.acks.flush(self.link.connection)

    def _interrupted(self) -> bool:
        """Whether what has not begun is to go back."""
        paused = self.queue.paused or self.place.board.header.paused
        return bool(self.order or self.record.order or paused)

    def _run_one(self, job: Job) -> bool:
        """Run one job; returns whether its task is known to be fast."""
        task = self.registry.get(job.task)
        fast = self.pace.is_fast(job.task)
        began = clock()
        if self.acks and (not fast or self.acks.is_old(began)):
            self.acks.flush(self.link.connection)
            began = clock()
        self._describe(job, task)
        logs.job_context(job.id, job.attempt, self.worker, job.task)
        self.record.begin(self.batch.position, began)
        outcome = self._outcome(task, job)
        self.record.finish(self.batch.position)
        ended = clock()
        self.output.collect()
        self._note_outcome(job, outcome, ended - began, len(self.batch) == 0 and not fast)
        self.acks.add(job, outcome, self._most_attempts(job), ended)
        self.pace.took(job.task, ended - began)
        return fast

    def _outcome(self, task: Task | None, job: Job) -> Outcome:
        if task is None:
            return PutOff(f"no task named {job.task!r} is registered here")
        if self._timeout:
            signal.setitimer(signal.ITIMER_REAL, self._timeout)
        try:
            self._interruptible = True
            outcome = function.run(task, job)
            self._interruptible = False
        except SoftTimeout:
            outcome = Failed("ran longer than its time-out")
        except Aborted:
            self._interruptible = False
            self._go_now(job)
            raise SystemExit(self.exit) from None
        finally:
            self._interruptible = False
            if self._timeout:
                signal.setitimer(signal.ITIMER_REAL, 0)
        return outcome

    def _describe(self, job: Job, task: Task | None) -> None:
        if job.task != self._task:
            self.record.describe(task=job.task)
            self._task = job.task
        timeout = job.timeout
        if timeout is None:
            timeout = task.timeout if task and task.timeout is not None else self.config.job.timeout
        if timeout != self._timeout:
            self.record.timeout = self._timeout = timeout
        self.record.attempt = job.attempt

    def _most_attempts(self, job: Job) -> int:
        if job.max_attempts is not None:
            return max(1, job.max_attempts)
        task = self.registry.get(job.task)
        if task is not None and task.max_attempts is not None:
            return task.max_attempts
        return self.config.job.max_attempts

    def _note_outcome(self, job: Job, outcome: Outcome, seconds: float, alone: bool) -> None:
        if isinstance(outcome, Done):
            self.record.done += 1
            if alone:
                log.info("done in %.1f ms", seconds * 1e3)
            else:
                log.debug("done in %.1f ms", seconds * 1e3)
            return
        if isinstance(outcome, PutOff):
            log.warning("put off: %s", outcome.why)
            return
        self.record.failed += 1
        ended = isinstance(outcome, Failed) and job.attempt < self._most_attempts(job)
        log.warning("%s: %s", "failed, will be tried again" if ended else "dead", outcome.error)

    def _give_back(self, jobs: list[Job]) -> None:
        self.batch.position -= 1
        claiming.release(self.link.connection, self.worker, jobs)

    def _on_alarm(self, _signal: int, _frame: FrameType | None) -> None:
        if self._interruptible:
            self._interruptible = False
            raise SoftTimeout

    def interrupt(self) -> None:
        if self._orphaned():
            self._last_words()
        if self._interruptible:
            self._interruptible = False
            raise Aborted

    def farewell(self) -> None:
        self._go_now()

    def _go_now(self, running: Job | None = None) -> None:
        """Ack what has finished, give back what has not begun, and the job in flight un-counted
        unless the master is dead: then the next one settles it from the scoreboard."""
        kill_descendants()
        back = self.batch.surrender()
        if self._orphaned():
            self.exit = Exit.MASTER_DIED
        elif running is not None:
            back.append(running)
        with suppress(StoreError):
            self.acks.flush(self.link.connection)
            if back:
                claiming.release(self.link.connection, self.worker, back)
