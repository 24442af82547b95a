"""A job queue and timer daemon for shops that run MySQL or MariaDB, and Redis."""

from typing import TYPE_CHECKING

from qsuper import version

if TYPE_CHECKING:
    from qsuper.client import Queue as Queue

__version__ = version.VERSION
__all__ = ["Queue", "__version__"]


def __getattr__(name: str) -> object:
    """Import the client, and with it SQLAlchemy, only when somebody asks for it."""
    if name == "Queue":
        from qsuper.client import Queue

        return Queue
    raise AttributeError(f"module 'qsuper' has no attribute {name!r}")
