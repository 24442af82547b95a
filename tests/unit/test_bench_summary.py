from pathlib import Path

from bench.contenders import OURS
from bench.contenders.peers import PEERS
from bench.figures import Result
from bench.report import summary, table

TOP = Path(__file__).parents[2]
RESULTS = TOP / "bench" / "results"


def results() -> list[Result]:
    return [Result.read(file) for file in sorted(RESULTS.glob("*.json"))]


def test_the_readme_has_the_table_that_the_raw_figures_make() -> None:
    made = summary.render(results(), [contender.name for contender in [*OURS, *PEERS]])
    assert made.count("\n") == 2 + len(OURS) + len(PEERS)
    assert made in (TOP / "README.md").read_text()


def test_every_target_is_met_or_said_to_be_missed_in_the_readme() -> None:
    readme = (TOP / "README.md").read_text()
    missed = [ratio.what for result in results() for ratio in result.ratios if not ratio.met]
    assert [what for what in missed if what not in readme] == []


def test_the_table_of_targets_names_each_of_them() -> None:
    text = table.render(results())
    assert all(ratio.what in text for result in results() for ratio in result.ratios)
