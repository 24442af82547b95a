"""The dead workers on the board: what they held goes where it belongs."""

import logging
import random

from qsuper import exits
from qsuper.errors import StoreError, StoreUnavailable
from qsuper.place import Place
from qsuper.roles.output import last_words, path_of
from qsuper.scoreboard import OTHERS, REASON_CANCEL, REASON_STOP, REASON_TIMEOUT, Record
from qsuper.store.database import Connection
from qsuper.store.settling import Death, Settlement, settle

log = logging.getLogger("qsuper.deaths")


def settle_the_dead(place: Place, connection: Connection) -> int:
    """Settle every dead worker on the board; returns how many."""
    settled = 0
    for record in place.board.records():
        worker = record.worker
        if not (record.ended and not record.settled and record.queue >= 0):
            continue
        death = _death(place, record, worker)
        # Another child may settle it meanwhile, and the master give it away.
        if record.worker != worker or not record.ended:
            continue
        try:
            _settle(place, connection, death)
        except StoreUnavailable:
            raise
        except StoreError as error:
            # One row that cannot be written must not hold up the node: the sweep frees it.
            log.error("could not settle worker %s: %s", worker, error)
        if record.worker == worker and record.ended:
            record.settled = 1
            settled += 1
    return settled


def _death(place: Place, record: Record, worker: str) -> Death:
    """What the record tells, copied."""
    return Death(
        worker=worker,
        queue=place.board.queue(record.queue).name,
        cause=cause_of(record),
        in_flight=record.in_flight,
        begun=record.begun,
        limits=record.limits,
        innocent=record.reason == REASON_STOP,
        output=last_words(path_of(place.config.state_dir, record.slot)),
        task=record.task,
    )


def _settle(place: Place, connection: Connection, death: Death) -> None:
    backoff = place.config.job.backoff
    done = settle(
        connection,
        death,
        node=place.board.header.node,
        max_attempts=place.config.job.max_attempts,
        wait=backoff.base * random.uniform(0.8, 1.2),
    )
    meter, task = place.board.meter(place.record.slot), death.task or OTHERS
    if death.in_flight is not None and (outcome := _outcome(done)):
        # What had run and was not acked has counted itself.
        meter.settled(task, outcome)
    say(f"{death.cause} (worker {death.worker})", death.queue, done)


def _outcome(done: Settlement) -> str:
    """What became of the job in flight, of a batch the worst; empty when it went back."""
    if done.buried:
        return "dead"
    if done.cancelled:
        return "cancelled"
    return "failed" if done.failed else ""


def say(subject: str, queue: str, done: Settlement) -> None:
    """Log what became of the jobs, if there were any."""
    if done != Settlement():
        log.warning(
            "%s: of queue %s %d went back, %d keep their attempt and run again, %d are dead,"
            " %d cancelled",
            subject,
            queue,
            done.released,
            done.failed,
            done.buried,
            done.cancelled,
        )


def cause_of(record: Record) -> str:
    """How a worker died, as the beginning of a sentence."""
    if record.reason == REASON_TIMEOUT:
        return f"its time-out of {record.timeout:g} s was over and its worker was killed"
    if record.reason == REASON_CANCEL:
        return "it was cancelled and its worker was killed"
    how = exits.describe(record.status)
    if record.reason:
        return f"its worker was ended ({record.reason}; {how})"
    if "SIGKILL" in how:
        return f"its worker was {how} (by somebody, or by the kernel for want of memory)"
    return f"its worker {'was ' if how.startswith('killed') else ''}{how}"
