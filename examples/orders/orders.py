"""What becomes of an order that nobody pays. `qsuper.toml` names this module; workers import it."""
# ruff: noqa: INP001 (a folder of programs, no package)

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from qsuper import Queue

SHOP = Path(__file__).with_name("shop.db")

queue = Queue()


@queue.watch("SN*:1", timeout=30, max_attempts=5)
def cancel_unpaid(key: str, value: str | None, how: str, deadline: float | None) -> None:
    """The key of an order has expired: cancel the order (0 → 3), if it is still unpaid.

    The UPDATE decides: an order that was paid a moment ago is none of its rows, and a second run
    of this job (at least once) changes nothing.
    """
    ordersn, _, _ = key.partition(":")
    with closing(sqlite3.connect(SHOP, timeout=10)) as shop, shop:
        cancelled = shop.execute(
            "UPDATE \"order\" SET status = '3' WHERE ordersn = ? AND status = '0'", (ordersn,)
        ).rowcount
    late = "" if deadline is None else f", {time.time() - deadline:.3f} s after its time"
    print(f"{ordersn} {'cancelled' if cancelled else 'left alone'} ({value}; {how}{late})")
