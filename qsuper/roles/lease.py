"""The node's lease: renewed by whichever child finds it due; what it allows; how a node enters."""

import logging
import random

from qsuper import exits
from qsuper.place import Place
from qsuper.scoreboard import REASON_STOP, REASON_TIMEOUT, Record, clock
from qsuper.store import nodes
from qsuper.store.counting import queue_names
from qsuper.store.database import Connection
from qsuper.store.settling import Death, Settlement, rescue, settle

log = logging.getLogger("qsuper.lease")

RENEWALS = 6
"""Renewals in the time of one lease: five seconds of thirty."""


def may_begin(place: Place, now: float) -> bool:
    """Whether a job may begin here: entered, and the lease's first two thirds not over."""
    header = place.board.header
    return header.renewed > 0.0 and now - header.renewed < header.lease * 2 / 3


def due(place: Place, now: float, lateness: float = 1.0) -> bool:
    """Whether the lease wants renewing; `lateness` > 1 lets others go first."""
    header = place.board.header
    return now - header.renewed > header.lease / RENEWALS * lateness


def renew(place: Place, connection: Connection) -> None:
    """Enter, or prolong the lease, and take from the table where our slices begin."""
    header = place.board.header
    now = clock()
    if not header.renewed:
        _enter(place, connection)
    workers = {queue.name: queue.wanted for queue in place.board.queues()}
    everyone = nodes.renew(
        connection,
        node=header.node,
        host=place.config.node.name,
        boot=header.nonce,
        lease=header.lease,
        workers=workers,
    )
    others = [node for node in everyone if node.id != header.node and node.alive]
    header.alone = 0 if others else 1
    header.renewed = now
    for queue in place.board.queues():
        name = queue.name
        queue.first = sum(node.workers.get(name, 0) for node in others if node.id < header.node)
        queue.total = queue.wanted + sum(node.workers.get(name, 0) for node in others)


def _enter(place: Place, connection: Connection) -> None:
    """Before the first lease of a boot: what the last boot of this node held is freed.

    Both locks are ours, so none of its processes lives. The scoreboard tells exactly; what it
    does not know of is freed as after a lost node.
    """
    settle_the_dead(place, connection)
    header = place.board.header
    before = nodes.previous_boot(connection, header.node, header.nonce)
    if before is None:
        return
    for queue in queue_names(connection):
        done = rescue(
            connection,
            queue,
            before,
            why="this host's qsuper ended while the job ran, and left no word of how",
            node=header.node,
            max_attempts=place.config.job.max_attempts,
        )
        _say(f"the last run of this node (boot {before})", queue, done)


def settle_the_dead(place: Place, connection: Connection) -> int:
    """Settle every dead worker on the board; returns how many."""
    settled = 0
    for record in place.board.records():
        if record.ended and not record.settled and record.queue >= 0:
            worker = record.worker
            _settle(place, connection, record)
            # Another child may have settled it meanwhile, and the master given it away.
            if record.worker == worker and record.ended:
                record.settled = 1
                settled += 1
    return settled


def _settle(place: Place, connection: Connection, record: Record) -> None:
    queue = place.board.queue(record.queue).name
    death = Death(
        worker=record.worker,
        queue=queue,
        cause=cause_of(record),
        in_flight=record.in_flight,
        begun=record.begun,
        limits=record.limits,
        innocent=record.reason == REASON_STOP,
    )
    backoff = place.config.job.backoff
    done = settle(
        connection,
        death,
        node=place.board.header.node,
        max_attempts=place.config.job.max_attempts,
        wait=backoff.base * random.uniform(0.8, 1.2),
    )
    _say(f"{death.cause} (worker {record.worker})", queue, done)


def _say(subject: str, queue: str, done: Settlement) -> None:
    if done.released or done.failed or done.buried:
        log.warning(
            "%s: of queue %s %d went back, %d keep their attempt and run again, %d are dead",
            subject,
            queue,
            done.released,
            done.failed,
            done.buried,
        )


def cause_of(record: Record) -> str:
    """How a worker died, as the beginning of a sentence."""
    if record.reason == REASON_TIMEOUT:
        return f"its time-out of {record.timeout:g} s was over and its worker was killed"
    how = exits.describe(record.status)
    if record.reason:
        return f"its worker was ended ({record.reason}; {how})"
    if "SIGKILL" in how:
        return f"its worker was {how} (by somebody, or by the kernel for want of memory)"
    return f"its worker {'was ' if how.startswith('killed') else ''}{how}"
