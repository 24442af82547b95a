"""Makes jobs of due times, in rounds: the keeper's, and those of `qsuper cron tick`."""

import logging
from collections import Counter
from dataclasses import dataclass, field

from qsuper.config import Config
from qsuper.cron import CronLine
from qsuper.errors import OutcomeUnknown, StoreError, StoreUnavailable
from qsuper.states import LIVE
from qsuper.store import schedules
from qsuper.store.backend import StoreBusy
from qsuper.store.database import Connection
from qsuper.store.enqueueing import insert
from qsuper.store.schedules import Entry, Run
from qsuper.tasks.registry import Registry
from qsuper.tasks.schedule import MISSED, OVERLAP, Due, Schedule, line_of, remembered
from qsuper.tasks.scheduled import job_for, sorted_out

JOBS = "jobs"
SPAN = 500
"""Due times decided in one transaction."""
JOBS_MOST, SPANS_MOST = 1000, 20
"""Of one schedule in one round; the next round goes on."""
LOST_MOST = 3
"""Connections that may be lost in one round; a fourth is the database's fault."""
LOOK_BACK = 60.0
"""Seconds within which the due times of a changed line count: crontab ticks once a minute."""
HOUR, DAY = 3600.0, 86_400.0
KEEP = 30 * DAY
"""Seconds for which what became of a due time is kept."""

log = logging.getLogger("qsuper.schedules")


@dataclass(slots=True)
class Round:
    """What a round came to."""

    counts: Counter[str] = field(default_factory=Counter)
    """Jobs made, under `JOBS`, and due times that made none, by the reason."""
    unfinished: list[str] = field(default_factory=list)
    """Schedules of which more is due."""
    elsewhere: list[str] = field(default_factory=list)
    """Schedules that somebody else is at."""
    failed: dict[str, str] = field(default_factory=dict)
    """By schedule, why it makes no jobs."""
    spent: bool = False
    """The connection that was given is of no more use."""
    lost: int = 0
    """Connections that broke."""


