"""The same application, and a task that sets its own timer anew."""

from tests.acceptance import app

queue = app.queue


@queue.task
def again(n: int, last: int) -> None:
    """Runs as 1, 2, 3 … `last`."""
    with app.journal.run(n):
        if n < last:
            queue.timer("again", 0.02, "again", {"n": n + 1, "last": last})
