"""From what is wrong at each look to what is told: once when it begins, once when it is over.

Knows no clock, no file and no network: looks come in with their time.
"""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct, structs

from qsuper.picture import span

GAP_MOST = 5.0
"""Seconds between two looks that count as seen; what lies in a longer gap nobody has seen."""

Key = tuple[str, str]


class Condition(Struct, frozen=True):
    """One thing that is wrong at one moment."""

    kind: str
    """One of `conditions.KINDS`."""
    about: str
    """The queue or the children it is wrong with; empty for the node itself."""
    text: str
    since: float | None = None
    """Unix time; None for what has just begun."""
    after: float = 0.0
    """Seconds for which it must have been wrong before it is told."""

    @property
    def key(self) -> Key:
        return self.kind, self.about


class Episode(Struct, frozen=True):
    """A condition from its beginning until it has been well for long enough."""

    kind: str
    about: str
    text: str
    """The condition's, as it was when it was told."""
    since: float
    seen: float
    """Unix time of the last look at which it was wrong."""
    wrong: float = 0.0
    """Seconds in which it was seen to be wrong, all together."""
    well: float = 0.0
    """Seconds for which it has been well since, as far as was looked."""
    told: bool = False

    @property
    def key(self) -> Key:
        return self.kind, self.about


class Told(Struct, frozen=True):
    """Something to tell."""

    kind: str
    about: str
    state: Literal["begun", "over"]
    text: str
    since: float
    """Unix time at which it began."""
    at: float
    """Unix time of the telling."""


class Episodes(Struct, frozen=True):
    """All that have begun and are not over yet."""

    looked: float = 0.0
    """Unix time of the last look."""
    open: tuple[Episode, ...] = ()


def step(
    before: Episodes,
    conditions: Iterable[Condition],
    now: float,
    *,
    quiet: float,
    blind: frozenset[str] = frozenset(),
) -> tuple[Episodes, tuple[Told, ...]]:
    """The episodes after a look at Unix time `now`, and what is to be told.

    What comes and goes is one episode until it has been well for `quiet` seconds. Of the kinds in
    `blind` nobody can say now how they are: their episodes stay as they were.
    """
    passed = min(max(0.0, now - before.looked), GAP_MOST)
    episodes = {episode.key: episode for episode in before.open}
    open_: list[Episode] = []
    told: list[Told] = []
    for condition in conditions:
        known = episodes.pop(condition.key, None)
        episode = _wrong(known, condition, now, passed)
        if not episode.told and episode.wrong >= condition.after:
            episode = structs.replace(episode, told=True)
            told.append(_telling(episode, "begun", episode.text, now))
        open_.append(episode)
    for episode in episodes.values():
        if episode.kind in blind:
            open_.append(episode)
            continue
        well = structs.replace(episode, well=episode.well + passed)
        if well.well < quiet:
            open_.append(well)
        elif well.told:
            lasted = span(well.seen - well.since)
            told.append(_telling(well, "over", f"over after {lasted}: {well.text}", now))
    return Episodes(now, tuple(open_)), tuple(told)


def _wrong(known: Episode | None, condition: Condition, now: float, passed: float) -> Episode:
    if known is None:
        since = now if condition.since is None else min(condition.since, now)
        return Episode(
            condition.kind, condition.about, condition.text, since, now, wrong=now - since
        )
    return structs.replace(
        known,
        text=known.text if known.told else condition.text,
        seen=now,
        wrong=known.wrong + passed,
        well=0.0,
    )


def _telling(episode: Episode, state: Literal["begun", "over"], text: str, now: float) -> Told:
    return Told(episode.kind, episode.about, state, text, episode.since, now)
