"""One claim after another from tables of many sizes, which take turns."""

import statistics
from dataclasses import dataclass

from bench.effort import Effort
from bench.figures import Ratio, Result, Series, ratio
from bench.modes.growth.backlog import Backlog
from bench.rig import Rig
from qsuper.slices import window_size

READY = (10_000, 100_000, 1_000_000, 10_000_000)
FINISHED = 1_000_000
SLICED = 1_000_000
"""Ready rows of the table from which workers of many slices claim."""
SLICES = 4
MANY_SLICES = (4, 32, 256)
CLAIMS = {1: 100, 50: 20}
"""How many claims of how many rows a figure is the median of."""
NUMBER = {1: "one", 50: "50"}


@dataclass(frozen=True, slots=True)
class Turn:
    """One kind of claim from one table."""

    backlog: Backlog
    most: int
    slices: int
    series: Series

    def take(self) -> float:
        """Claim until the figure stands, and put all back."""
        times = [self.backlog.claim(self.most, self.slices) for _ in range(CLAIMS[self.most])]
        self.backlog.restore()
        self.series.values.append(statistics.median(times))
        return self.series.values[-1]


def measure(rig: Rig, effort: Effort, result: Result) -> None:
    """Add all series and ratios of claims to the result."""
    tables: dict[int, Backlog] = {}
    for rows in sizes(effort):
        tables[rows] = Backlog(rig, rows)
        print(f"  filled: {rows:,} ready", flush=True)
    finished = effort.jobs(FINISHED)
    beside = Backlog(rig, READY[0], finished)
    sliced = max(rows for rows in tables if rows <= SLICED)
    turns = [
        Turn(table, most, SLICES, Series(by_ready(most, rows), "ms"))
        for rows, table in tables.items()
        for most in CLAIMS
    ]
    turns += [
        Turn(beside, most, SLICES, Series(by_finished(most, finished), "ms")) for most in CLAIMS
    ]
    turns += [
        Turn(tables[sliced], 1, slices, Series(by_slices(slices), "ms")) for slices in MANY_SLICES
    ]
    for turn in turns:
        turn.take()
        turn.series.values.clear()
    for number in range(effort.rounds):
        start = number * len(turns) // effort.rounds
        for turn in [*turns[start:], *turns[:start]]:
            value = turn.take()
            print(
                f"  {number + 1}/{effort.rounds}  {turn.series.name:48}{value:>8.2f} ms", flush=True
            )
    result.series += [turn.series for turn in turns]
    result.ratios += targets(result, list(tables), finished, sliced)
    result.ratios += [reads(tables[max(tables)], most, SLICES) for most in CLAIMS]
    result.ratios.append(reads(tables[sliced], 1, max(MANY_SLICES)))
    result.notes += [
        "Claims: of one connection, nobody else at work; each is a look and a durable UPDATE.",
        "The rows of all tables fit the buffer pool (4 GB).",
    ]
    for table in [*tables.values(), beside]:
        table.drop()


def sizes(effort: Effort) -> list[int]:
    """Those that so little effort can fill, the least at any rate."""
    return [rows for rows in READY if rows <= max(READY[0], effort.share * READY[-1])]


def by_ready(most: int, ready: int) -> str:
    """The name of the series."""
    return f"claim of {NUMBER[most]}, {ready} ready"


def by_finished(most: int, finished: int) -> str:
    """The name of the series."""
    return f"claim of {NUMBER[most]}, {finished} finished beside"


def by_slices(slices: int) -> str:
    """The name of the series."""
    return f"claim of one, {slices} slices"


def targets(result: Result, ready: list[int], finished: int, sliced: int) -> list[Ratio]:
    """What the claims' times are held to."""
    least, most = min(ready), max(ready)
    few, many = min(MANY_SLICES), max(MANY_SLICES)

    def against(what: str, over: str, under: str, target: float) -> Ratio:
        return ratio(what, result.get(over), result.get(under), target, at_least=False)

    return [
        *(
            against(
                f"claim of {NUMBER[count]}, {most} ready by {least}",
                by_ready(count, most),
                by_ready(count, least),
                1.5,
            )
            for count in CLAIMS
        ),
        *(
            against(
                f"claim of {NUMBER[count]}, {finished} finished beside {least} ready by none",
                by_finished(count, finished),
                by_ready(count, least),
                1.5,
            )
            for count in CLAIMS
        ),
        against(
            f"claim of one, {many} slices by {few}, {sliced} ready",
            by_slices(many),
            by_slices(few),
            2.0,
        ),
    ]


def reads(backlog: Backlog, most: int, slices: int) -> Ratio:
    """The rows of the ready index that one claim walks over, by those that its window allows."""
    rows, window = backlog.rows_read(most, slices), window_size(slices, most)
    what = (
        f"rows read by a claim of {NUMBER[most]}, {slices} slices, {backlog.ready} ready,"
        " by its window"
    )
    return Ratio(what, rows / window, 1.0, at_least=False, note=f"{rows} of {window}")
