"""Three clocks: the database's decides over jobs, Redis' over keys, and this host's writes logs."""

from collections.abc import Iterator
from contextlib import closing, suppress
from time import time

from qsuper.cli.doctor.case import Case
from qsuper.cli.doctor.database import patient
from qsuper.cli.doctor.finding import Finding, ok, warn
from qsuper.cli.settings import connected
from qsuper.errors import QsuperError
from qsuper.redis.address import EMBEDDED
from qsuper.redis.server import Server
from qsuper.store.examining import server

APART_MOST = 1.0
"""Seconds by which clocks may differ."""
MEND = "keep all hosts' clocks by NTP (chrony, systemd-timesyncd)"


def clocks(case: Case) -> Iterator[Finding]:
    """Who cannot be asked is left out: another subject says why."""
    database = patient(case.config)
    if database.backend.name == "sqlite":
        yield ok("the database has this host's clock")
    else:
        with suppress(QsuperError), connected(database) as connection:
            yield apart(
                "the database's clock",
                server.ahead(connection),
                "it decides when timers and delayed jobs run",
            )
    url = case.config.redis.url
    if url is not None and url != EMBEDDED:
        with suppress(QsuperError), closing(Server(url)) as redis:
            redis.time()
            before = time()
            theirs = redis.time()
            yield apart(
                "Redis' clock",
                theirs - (before + time()) / 2,
                "it decides when watched keys expire",
            )


def apart(which: str, seconds: float, means: str) -> Finding:
    """`seconds`: by how much it is ahead of this host's."""
    way = "ahead of" if seconds > 0 else "behind"
    if abs(seconds) > APART_MOST:
        return warn(f"{which} is {abs(seconds):,.1f} s {way} this host's: {means}", MEND)
    return ok(f"{which} is this host's to {max(abs(seconds), 0.001):.3f} s")
