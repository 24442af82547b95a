"""The keeper's rounds over the schedules of its application."""

import logging

from qsuper import logs
from qsuper.errors import AppError, ParamError
from qsuper.roles.role import Role
from qsuper.roles.scheduling import KEEP, Scheduling
from qsuper.store import schedules
from qsuper.store.database import Connection
from qsuper.tasks import application
from qsuper.tasks.schedule import MISSED

PRUNE_EVERY = 60.0

log = logging.getLogger("qsuper.schedules")


class ScheduleChore:
    """Called each second. An application that cannot be imported costs its schedules only."""

    def __init__(self) -> None:
        self._scheduling: Scheduling | None = None
        self._loaded = False
        self._prune_at = 0.0
        self._said: dict[str, str] = {}

    def __call__(self, keeper: Role, connection: Connection) -> None:
        if not self._loaded:
            self._loaded = True
            self._load(keeper)
        if self._scheduling is None:
            return
        done = self._scheduling.round(connection)
        keeper.meter.count("missed", done.counts[MISSED])
        for name, reason in done.failed.items():
            if self._said.get(name) != reason:
                log.error("schedule %s: %s", name, reason)
        self._said = done.failed
        keeper.complaint = "; ".join(
            f"schedule {name}: {reason}" for name, reason in done.failed.items()
        )
        if done.spent:
            keeper.link.drop()
            connection = keeper.connection()
        now, known = keeper.record.beat, {*self._scheduling.schedules, *done.failed}
        if now >= self._prune_at and not schedules.prune(connection, KEEP, known):
            self._prune_at = now + PRUNE_EVERY

    def _load(self, keeper: Role) -> None:
        try:
            registry = application.load(keeper.config)
            self._scheduling = Scheduling(keeper.config, registry)
        except (AppError, ParamError) as error:
            log.error("no schedules: %s", error)
            keeper.complaint = f"no schedules: {error}"
        # The import may have set up a logging of its own.
        logs.setup(keeper.config.log, keeper.place.name)
