"""The tutorial: from `pip install` to production in ten steps."""

import re
from itertools import pairwise

from tests.docs.place import TOP, Place
from tests.docs.running import read, run_page

TUTORIAL = "docs/tutorial.md"


def test_each_step_of_the_tutorial_works_after_the_one_before(place: Place) -> None:
    run_page(read(TUTORIAL), place)


def test_the_tutorial_has_ten_steps_and_each_runs_something() -> None:
    lines = (TOP / TUTORIAL).read_text().splitlines()
    begins = {number: line for number, line in enumerate(lines, 1) if line.startswith("## ")}
    assert [re.match(r"## (\d+)\. ", line)[1] for line in begins.values()] == [  # type: ignore[index]
        str(step) for step in range(1, 11)
    ]
    runs = [block.line for block in read(TUTORIAL) if block.not_run is None]
    bounds = [*begins, len(lines) + 1]
    for start, end in pairwise(bounds):
        assert any(start < line < end for line in runs), f"nothing runs in {begins[start]!r}"
