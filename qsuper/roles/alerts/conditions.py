"""What of a picture somebody is told. A further kind is one function and one line in `KINDS`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from qsuper.config import AlertsConfig
from qsuper.picture import Child, Picture, span
from qsuper.picture.trouble import STALE
from qsuper.roles.alerts.episodes import Condition
from qsuper.states import ChildState

_NAMED_MOST = 3


@dataclass(frozen=True, slots=True)
class Look:
    """All that is known at one moment."""

    picture: Picture
    dead: int
    """Jobs that have died within `dead_within`."""
    missed: int
    """Due times of schedules that were missed since the last look."""
    ticked: float | None
    """Unix time of the last `qsuper cron tick`; None when there was none."""
    now: float
    """Unix time."""

    @property
    def blind(self) -> frozenset[str]:
        """Kinds of which the picture does not say how they are now: it is too old for that."""
        ago = self.picture.counted_ago
        return frozenset(("oldest_ready",)) if ago is None or ago > STALE else frozenset()


def conditions(look: Look, limits: AlertsConfig) -> Iterator[Condition]:
    """What is wrong."""
    for kind, find in KINDS.items():
        if kind not in look.blind:
            yield from find(look, limits)


def oldest_ready(look: Look, limits: AlertsConfig) -> Iterator[Condition]:
    for queue in look.picture.queues:
        waited = queue.oldest_ready or 0.0
        if waited > limits.oldest_ready:
            why = "; it is paused" if queue.paused else ""
            text = f"the oldest ready job of queue {queue.name} has waited for {span(waited)}{why}"
            yield Condition("oldest_ready", queue.name, text, look.now - waited)


def fatal(look: Look, limits: AlertsConfig) -> Iterator[Condition]:
    """One for all workers of a queue: what is wrong with one is wrong with all, mostly."""
    found: dict[str, list[Child]] = {}
    for child in look.picture.children:
        if child.state == ChildState.FATAL:
            found.setdefault(child.queue or child.name, []).append(child)
    for about, children in found.items():
        verb = "is" if len(children) == 1 else "are"
        why = f": {children[0].last_exit}" if children[0].last_exit else ""
        since = min(child.since for child in children)
        yield Condition("fatal", about, f"{_names(children)} {verb} FATAL{why}", since, limits.away)


def dead(look: Look, limits: AlertsConfig) -> Iterator[Condition]:
    if limits.dead and look.dead >= limits.dead:
        jobs = "job has" if look.dead == 1 else "jobs have"
        within = span(limits.dead_within)
        text = f"{look.dead} {jobs} died within {within}; `qsuper jobs --state dead` lists them"
        yield Condition("dead", "", text)


def missed(look: Look, _limits: AlertsConfig) -> Iterator[Condition]:
    if look.missed:
        times = "1 due time" if look.missed == 1 else f"{look.missed} due times"
        yield Condition(
            "missed", "", f"{times} of schedules made no job; `qsuper cron list` tells which"
        )


def cron_tick(look: Look, limits: AlertsConfig) -> Iterator[Condition]:
    # A tick that never came is one since the start.
    last = look.picture.started if look.ticked is None else look.ticked
    if limits.cron_tick and look.now - last > limits.cron_tick:
        ago = span(look.now - last)
        text = f"no `qsuper cron tick` has come for {ago}; is its line still in crontab?"
        yield Condition("cron_tick", "", text, last)


def away(kind: str, named: str) -> Callable[[Look, AlertsConfig], Iterator[Condition]]:
    """The database or Redis, as the children say that need it."""

    def find(look: Look, limits: AlertsConfig) -> Iterator[Condition]:
        children = [child for child in look.picture.children if child.away == kind]
        if children:
            says = "says" if len(children) == 1 else "say"
            text = f"{named} is away, {says} {_names(children)}: {children[0].trouble}"
            since = min(child.trouble_since for child in children)
            yield Condition(kind, "", text, since, limits.away)

    return find


KINDS: dict[str, Callable[[Look, AlertsConfig], Iterator[Condition]]] = {
    "database": away("database", "the database"),
    "redis": away("redis", "Redis"),
    "fatal": fatal,
    "oldest_ready": oldest_ready,
    "dead": dead,
    "missed": missed,
    "cron_tick": cron_tick,
}
"""What is told, by the word that the message has for it."""


def _names(children: Sequence[Child]) -> str:
    names = ", ".join(child.name for child in children[:_NAMED_MOST])
    more = len(children) - _NAMED_MOST
    return f"{names} and {more} more" if more > 0 else names
