"""The node's lease: renewed by whichever child finds it due; what it allows; how a node enters."""

import logging

from qsuper.errors import StoreError
from qsuper.place import Place
from qsuper.roles import deaths
from qsuper.scoreboard import clock
from qsuper.store import nodes
from qsuper.store.counting import queue_names
from qsuper.store.database import Connection
from qsuper.store.settling import rescue

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
    deaths.settle_the_dead(place, connection)
    header = place.board.header
    before = nodes.previous(connection, header.node, header.nonce)
    if before is None:
        return
    if before.alive and before.host != place.config.node.name:
        raise StoreError(
            f"node {header.node} works on host {before.host}, too: this state_dir is a copy of"
            f" that one's; remove {place.config.state_dir}/node and start again"
        )
    for queue in queue_names(connection):
        done = rescue(
            connection,
            queue,
            before.boot,
            why="this host's qsuper ended while the job ran, and left no word of how",
            node=header.node,
            max_attempts=place.config.job.max_attempts,
        )
        deaths.say(f"the last run of this node (boot {before.boot})", queue, done)
