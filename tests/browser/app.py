"""The application of the browser's tests: its jobs end when the test says so."""

import os
import time
from pathlib import Path

from qsuper import Queue, current_job
from tests.acceptance.app import JOURNAL_VARIABLE

queue = Queue()


def told(word: str) -> bool:
    """Whether the test has said it: see `Dashboard.daemon.journal`."""
    return Path(f"{os.environ[JOURNAL_VARIABLE]}.{word}").exists()


@queue.task(keep_result=True)
def resize(path: str) -> dict[str, int]:
    """Comes as far as it is told."""
    for number, step in enumerate(("quarter", "half", "whole"), 1):
        current_job().progress(number / 4, f"{number} of 4 tiles")
        while not told(step):
            time.sleep(0.02)
    return {"tiles": 4}


@queue.task(max_attempts=2, backoff=0)
def charge(order: str) -> str:
    """Fails until the test mends what is wrong."""
    print(f"asking the bank about {order}")
    if not told("mended"):
        raise ConnectionRefusedError(f"the bank does not answer for {order}")
    return "paid"


@queue.task
def cancel_order(order: str) -> None:
    pass


@queue.schedule("0 3 * * *", timezone="Europe/Berlin")
def nightly_report() -> None:
    pass
