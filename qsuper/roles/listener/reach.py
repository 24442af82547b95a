"""The way to Redis: a session while it answers, patience while it does not."""

import logging
import random
from collections.abc import Sequence

from qsuper.errors import RedisError
from qsuper.redis.address import LOG_FILE
from qsuper.redis.server import Server
from qsuper.roles.listener.session import Session
from qsuper.scoreboard import clock
from qsuper.tasks.watch import Watch

PATIENCE_LEAST, PATIENCE_MOST = 0.2, 5.0
"""Seconds between two tries while Redis is away."""
YOUNG = 2.0
"""Seconds in which an embedded server, started as we are, may not answer yet."""
EMBEDDED_MEND = f"{LOG_FILE} in the log's folder says more, `qsuper restart redis` may mend it"

log = logging.getLogger("qsuper.listener")


class Reach:
    """Says what is wrong once per spell."""

    def __init__(self, server: Server, watches: Sequence[Watch], *, embedded: bool) -> None:
        self._server = server
        self._watches = watches
        self._embedded = embedded
        self._began = clock()
        self._try_at = 0.0
        self._patience = PATIENCE_LEAST
        self._lost = ""
        """Why Redis was given up last, until a round goes well."""
        self._said = ""
        self.current: Session | None = None
        self.complaint = ""
        """What is wrong now; empty when nothing is."""

    def session(self, now: float) -> Session | None:
        """A new one where there is none; None while Redis is given time. Raises `RedisError`."""
        if self.current is None and now >= self._try_at:
            self.current = Session(self._server, self._watches)
        return self.current

    def rest(self, now: float) -> float:
        """Seconds until the next try."""
        return max(0.0, self._try_at - now)

    def is_well(self, but: str) -> bool:
        """A round went well, `but` for this, and for what the session complains of; whether Redis
        had been away before."""
        if returned := bool(self._lost):
            log.info("%s answers again", self._server)
            self._lost, self._patience = "", PATIENCE_LEAST
        complaint = self.current.complaint if self.current is not None else ""
        self.complaint = "; ".join(filter(None, [complaint, but]))
        if self.complaint and self.complaint != self._said:
            log.warning("%s", self.complaint)
        self._said = self.complaint
        return returned

    def lose(self, error: RedisError) -> None:
        """Give the session up, and try again after a while."""
        self.close()
        self._server.close()
        self.complaint = f"{error}; {EMBEDDED_MEND}" if self._embedded else str(error)
        if self._lost != self.complaint:
            young = self._embedded and clock() - self._began < YOUNG
            level = logging.INFO if young else logging.WARNING
            log.log(level, "%s; tried again until it answers", self.complaint)
        self._lost = self.complaint
        self._try_at = clock() + self._patience * random.uniform(0.5, 1.0)
        self._patience = min(PATIENCE_MOST, 2 * self._patience)

    def close(self) -> None:
        if self.current is not None:
            self.current.close()
            self.current = None
