"""What a node does at one moment, read from its scoreboard and /proc: never from the database."""

from qsuper.picture.picture import CAP, Child, Job, Picture, Queue, Trouble
from qsuper.picture.reading import take
from qsuper.picture.spans import span
from qsuper.picture.totals import Decision, Due, Histogram, Minute, TaskTotals, Totals

__all__ = [
    "CAP",
    "Child",
    "Decision",
    "Due",
    "Histogram",
    "Job",
    "Minute",
    "Picture",
    "Queue",
    "TaskTotals",
    "Totals",
    "Trouble",
    "span",
    "take",
]
