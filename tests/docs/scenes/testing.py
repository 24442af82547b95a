"""What docs/testing.md takes for granted: a shop to test, and a test's empty database."""

import shutil
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from qsuper import Queue
from qsuper.testing import Clock, State, drain, empty_database, expire, inline, jobs

__all__ = [
    "Clock",
    "State",
    "ZoneInfo",
    "datetime",
    "double",
    "drain",
    "empty_database",
    "expire",
    "inline",
    "jobs",
    "pytest",
    "queue",
    "send_mail",
]

EXAMPLE = Path(__file__).parents[3] / "examples" / "shop"
for name in ("shop", "conftest.py", "qsuper.toml"):
    source = EXAMPLE / name
    (shutil.copytree if source.is_dir() else shutil.copy)(source, Path(name))

queue = Queue()


@queue.task
def send_mail(to: str, subject: str) -> None: ...


@queue.task(keep_result=True)
def double(number: int) -> int:
    return 2 * number


_database = empty_database(queue)
_database.__enter__()
