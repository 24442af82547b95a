"""Runs jobs: claims a batch, runs it job by job, writes down how each ended."""

import logging
import os
import random
from contextlib import suppress

from qsuper import logs
from qsuper.errors import StoreError
from qsuper.exits import Exit
from qsuper.job import Discarded, Job
from qsuper.place import Place
from qsuper.roles import lease
from qsuper.roles.acks import OLD, Acks
from qsuper.roles.admission import Admission
from qsuper.roles.batch import Batch
from qsuper.roles.claimer import Claimer
from qsuper.roles.companion import Companion
from qsuper.roles.outcomes import number_of
from qsuper.roles.output import Output, path_of
from qsuper.roles.pace import Pace
from qsuper.roles.recycling import Recycling
from qsuper.roles.role import AT_ONCE, Role, kill_descendants
from qsuper.roles.runner import Runner
from qsuper.roles.turn import PATIENCE, Turn
from qsuper.roles.zombies import Zombies
from qsuper.scoreboard import clock
from qsuper.store import claiming, looking
from qsuper.tasks import application
from qsuper.tasks.ending import Aborted
from qsuper.tasks.programs.mistakes import mistakes
from qsuper.tasks.registry import Registry, Task

log = logging.getLogger("qsuper.worker")

LOOK = 2.0
"""Seconds after which an idle worker looks for itself while a scheduler looks for all."""
LOOK_ALONE = 0.25
"""The same while no scheduler does."""
LAST_ACKS = 0.1
"""Seconds between two tries at the last acks before it leaves."""
HELD_BACK = 0.2
"""Seconds between two looks at whether it may begin again (pause, lease)."""
BEATEN = 0.001
"""Seconds until it tries again when others were quicker to take what it saw, at most twice that;
and twice as many each time in a row..."""
BEATEN_MOST = 0.25
"""...up to this: what it sees may be a replica that lags."""
ENTER_AFTER = 3.0
"""Seconds after which a worker enters its node itself: no scheduler came up to do it."""
RENEW_LATENESS = 1.5


