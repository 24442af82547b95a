"""What a node does at one moment, read from its scoreboard and /proc: never from the database."""

from qsuper.picture.picture import Child, Job, Picture, Queue
from qsuper.picture.reading import take
from qsuper.picture.spans import span

__all__ = ["Child", "Job", "Picture", "Queue", "span", "take"]
