"""One byte wakes one worker."""

import os
from contextlib import suppress

from qsuper.scoreboard import PHASES, Scoreboard

_IDLE = PHASES.index("idle")


def wake(board: Scoreboard, queue: str, ready: int) -> None:
    """Wake as many idle workers of a queue as there are ready jobs, as far as is known."""
    for index, record in enumerate(board.queues()):
        if record.name == queue and not record.paused:
            idle = sum(
                one.queue == index and one.phase == _IDLE and not one.ended
                for one in board.records()
            )
            with suppress(BlockingIOError):
                os.write(record.wake_write, b"!" * min(ready, idle))
