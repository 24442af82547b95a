"""Who is alive: one row per node, a lease each renews, and the two looks that declare it lost."""

import json
from dataclasses import dataclass

from qsuper.errors import StoreError, StoreUnavailable
from qsuper.store.backend import Statement
from qsuper.store.database import Connection
from qsuper.store.enqueueing import Writer

_RENEW = Statement(
    """
    UPDATE nodes SET host = :host, boot = :boot, beat_at = {now}, lease_until = {in:lease},
        alone = :alone, suspected_at = NULL, workers = :workers
    WHERE id = :id
    """
)
_ENTER = Statement(
    """
    INSERT INTO nodes (id, host, boot, lease_until, alone, workers)
    VALUES (:id, :host, :boot, {in:lease}, :alone, :workers)
    """
)
_ALL = Statement(
    """
    SELECT id, host, boot, workers, alone, {unix:lease_until} - {unix_now},
        {unix_now} - {unix:suspected_at}, {unix_now} - {unix:beat_at}
    FROM nodes ORDER BY id
    """
)
_SUSPECT = Statement(
    """
    UPDATE nodes SET suspected_at = {now}
    WHERE id = :id AND boot = :boot AND suspected_at IS NULL AND lease_until < {now}
    """
)
_FORGET = Statement("DELETE FROM nodes WHERE id = :id AND boot = :boot")
_RESCUED = Statement(
    """
    UPDATE nodes SET workers = '{}', suspected_at = NULL, lease_until = {now}
    WHERE id = :id AND boot = :boot AND suspected_at IS NOT NULL
    """
)


@dataclass(frozen=True, slots=True)
class Node:
    """One node as the table has it now."""

    id: str
    host: str
    boot: str
    workers: dict[str, int]
    """How many workers of each queue it runs."""
    alone: bool
    lease_left: float
    """Seconds until its lease ends; negative since then."""
    suspected_for: float | None
    """Seconds since somebody first found the lease ended."""
    silent_for: float

    @property
    def alive(self) -> bool:
        return self.lease_left > 0


def everyone(connection: Writer) -> list[Node]:
    """All nodes, by id."""
    return [
        Node(
            id=row[0],
            host=row[1],
            boot=row[2],
            workers=_workers(row[3]),
            alone=bool(row[4]),
            lease_left=float(row[5]),
            suspected_for=None if row[6] is None else float(row[6]),
            silent_for=float(row[7]),
        )
        for row in connection.rows(_ALL)
    ]


def _workers(text: str) -> dict[str, int]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(queue): count for queue, count in found.items() if isinstance(count, int)}


def previous(connection: Connection, node: str, boot: str) -> Node | None:
    """This node as it was entered last, when that was under another boot."""
    return next((one for one in everyone(connection) if one.id == node and one.boot != boot), None)


def renew(
    connection: Connection,
    *,
    node: str,
    host: str,
    boot: str,
    lease: float,
    workers: dict[str, int],
) -> list[Node]:
    """Prolong the lease by `lease` seconds from now and return all nodes.

    Whether this node is alone is found out first and written with the lease: others may rescue
    a node that said so only after a long grace, for it goes on working while the database is away.
    """
    nodes = everyone(connection)
    alone = not any(other.alive for other in nodes if other.id != node)
    values = {
        "id": node,
        "host": host,
        "boot": boot,
        "lease": lease,
        "alone": int(alone),
        "workers": json.dumps(workers),
    }
    if connection.run(_RENEW, **values):
        return nodes
    try:
        connection.run(_ENTER, **values)
    except StoreUnavailable:
        raise
    except StoreError:
        # Another child of this node was quicker by a hair.
        if not connection.run(_RENEW, **values):
            raise
    return everyone(connection)


def suspect(connection: Connection, lost: Node) -> bool:
    """Note the first look at an ended lease. The owner's next renewal takes it back."""
    return bool(connection.run(_SUSPECT, id=lost.id, boot=lost.boot))


def mark_rescued(connection: Connection, lost: Node) -> bool:
    """Its rows are freed: it counts no more, and is not looked at again."""
    return bool(connection.run(_RESCUED, id=lost.id, boot=lost.boot))


def leave(connection: Connection, node: str, boot: str) -> None:
    """The node has stopped and holds nothing."""
    connection.run(_FORGET, id=node, boot=boot)
