"""An application that a test rewrites while it runs: its task says of which version it is."""

from pathlib import Path

MODULE = """
import os
from tests.acceptance.app import journal, queue

VERSION = {version}


@queue.task
def versioned(n: int) -> None:
    with journal.run(n):
        file = os.open({versions!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(file, b"%d %d\\n" % (n, VERSION))
        os.close(file)
"""


class Shop:
    """`shop.py` in a daemon's folder."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "shop.py"
        self._versions = folder / "versions"

    def write(self, version: int) -> None:
        self.write_text(MODULE.format(versions=str(self._versions), version=version))

    def write_text(self, text: str) -> None:
        """In one step: no child reads half of it."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(self.file)

    def version_of(self, job: int) -> int:
        """The version that has run the job."""
        lines = dict(line.split() for line in self._versions.read_text().splitlines())
        return int(lines[str(job)])
