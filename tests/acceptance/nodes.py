"""A second node on a test's database."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.acceptance.app import JOURNAL_VARIABLE
from tests.acceptance.daemon import Daemon


@contextmanager
def second_node(daemon: Daemon) -> Iterator[Daemon]:
    """With the first one's journal; not yet started."""
    folder = daemon.folder / "second"
    folder.mkdir()
    second = Daemon(folder, daemon.url)
    second.journal = daemon.journal
    second.environ[JOURNAL_VARIABLE] = str(daemon.journal)
    try:
        yield second
    finally:
        second.clean_up()
