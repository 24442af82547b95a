"""The application of the tests of watched keys."""

from qsuper import Queue

queue = Queue()


@queue.task
def expired(key: str, value: str | None, key_base64: str, value_base64: str | None) -> None:
    """What it was told is in its row."""


@queue.task
def hello() -> None:
    """Has nothing to do with Redis."""
