from pathlib import Path

import pytest

from bench.figures import Ratio, Result, Series, ratio
from bench.journal import Count, Journal
from bench.report import table


def journal_of(folder: Path, *numbers: int) -> Journal:
    file = folder / "journal"
    file.write_text("".join(f"{number:015d}\n" for number in numbers))
    return Journal(file)


def test_every_number_once_is_exact(tmp_path: Path) -> None:
    journal = journal_of(tmp_path, 3, 1, 2)
    assert journal.records == 3
    assert journal.count(range(1, 4)) == Count(0, 0, 0)
    assert journal.count(range(1, 4)).exact


@pytest.mark.parametrize(
    ("numbers", "count"),
    [
        ((), Count(lost=3, repeated=0, unknown=0)),
        ((1, 3), Count(lost=1, repeated=0, unknown=0)),
        ((1, 2, 2, 2, 3, 3), Count(lost=0, repeated=3, unknown=0)),
        ((1, 2, 3, 4, 4), Count(lost=0, repeated=0, unknown=2)),
        ((1, 1, 9), Count(lost=2, repeated=1, unknown=1)),
    ],
)
def test_what_is_lost_repeated_or_of_nobody_is_told(
    tmp_path: Path, numbers: tuple[int, ...], count: Count
) -> None:
    found = journal_of(tmp_path, *numbers).count(range(1, 4))
    assert found == count
    assert not found.exact


def test_a_torn_record_is_no_record(tmp_path: Path) -> None:
    journal = journal_of(tmp_path, 1)
    journal.file.write_bytes(journal.file.read_bytes() + b"00000")
    with pytest.raises(ValueError, match="ends within a record"):
        journal.count(range(1, 2))


def test_a_ratio_is_taken_within_each_round_and_then_the_median() -> None:
    slow_minute = 10.0
    ours = Series("ours", "jobs/s", [40.0, 44.0 / slow_minute, 36.0])
    other = Series("other", "jobs/s", [10.0, 11.0 / slow_minute, 12.0])
    found = ratio("ours by other", ours, other, 4.0, at_least=True)
    assert (found.low, found.value, found.high) == (3.0, 4.0, 4.0)
    assert found.met
    assert not ratio("ours by other", ours, other, 4.1, at_least=True).met
    assert ratio("other by ours", other, ours, 0.25, at_least=False).met


def test_a_result_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    result = Result("drain", [Series("ours", "jobs/s", [1.0, 2.0])], notes=["a word"])
    result.ratios.append(Ratio("ours by other", 1.5, 3.0, at_least=True, low=1.0, high=2.0))
    result.columns["ours"] = {"lost": 0}
    assert Result.read(result.write(tmp_path)) == Result.read(tmp_path / "drain.json")
    text = table.render([Result.read(tmp_path / "drain.json")])
    assert "| ours" in text
    assert "MISSED" in text
    assert "* a word" in text
