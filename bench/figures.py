"""What a measurement gives: series of rounds, ratios with their targets, one result a mode."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Series:
    """One thing measured once a round."""

    name: str
    unit: str
    values: list[float] = field(default_factory=list)
    """A figure a round, in the order of the rounds."""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)


@dataclass(slots=True)
class Ratio:
    """One line of the table of targets."""

    what: str
    value: float
    """Median over the rounds of the ratio within a round, unless `note` says otherwise."""
    target: float
    at_least: bool
    low: float = 0.0
    high: float = 0.0
    unit: str = "×"
    note: str = ""

    @property
    def met(self) -> bool:
        return self.value >= self.target if self.at_least else self.value <= self.target


@dataclass(slots=True)
class Result:
    """All that one mode has found."""

    mode: str
    series: list[Series] = field(default_factory=list)
    ratios: list[Ratio] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    columns: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What else is to be said of a series, by its name."""
    machine: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    """How long the mode took."""

    def get(self, name: str) -> Series:
        """The series of that name; KeyError when there is none."""
        for series in self.series:
            if series.name == name:
                return series
        raise KeyError(name)

    def keep(self, series: Series) -> None:
        """Add a series, once."""
        if not any(one is series for one in self.series):
            self.series.append(series)

    def write(self, folder: Path) -> Path:
        """As `MODE.json`, with every round."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{self.mode}.json"
        file.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n")
        return file

    @classmethod
    def read(cls, file: Path) -> "Result":
        values = json.loads(file.read_text())
        values["series"] = [Series(**one) for one in values["series"]]
        values["ratios"] = [Ratio(**one) for one in values["ratios"]]
        return cls(**values)


def ratio(
    what: str, over: Series, under: Series, target: float, *, at_least: bool, note: str = ""
) -> Ratio:
    """Round by round, for what slows the machine down slows both; then the median."""
    each = [one / other for one, other in zip(over.values, under.values, strict=True)]
    return Ratio(what, statistics.median(each), target, at_least, min(each), max(each), note=note)


def percentile(values: Sequence[float], percent: int) -> float:
    """With linear interpolation; of at least two values."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
