"""The same application with schedules; whoever imports it may have to wait at a gate."""

import os
import time
from pathlib import Path

from tests.acceptance import app

GATE_VARIABLE = "QSUPER_TEST_GATE"
DAILY = 20

queue = app.queue


@queue.schedule("0 * * * *", name="hourly", misfire="all")
@queue.task
def hourly() -> None:
    """Takes no time."""


for _number in range(DAILY):
    queue.schedule("0 0 * * *", name=f"daily {_number}", misfire="all")(hourly)


if GATE_VARIABLE in os.environ:
    gate = Path(os.environ[GATE_VARIABLE])
    gate.with_name(f"{gate.name}.{os.getpid()}").touch()
    while not gate.exists():
        time.sleep(0.001)
