"""What every test of the shop begins with."""

from contextlib import closing

import pytest
from qsuper import Queue

from shop import jobs, mail

pytest_plugins = ["qsuper.testing.plugin"]


@pytest.fixture(autouse=True)
def queue(qsuper_queue: Queue) -> Queue:
    """The shop's Queue on an empty database, with the shop's own tables in it."""
    with closing(jobs.connect()) as db:
        db.executescript(jobs.TABLES)
    return qsuper_queue


@pytest.fixture(autouse=True)
def mailbox(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What was mailed, in the place of a mail server: receiver and subject."""
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr(mail, "deliver", lambda to, subject: sent.append((to, subject)))
    return sent


@pytest.fixture
def status():
    """The status of an order."""

    def look(sn: str) -> str:
        with closing(jobs.connect()) as db:
            return db.execute("SELECT status FROM orders WHERE sn = ?", (sn,)).fetchone()[0]

    return look
