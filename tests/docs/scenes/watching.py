"""What docs/watching.md takes for granted."""

from datetime import UTC, datetime

from qsuper import Queue

__all__ = ["UTC", "datetime", "queue"]

queue = Queue()
