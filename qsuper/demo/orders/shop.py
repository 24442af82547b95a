"""The shop as its customers see it: `shop.py` is run, and its table is read."""

import sqlite3
import subprocess
from contextlib import closing

from qsuper.demo.daemon import Daemon, words_of

UNPAID, PAID, CANCELLED = "0", "1", "3"
"""What `status` says."""


class Shop:
    """Orders, and what has become of them."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._program: subprocess.Popen[str] | None = None
        self.paid: set[str] = set()
        """Paid in time."""
        self.deleted: set[str] = set()
        """Those whose key was deleted in time."""

    def open(self, count: int, every: float = 0.0) -> str:
        """Take so many orders, one every so many seconds; returns the words that started it."""
        words = ["shop.py", "order", f"--count={count}"]
        if every:
            words.append(f"--every={every:g}")
        self._program = self._daemon.start_program(*words)
        return " ".join(words)

    @property
    def is_open(self) -> bool:
        """Whether there are orders to come; raises `QsuperError` when the program has failed."""
        if self._program is not None and self._program.poll() is not None:
            words_of(self._program, "shop.py")
            self._program = None
        return self._program is not None

    def pay(self, numbers: list[str]) -> int:
        """Returns for how many it was not too late."""
        granted = self._ask("pay", numbers, "is paid")
        self.paid |= granted
        return len(granted)

    def delete_keys(self, numbers: list[str]) -> int:
        """Returns for how many it was not too late."""
        granted = self._ask("delete-key", numbers, "has no key any more")
        self.deleted |= granted
        return len(granted)

    def _ask(self, verb: str, numbers: list[str], granted: str) -> set[str]:
        """Those orders for which it was not too late."""
        said = self._daemon.run_program("shop.py", verb, *numbers)
        return {number for number in numbers if f"{number} {granted}" in said.splitlines()}

    def statuses(self) -> dict[str, str]:
        """By order, the oldest first."""
        path = self._daemon.folder / "shop.db"
        if not path.exists():
            return {}
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as rows:
            if not rows.execute("SELECT 1 FROM sqlite_master WHERE name = 'order'").fetchone():
                return {}
            return dict(rows.execute('SELECT ordersn, status FROM "order" ORDER BY id'))

    def close(self) -> None:
        """Take no more orders."""
        if self._program is not None:
            self._program.kill()
            self._program.communicate()
