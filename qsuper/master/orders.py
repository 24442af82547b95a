"""What the master is asked to do, and what is wanted since."""

import logging
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from qsuper import logs
from qsuper.config import Config
from qsuper.config.tables.queues import WORKERS_MOST
from qsuper.errors import ConfigError, QsuperError
from qsuper.job import DEFAULT_QUEUE
from qsuper.master.autoscale import Autoscaler
from qsuper.master.crew import Crew, Wanted
from qsuper.master.ending import Ending
from qsuper.master.messages import Messages
from qsuper.master.queues import Queues
from qsuper.master.roll import Roll
from qsuper.master.scale import Scale, parse_workers
from qsuper.master.spawner import Spawner
from qsuper.master.standby import Standby
from qsuper.place import Kind
from qsuper.scoreboard import Header, Scoreboard, clock

BY_VERB = "verb"
BY_SIGNAL = "signal"
"""Who may have paused the node; the two do not undo each other's."""

log = logging.getLogger("qsuper.master")


class Orders:
    """What is wanted at the moment, and the verbs that change it."""

    def __init__(
        self,
        kinds: Sequence[Kind],
        crew: Crew,
        spawner: Spawner,
        queues: Queues,
        header: Header,
        standby: Standby,
        messages: Messages,
        reload_config: Callable[[], Config],
    ) -> None:
        self._kinds = kinds
        self._crew = crew
        self._spawner = spawner
        self._queues = queues
        self._header = header
        self._standby = standby
        self._reload_config = reload_config
        self._paused_by: set[str] = set()
        self.messages = messages
        self.roll: Roll | None = None
        self.reloads = 0
        """How many were asked for, refused ones included."""
        self.ending: Ending | None = None
        self.everyone_stops = False
        """A master that stands by is to stop too, and the one that would follow it."""
        self.scale_memory = Scale(self.state_dir / "scale.json")
        self.autoscaler = Autoscaler()
        self.adopt(spawner.config)

    @property
    def config(self) -> Config:
        return self._spawner.config

    @property
    def state_dir(self) -> Path:
        return Path(self.config.state_dir)

    def adopt(self, config: Config) -> None:
        """From here on this configuration holds."""
        self._queues.add(config.queues)
        self._spawner.config = config
        self._header.lease = config.node.lease
        self._tell_wanted()

    def workers(self) -> dict[str, int]:
        """How many workers each queue is to have."""
        queues = self.config.queues
        return self.scale_memory.wanted(queues, self.autoscaler.workers(queues))

    def remembered(self) -> dict[str, int]:
        """Which of them somebody asked for."""
        return self.scale_memory.remembered(self.config.queues)

    def wanted(self) -> Wanted:
        """Every place there is to be."""
        wanted: dict[tuple[Kind, str | None], int] = {}
        for kind in self._kinds:
            if not kind.wanted(self.config):
                continue
            if kind.per_queue:
                wanted.update({(kind, queue): count for queue, count in self.workers().items()})
            else:
                wanted[kind, None] = 1
        return self.ending.filter(wanted) if self.ending else wanted

    def describe(self) -> dict[str, Any]:
        """For `hello`."""
        return {
            "nonce": self._header.nonce,
            "node": self._header.node,
            "started": self._header.started,
            "state_dir": self.config.state_dir,
            "paused": bool(self._header.paused),
            "stopping": self.ending is not None,
        }

    def scale(self, queue: str | None, workers: object) -> dict[str, int]:
        """Have so many workers, or `auto`; without a queue: of the first one."""
        if self.ending:
            raise QsuperError("qsuper is stopping")
        queues = self.config.queues
        name = self._first_queue() if queue is None else queue
        if name not in queues:
            known = ", ".join(queues) or "none"
            raise QsuperError(
                f"there is no queue {name[:64]!r} in the configuration; known: {known}"
            )
        count = parse_workers(workers)
        others = sum(number for other, number in self.workers().items() if other != name)
        if others + (count or 0) > WORKERS_MOST:
            raise QsuperError(
                f"{count} workers cannot be had: the other queues have {others}, and a node has "
                f"{WORKERS_MOST} at most"
            )
        self.scale_memory.remember(name, count, queues[name].workers)
        self._tell_wanted()
        log.info("scale: %s", ", ".join(f"{one}={n}" for one, n in self.workers().items()))
        return self.workers()

    def scale_by(self, step: int) -> None:
        """So many workers more, or fewer, for the first queue."""
        name = self._first_queue()
        self.scale(name, max(0, self.workers()[name] + step))

    def autoscale(self, board: Scoreboard, now: float, *, held: bool) -> None:
        """Let the workers follow the backlog; `held`: the node may begin nothing."""
        if self.ending:
            return
        barred = "this node is paused" if self._header.paused else ""
        self.autoscaler.look(
            board,
            self._crew.children,
            self.config.queues,
            self.workers(),
            asked=self.remembered(),
            barred="the lease could not be renewed" if held else barred,
            now=now,
            unix=time.time(),
        )
        self._tell_wanted()

    def _first_queue(self) -> str:
        queues = self.config.queues
        if not queues:
            raise QsuperError("the configuration has no queue to scale; add [queues.default]")
        return DEFAULT_QUEUE if DEFAULT_QUEUE in queues else next(iter(queues))

    def _tell_wanted(self) -> None:
        self._queues.want(self.workers())

    def pause(self, *, by: str = BY_VERB) -> None:
        """Begin nothing until `resume`."""
        self._set_paused(self._paused_by | {by})

    def resume(self, *, by: str | None = None) -> None:
        """Go on: `by` takes back only its own pause, None everybody's."""
        self._set_paused(self._paused_by - {by} if by else set())

    def _set_paused(self, by: set[str]) -> None:
        self._paused_by = by
        paused = int(bool(self._paused_by))
        if self._header.paused != paused:
            self._header.paused = paused
            log.info("paused" if paused else "resumed")

    def reload(self) -> None:
        """Read the configuration again and replace the children one by one.

        Raises `QsuperError` when it is refused: the old one stays in force.
        """
        if self.ending:
            raise QsuperError("qsuper is stopping")
        self.reloads += 1
        try:
            config = self._reload_config()
            if Path(config.state_dir) != self.state_dir:
                raise ConfigError([f"state_dir cannot change from {self.state_dir} in a reload"])
            if (config.user, config.group) != (self.config.user, self.config.group):
                raise ConfigError(["user and group cannot change in a reload; stop and start it"])
            before = self.config.log
            if config.log != before:
                logs.setup(config.log, "master")
            self.adopt(config)
        except QsuperError as error:
            text = (
                f"reload refused, the old configuration stays: {'; '.join(str(error).splitlines())}"
            )
            self.messages.say("reload", text)
            raise QsuperError(text) from error
        now = clock()
        leaving = self.roll.give_up(now) if self.roll is not None else []
        for child in self._crew.children:
            if not child.alive:
                child.retry_now(now)
        children = [one for one in self._crew.alive if one.kind.reloads]
        self.roll = Roll(self._crew, children, leaving)
        log.info("reload: replacing the children one by one")

    def restart(self, name: str) -> None:
        """Have a fresh process for one child, at once if it has none."""
        if self.ending:
            raise QsuperError("qsuper is stopping")
        log.info("restart of %s", name)
        self._crew.restart(self._crew.find(name), clock())

    def stop(self, *, at_once: bool, everyone: bool = False) -> None:
        """Drain and end; `at_once`: cut jobs short; `everyone`: the one that stands by too."""
        now = clock()
        self.everyone_stops = self.everyone_stops or everyone
        if everyone:
            self._standby.end_waiting()
        self.end(0)
        if at_once and self.ending:
            log.info("stopping at once")
            self.ending.hurry(self._crew, now)

    def end(self, code: int) -> None:
        """Begin to stop, unless that has begun; `run` will return `code`."""
        if self.ending is not None:
            return
        log.info("stopping: draining for at most %g s", self.config.worker.stop_timeout)
        self.ending = Ending(clock(), self.config.worker.stop_timeout, code)
        self._header.stopping = 1
        if self.roll is not None:
            self.roll.give_up(clock())
            self.roll = None

    def reopen(self) -> None:
        """Have every process open its log anew."""
        logs.reopen()
        self.pass_on(signal.SIGUSR1)
        log.info("logs reopened")

    def pass_on(self, number: signal.Signals) -> None:
        """Send a signal to every child."""
        self._crew.signal(self._crew.children, number)
