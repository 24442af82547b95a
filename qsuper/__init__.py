"""A job queue and timer daemon for shops that run MySQL or MariaDB, and Redis."""

import importlib
from typing import TYPE_CHECKING

from qsuper import version

if TYPE_CHECKING:
    from qsuper.client import Queue as Queue
    from qsuper.tasks.current import current_job as current_job
    from qsuper.tasks.ending import SoftTimeout as SoftTimeout
    from qsuper.tasks.limit import Limit as Limit
    from qsuper.tasks.verdict import Discard as Discard
    from qsuper.tasks.verdict import Retry as Retry
    from qsuper.tasks.verdict import Snooze as Snooze

__version__ = version.VERSION
__all__ = [
    "Discard",
    "Limit",
    "Queue",
    "Retry",
    "Snooze",
    "SoftTimeout",
    "__version__",
    "current_job",
]

_PLACES = {
    "Queue": "qsuper.client",
    "current_job": "qsuper.tasks.current",
    "SoftTimeout": "qsuper.tasks.ending",
    "Limit": "qsuper.tasks.limit",
    "Discard": "qsuper.tasks.verdict",
    "Retry": "qsuper.tasks.verdict",
    "Snooze": "qsuper.tasks.verdict",
}


def __getattr__(name: str) -> object:
    """Import what is asked for only then: the client takes its time."""
    if name in _PLACES:
        return getattr(importlib.import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'qsuper' has no attribute {name!r}")