class Worker(Role):
    """One worker of one queue."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        assert place.queue is not None
        self.queue = place.queue
        self.worker = place.record.worker
        self.acks = Acks(self.record, place.board.header.node)
        self.batch = Batch(self.record)
        self.companion = Companion(place, self.database, self.batch, self.acks)
        self.pace = Pace(self.config.worker.batch)
        self.turn = Turn(self.config.state_dir, self.record.queue)
        self.recycling = Recycling(self.config.worker, clock())
        self.zombies = Zombies()
        self._idle = False
        self._woken = False
        """By a hint, out of its rest."""

    def boot(self) -> None:
        output = Output(path_of(self.config.state_dir, self.record.slot))
        registry = application.load(self.config)
        # The application may have set up logging in its own way.
        logs.setup(self.config.log, f"worker {self.place.name}")
        output.redirect()
        for mistake in mistakes(registry, self.config):
            log.warning("%s", mistake)
        patterns = [watch.pattern for watch in registry.watches]
        patterns += [watch.pattern for watch in self.config.watch]
        if patterns and self.config.redis.url is None:
            # Of the children that are always there, those know the application.
            self.complaint = f"keys {patterns[0]!r} are watched by nobody: set redis.url"
        runner = Runner(registry, output, self.record, self.config, self.queue.name, self.database)
        self.equip(registry, runner)
        self.companion.start()

    def equip(self, registry: Registry, runner: Runner) -> None:
        """What it works with, once the application is known."""
        self.runner = runner
        self.admission = Admission(registry, self.config, self.acks.slots, self.worker)
        self.claimer = self.make_claimer()

    def make_claimer(self) -> Claimer:
        return Claimer(
            self.place,
            self.queue,
            self.batch,
            self.acks,
            self.runner.most_attempts,
            self.admission,
        )

    def tick(self, now: float) -> float | None:
        if self.order == AT_ONCE:
            self._go_now()
            return None
        self.zombies.reap(now)
        lane = self.claimer.lane(self.pace.size)
        with self.turn.taken(lane, self.queue.wanted, self._in_a_hurry):
            self.acks.flush(self.link.connection)
            if self._leaves(now):
                return LAST_ACKS if self.acks else None
            if held := self._held_back(now):
                self.record.describe(phase=held)
                return HELD_BACK
            woken, self._woken = self._woken, False
            jobs = self.claimer.claim(self.connection(), now, self.pace.size, woken=woken)
        if not jobs and self.claimer.beaten:
            return random.uniform(0.0, min(BEATEN * 2 ** min(self.claimer.beaten, 9), BEATEN_MOST))
        if not jobs:
            return 0.0 if self.admission.has_more else self.nothing(now)
        self._idle = False
        self._run(jobs)
        return 0.0

    def _in_a_hurry(self) -> bool:
        return self.order == AT_ONCE or self.orphaned()

    def _leaves(self, now: float) -> bool:
        """Whether it claims nothing more and goes, once its acks are written."""
        if self.order or self.record.order or self.runner.spoilt:
            self.record.describe(phase="draining")
        elif self.acks or not self.recycling.due(now, self.record.done + self.record.failed):
            return False
        if not (self.order or self.record.order) or self.runner.spoilt:
            self.exit = Exit.RECYCLED
        return True

    def nothing(self, now: float) -> float | None:
        """Nothing to claim: rest until woken."""
        self.pace.size = 1
        if not self._idle:
            self._idle = True
            self.runner.idle()
        if now - self.board.header.looked < 1.0:
            return LOOK * random.uniform(0.75, 1.25)
        looking.promote(self.connection(), self.queue.name)
        return LOOK_ALONE * random.uniform(0.75, 1.25)

    def wakeful(self) -> list[int]:
        return [self.queue.wake_read] if self._idle else []

    def take_hint(self) -> bool:
        """One byte wakes one worker, though all that are idle see the pipe readable."""
        try:
            self._woken = bool(os.read(self.queue.wake_read, 1))
        except BlockingIOError:
            return False
        return self._woken

    def trouble(self, error: StoreError) -> None:
        super().trouble(error)
        self.claimer.lose()
        self._idle = self._woken = False

    def interrupt(self) -> None:
        super().interrupt()
        self.runner.interrupt()

    def leave(self) -> None:
        if self.order != AT_ONCE:
            self.runner.leave()

    def farewell(self) -> None:
        self._go_now()

    def _held_back(self, now: float) -> str | None:
        """The phase in which nothing may begin, or None."""
        if self._paused():
            self._idle = False
            return "paused"
        entered = bool(self.board.header.renewed) or now - self.record.spawned > ENTER_AFTER
        if entered and lease.due(self.place, now, RENEW_LATENESS):
            lease.renew(self.place, self.connection())
        return None if lease.may_begin(self.place, now) else "waiting"

    def _paused(self) -> bool:
        return bool(self.queue.paused or self.board.header.paused)

    def _run(self, jobs: list[Job]) -> None:
        started = clock()
        self.pace.batch_begins()
        self.record.describe(phase="busy")
        self.companion.watch()
        all_fast = True
        try:
            self.runner.expect(self.link.connection, jobs)
            while (job := self.batch.next()) is not None:
                now = clock()
                if self._may_not_go_on(now):
                    self._give_back([job, *self.batch.surrender()])
                    break
                all_fast = self._run_one(job, now) and all_fast
        except StoreError:
            self.claimer.lose()
            raise
        finally:
            self.companion.active = False
            if self.companion.failed:
                self.companion.failed = False
                self.claimer.doubt()
            logs.clear_job()
        self._note_pace(jobs, clock() - started, all_fast)
        if self.claimer.lane(self.pace.size) is None:
            self.acks.flush(self.link.connection)

    def _may_not_go_on(self, now: float) -> bool:
        """Whether what has not begun is to go back: after a freeze the lease may be over, and
        after a job this process be of no use."""
        leaves = self.order or self.record.order or self.runner.spoilt
        return bool(leaves or self._paused() or not lease.may_begin(self.place, now))

    def _run_one(self, job: Job, began: float) -> bool:
        """Run one job; returns whether its task is known to be fast."""
        task = self.runner.task(job)
        alone = task is not None and task.transactional
        fast = not alone and self.pace.is_fast(job.task)
        if alone and (others := self.batch.surrender()):
            self.acks.give_back(self.link.connection, others)
        if self.acks and (not fast or self.acks.is_old(began, self._ack_patience())):
            self.acks.flush(self.link.connection)
            began = clock()
        if self._is_too_old(job, task):
            return fast
        if self.admission.limits(job):
            if not self.admission.may_start(self.link.connection, job):
                return fast
            began = clock()
        try:
            outcome, ended = self.runner.run(job, task, self.batch.position, began, quiet=fast)
        except Aborted:
            self._go_now(job)
            raise SystemExit(self.exit) from None
        wait = self.runner.wait(job, outcome)
        self.acks.add(job, outcome, ended - began, ended, wait)
        waited = job.waited + began - self.claimer.claimed_at
        self.meter.ended(job.task, number_of(outcome, wait), ended - began, waited)
        self.pace.took(job.task, ended - began)
        return fast

    def _ack_patience(self) -> float:
        """Seconds: who has to wait for a turn writes its acks then."""
        return OLD if self.claimer.lane(self.pace.size) is None else PATIENCE

    def _is_too_old(self, job: Job, task: Task | None) -> bool:
        """Whether it has waited longer than its task lets it, where the row does not say; such a
        one ends here."""
        limit = None if task is None else task.max_age
        if limit is None or claiming.waited(self.link.connection, job.id) <= limit:
            return False
        self._discard(job, f"it has waited longer than {limit:g} s, its task's max_age")
        return True

    def _discard(self, job: Job, why: str) -> None:
        """Without running it."""
        logs.job_context(job.id, job.attempt, self.worker, job.task)
        log.info("discarded: %s", why)
        outcome = Discarded(why)
        self.acks.add(job, outcome, 0.0, clock(), None)
        self.meter.ended(job.task, number_of(outcome, None), 0.0, 0.0)

    def _note_pace(self, jobs: list[Job], seconds: float, all_fast: bool) -> None:
        ran = self.batch.position + 1
        if not ran:
            return
        self.pace.batch_ended(ran, seconds, all_fast)
        if all_fast:
            last = jobs[ran - 1].id
            log.info("%d jobs, %d to %d, in %.1f ms", ran, jobs[0].id, last, seconds * 1e3)

    def _give_back(self, jobs: list[Job]) -> None:
        self.batch.position -= 1
        self.acks.give_back(self.link.connection, jobs)

    def _go_now(self, running: Job | None = None) -> None:
        """Ack what has finished, give back what has not begun, and the job in flight un-counted
        unless the master is dead: then the next one settles it from the scoreboard."""
        kill_descendants()
        back = self.batch.surrender()
        if self.orphaned():
            self.exit = Exit.MASTER_DIED
        elif running is not None:
            back.append(running)
        with suppress(StoreError):
            self.acks.flush(self.link.connection)
            if back:
                self.acks.give_back(self.link.connection, back)
