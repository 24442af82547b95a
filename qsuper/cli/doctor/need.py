"""How many connections to the database the nodes take."""

from collections.abc import Sequence
from dataclasses import dataclass

from qsuper.cli.doctor.case import Case

OF_WORKER_MOST = 4
"""Its own; its companion's, while a job lasts; that of a transactional task; and that of a Queue
that a job adds jobs with. At rest it has the first one alone."""
OF_OTHERS_MOST = {"redis": 0, "scheduler": 1, "keeper": 2, "listener": 1, "alerts": 1, "web": 8}
"""By child: the keeper takes a second one after a schedule that the database refuses, the dashboard
one for each of its threads. The embedded Redis knows no database."""
OF_NODE = (2, 3)
"""Of a node that is seen from afar, besides its workers, at rest and at most: what every node
has."""
VERBS = 2
"""Left for `qsuper jobs` and the like."""


@dataclass(frozen=True, slots=True)
class Need:
    """Of all nodes on one database."""

    least: int
    """While no job runs."""
    most: int
    """While every worker is in a job that uses all there is."""

    @classmethod
    def of(cls, case: Case, others: Sequence[int] = ()) -> "Need":
        """Of this node and of `others`, each with so many workers."""
        each = [OF_OTHERS_MOST.get(name, 1) for name in case.others]
        least = case.workers + sum(min(1, one) for one in each)
        most = case.workers * OF_WORKER_MOST + sum(each)
        for workers in others:
            least += workers + OF_NODE[0]
            most += workers * OF_WORKER_MOST + OF_NODE[1]
        return cls(least + VERBS, most + VERBS)
