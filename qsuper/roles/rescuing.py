"""Frees what lost nodes held: two looks, one whole lease apart."""

import logging

from qsuper.place import Place
from qsuper.scoreboard import OTHERS
from qsuper.store import nodes
from qsuper.store.counting import queue_names
from qsuper.store.database import Connection
from qsuper.store.nodes import Node
from qsuper.store.settling import Settlement, free_unknown_boots, rescue

log = logging.getLogger("qsuper.rescue")

FORGET_AFTER = 86_400.0
"""Seconds after which a node that holds nothing leaves the table."""


def rescue_the_lost(place: Place, connection: Connection) -> None:
    """One look at all nodes. The first that finds a lease ended only notes it: a database that
    was away has silenced everybody. A look one lease later, with no word since, rescues."""
    header = place.board.header
    for node in nodes.everyone(connection):
        if node.id == header.node or node.alive:
            continue
        if not node.workers:
            if node.silent_for > FORGET_AFTER:
                nodes.leave(connection, node.id, node.boot)
            continue
        if node.suspected_for is None:
            if nodes.suspect(connection, node):
                log.warning("node %s (%s) has not renewed its lease", node.id, node.host)
        elif _is_lost(place, node):
            _rescue(place, connection, node)


def _is_lost(place: Place, node: Node) -> bool:
    lease = place.board.header.lease
    patience = place.config.node.alone_grace if node.alone else lease
    return node.suspected_for is not None and node.suspected_for > max(lease, patience)


def _rescue(place: Place, connection: Connection, node: Node) -> None:
    # Marked first: a node that has come back this very moment keeps what it holds. Should this
    # process die in between, `free_the_unknown` does the rest.
    if not nodes.mark_rescued(connection, node):
        return
    done = Settlement()
    for queue in queue_names(connection):
        done += rescue(
            connection,
            queue,
            node.boot,
            why=f"node {node.host} ({node.id}) was lost while the job ran",
            node=place.board.header.node,
            max_attempts=place.config.job.max_attempts,
        )
    meter = place.board.meter(place.record.slot)
    meter.settled(OTHERS, "failed", done.failed)
    meter.settled(OTHERS, "dead", done.buried)
    log.warning(
        "node %s (%s) is lost: %d jobs went back, %d run again, %d are dead",
        node.id,
        node.host,
        done.released,
        done.failed,
        done.buried,
    )


def free_the_unknown(place: Place, connection: Connection) -> int:
    """Free what is running for boots that no node is known by.

    A node that was marked as rescued is known for two leases more: whoever marked it is at its
    rows, and knows better than this what becomes of them.
    """
    older = 2 * place.board.header.lease
    known = frozenset(
        node.boot for node in nodes.everyone(connection) if node.workers or node.lease_left > -older
    )
    freed = sum(
        free_unknown_boots(connection, queue, known, older) for queue in queue_names(connection)
    )
    if freed:
        log.warning("%d running jobs belonged to nobody and went back", freed)
    return freed
