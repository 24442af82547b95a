"""Rounds in which all contenders take their turns, so that a slow minute hits them all."""

from collections.abc import Iterator, Sequence

from bench.contenders.contender import Contender
from bench.effort import Effort
from bench.figures import Series


def rounds(
    field: Sequence[Contender], effort: Effort, unit: str
) -> Iterator[tuple[Contender, Series]]:
    """Each contender once a round, with the series that its next figure belongs to.

    Each round begins one further on; the figure is printed when the next turn is asked for.
    """
    series = {contender.name: Series(contender.name, unit) for contender in field}
    for number in range(effort.rounds):
        start = number * max(1, len(field) // effort.rounds) % len(field)
        for contender in [*field[start:], *field[:start]]:
            yield contender, series[contender.name]
            value = series[contender.name].values[-1]
            print(
                f"  {number + 1}/{effort.rounds}  {contender.name:36}{value:>12,.0f} {unit}",
                flush=True,
            )