class Scheduling:
    """The schedules of one application and configuration; those that cannot be are `refused`."""

    def __init__(self, config: Config, registry: Registry) -> None:
        self.schedules, self.refused = sorted_out(config, registry)
        self._config = config
        self._registry = registry
        self._changes: dict[str, tuple[float, int]] = {}
        """By schedule, since when changes are counted, and how many there were."""

    def round(self, connection: Connection) -> Round:
        """Decide everything that is due now. Any number of processes may do so at once."""
        done = Round(failed={one.name: one.reason for one in self.refused})
        if not self.schedules:
            return done
        entries = schedules.read(connection)
        given = connection
        try:
            for name, schedule in self.schedules.items():
                if not self._one(connection, schedule, entries.get(name), done):
                    done.spent = True
                    if connection is not given:
                        connection.close()
                    connection = connection.database.connect()
        finally:
            if connection is not given:
                connection.close()
        return done

    def _one(
        self, connection: Connection, schedule: Schedule, entry: Entry | None, done: Round
    ) -> bool:
        """Decide what is due of one. One that the database refuses shall not hold up the others:
        False when they need another connection."""
        name = schedule.name
        try:
            if entry is None:
                schedules.enter(connection, name, schedule.definition)
                log.info("schedule %s is new: it begins now", name)
            else:
                self._catch_up(connection, schedule, entry, done)
        except StoreBusy:
            done.elsewhere.append(name)
        except StoreError as error:
            done.lost += isinstance(error, OutcomeUnknown)
            away = isinstance(error, StoreUnavailable) and not isinstance(error, OutcomeUnknown)
            if away or done.lost > LOST_MOST:
                raise type(error)(f"schedule {name}: {error}") from error
            # MariaDB closes the connection after "packet too large", which is no loss to it.
            done.failed[name] = f"its job cannot be made: {error}"
            return False
        return True

    def set_paused(self, connection: Connection, name: str, paused: bool) -> bool:
        """Pause or resume a schedule everywhere, one that only others know included; False when
        there is none. What falls due while it is paused is noted, and not made up for."""
        if (known := self.schedules.get(name)) is not None:
            schedules.enter(connection, name, known.definition)
        entry = schedules.read(connection).get(name)
        if entry is None:
            return False
        schedule = known or remembered(name, entry.definition)
        done = Round(unfinished=[] if paused or schedule is None else [name])
        while schedule is not None and done.unfinished:
            done = Round()
            self._catch_up(connection, schedule, schedules.read(connection)[name], done)
        schedules.set_paused(connection, name, paused)
        return True

    def run_now(self, connection: Connection, name: str) -> int:
        """Make one job that is no due time's, and return its id."""
        job = job_for(self.schedules[name], None, 0.0, self._registry, self._config)
        return insert(connection, job)

    def _catch_up(
        self, connection: Connection, schedule: Schedule, entry: Entry, done: Round
    ) -> None:
        if entry.since is None or entry.since > entry.now + DAY:
            log.warning(
                "schedule %s was decided up to a time that is far ahead: the clock was wrong, or"
                " somebody wrote it; it begins anew",
                schedule.name,
            )
            self._begin_anew(connection, schedule, entry, entry.now, done)
            return
        since = entry.since
        same = entry.definition == schedule.definition
        # What fell due before a change did so under the definition of then.
        line = schedule.line if same else line_of(entry.definition)
        enough = done.counts[JOBS] + JOBS_MOST
        for _ in range(SPANS_MOST):
            decided = self._decide(connection, schedule, line, entry, done)
            if decided is None:
                return
            entry, more = decided
            if not more:
                if not same:
                    self._tell_change(schedule, entry)
                    # Where two versions take turns, neither loses its due times to the other.
                    since = max(since, entry.now - LOOK_BACK)
                    self._begin_anew(connection, schedule, entry, since, done)
                return
            if done.counts[JOBS] >= enough:
                break
        done.unfinished.append(schedule.name)

    def _decide(
        self,
        connection: Connection,
        schedule: Schedule,
        line: CronLine | None,
        entry: Entry,
        done: Round,
    ) -> tuple[Entry, bool] | None:
        """Decide the next due times, `SPAN` at most: the entry as it is then, and whether more is
        due. None when somebody was quicker."""
        since = entry.since or 0.0
        # One more than is decided: whether there are later ones matters to the last.
        times = line.within(since, entry.now, SPAN + 1) if line else []
        if not times and entry.now - since < DAY:
            return entry, False
        more = len(times) > SPAN
        times = times[:SPAN]
        until = times[-1] if more else entry.now
        dues = schedule.decide(times, entry.now, paused=entry.paused, more=more)
        with connection.transaction():
            moved = schedules.move_on(connection, entry, until)
            runs = []
            if moved is not None:
                runs = self._make(connection, schedule, dues, (since, until), entry.now)
        if moved is None:
            return None
        _tell(schedule, runs, done)
        return moved, more

    def _begin_anew(
        self, connection: Connection, schedule: Schedule, entry: Entry, since: float, done: Round
    ) -> None:
        """Begin under one's own definition, whose due times after `since` are decided, too."""
        times = schedule.line.within(since, entry.now, SPAN)
        dues = schedule.decide(times, entry.now, paused=entry.paused)
        runs: list[Run] = []
        with connection.transaction():
            if schedules.begin_anew(connection, entry, schedule.definition):
                runs = self._make(connection, schedule, dues, (since, entry.now), entry.now)
        _tell(schedule, runs, done)

    def _tell_change(self, schedule: Schedule, entry: Entry) -> None:
        """Say it once an hour, and that the schedule changes back again, too."""
        since, count = self._changes.get(schedule.name, (entry.now, 0))
        if entry.now - since >= HOUR:
            since, count = entry.now, 0
        self._changes[schedule.name] = since, count + 1
        if count == 0:
            log.info("schedule %s has changed: it begins anew", schedule.name)
        elif count == 1:
            log.warning(
                "schedule %s has changed again: another version takes turns with this one (%s);"
                " bring all hosts to one version",
                schedule.name,
                entry.definition,
            )

    def _make(
        self,
        connection: Connection,
        schedule: Schedule,
        dues: list[Due],
        span: tuple[float, float],
        now: float,
    ) -> list[Run]:
        """The jobs of these due times, which lie in the span, and their records."""
        if not dues:
            return []
        known = schedules.decided(connection, schedule.name, *span)
        exclusive = schedule.overlap == "skip"
        alive = exclusive and _last_lives(connection, schedule.name)
        runs = []
        for due in dues:
            if due.at in known:
                continue
            note = due.note or (OVERLAP if alive else None)
            job_id = None
            if note is None:
                job = job_for(schedule, due.at, now, self._registry, self._config)
                job_id = insert(connection, job)
                alive = exclusive
            runs.append(Run(due.at, job_id, note))
        schedules.record(connection, schedule.name, runs)
        return runs


def _last_lives(connection: Connection, name: str) -> bool:
    newest = schedules.last(connection, name)
    return newest is not None and newest.status in LIVE


def _tell(schedule: Schedule, runs: list[Run], done: Round) -> None:
    """Count, and log: each job, and the others by their number."""
    counts = Counter(run.note or JOBS for run in runs)
    done.counts += counts
    for run in runs:
        if run.job_id is not None:
            log.info("schedule %s: job %d", schedule.name, run.job_id)
    for note, count in counts.items():
        if note != JOBS:
            level = logging.WARNING if note == MISSED else logging.INFO
            log.log(level, "schedule %s: no job for %d due times: %s", schedule.name, count, note)
