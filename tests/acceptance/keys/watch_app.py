"""The application of the tests of watched keys: handlers that write down what they are told."""

import os
from pathlib import Path
from typing import Any

from qsuper import Queue
from tests.acceptance.app import JOURNAL_VARIABLE
from tests.acceptance.keys.expiries import Pen

queue = Queue()
pen = Pen(Path(os.environ.get(JOURNAL_VARIABLE, os.devnull)))


@queue.watch("w:*")
@queue.watch("w:overlap:*")
@queue.task
def expired(key: str, value: str, kind: str, how: str, db: int, deadline: float) -> None:
    _note("expired", locals())


@queue.watch("w:both:*")
@queue.watch("w:moved:*", db=1)
@queue.task
def expired_too(key: str, value: str, kind: str, how: str, db: int, deadline: float) -> None:
    _note("expired_too", locals())


def _note(task: str, facts: dict[str, Any]) -> None:
    pen.note(task, facts)
