"""The scoreboard: an mmaped file in which the processes of one node say what they do.

One record per *incarnation* of a child, in three parts with one writer each: the master's (who
it is, how it ended), the settler's (one mark), and the child's own (what it does, which jobs it
holds, how far it is). Whoever is killed leaves a record that can still be read; it stays until a
living child has settled what it held. The file outlives the master, so that the next one can.

Torn reads: every number is one aligned 64-bit store. Texts and bulletins are guarded by a
sequence number that is odd while they are written.
"""

from qsuper.scoreboard.board import QUEUES_MOST, SIZE, SLOTS, TIMERS, WATCHED, Scoreboard, clock
from qsuper.scoreboard.bulletin import Bulletin
from qsuper.scoreboard.header import Header, QueueRecord
from qsuper.scoreboard.meter import (
    COUNTERS,
    OTHERS,
    OUTCOMES,
    RUN_BOUNDS,
    WAIT_BOUNDS,
    Meter,
    Reading,
    Spread,
    TaskReading,
    no_runs,
    no_waits,
)
from qsuper.scoreboard.record import (
    AWAY,
    BATCH_MOST,
    PHASES,
    REASON_CANCEL,
    REASON_LEASE,
    REASON_LEFTOVER,
    REASON_STOP,
    REASON_TIMEOUT,
    REASONS,
    Record,
)
from qsuper.scoreboard.snapshot import Child

__all__ = [
    "AWAY",
    "BATCH_MOST",
    "COUNTERS",
    "OTHERS",
    "OUTCOMES",
    "PHASES",
    "QUEUES_MOST",
    "REASONS",
    "REASON_CANCEL",
    "REASON_LEASE",
    "REASON_LEFTOVER",
    "REASON_STOP",
    "REASON_TIMEOUT",
    "RUN_BOUNDS",
    "SIZE",
    "SLOTS",
    "TIMERS",
    "WAIT_BOUNDS",
    "WATCHED",
    "Bulletin",
    "Child",
    "Header",
    "Meter",
    "QueueRecord",
    "Reading",
    "Record",
    "Scoreboard",
    "Spread",
    "TaskReading",
    "clock",
    "no_runs",
    "no_waits",
]
