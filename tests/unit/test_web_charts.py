import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from qsuper.history import HOUR, Point
from qsuper.picture import Decision
from qsuper.roles.web.showing.charts import Chart, Line, draw
from qsuper.roles.web.showing.plots import charts
from qsuper.roles.web.showing.wording import number
from qsuper.scoreboard import OUTCOMES, no_runs, no_waits

NOW = 1_700_000_000.0


def chart(*lines: Line, **more: object) -> Chart:
    times = [NOW + 60 * place for place in range(len(lines[0].values))]
    return replace(Chart("name", "A <title>", times, lines, number), **more)  # type: ignore[arg-type]


def paths(drawn: str) -> list[str]:
    """What is drawn, the legend left out."""
    return re.findall(r'class="line line-\d" d="(M[^"]*)"', drawn.split("<ul", maxsplit=1)[0])


def test_a_chart_is_well_formed_and_says_its_numbers() -> None:
    drawn = draw(chart(Line("<done>", [1, 2, 3]), Line("dead", [0, 0, 6])))
    figure = ElementTree.fromstring(drawn.replace("&nbsp;", " "))
    assert figure.findtext("figcaption") == "A <title>"
    assert figure.findtext("svg/desc") == "<done>: last 3, at most 3; dead: last 6, at most 6"
    assert [cell.text for cell in figure.iter("td") if cell.get("class") == "n"] == list("102036")
    assert [bold.text for bold in figure.iter("b")] == ["3", "6"]


def test_a_stretch_of_which_nothing_is_known_is_a_gap() -> None:
    (path,) = paths(draw(chart(Line("done", [1, 1, None, 2, 2, None, 3]))))
    assert path.count("M") == 3
    assert path.endswith("h2")


def test_a_chart_without_numbers_says_so() -> None:
    drawn = draw(chart(Line("done", [None, None])))
    assert "nothing yet" in drawn
    assert "<svg" not in drawn


@pytest.mark.parametrize(("most", "top"), [(0.0, 1.2), (8.0, 9.0), (1.3, 1.5), (250_001, 300_000)])
def test_the_axis_ends_at_a_round_number_above_all_values(most: float, top: float) -> None:
    assert chart(Line("done", [most])).top == pytest.approx(top)


def test_the_table_of_many_points_is_summed_up_by_their_most() -> None:
    drawn = draw(chart(Line("done", list(range(90)))))
    cells = re.findall(r'<td class="n">([^<]*)</td>', drawn)
    assert len(cells) == 12
    assert (cells[0], cells[-1]) == ("7", "89")


def test_a_decision_of_the_autoscale_is_marked_where_it_was_made() -> None:
    marked = chart(Line("wanted", [1, 2, 3]), marks=[(NOW + 60, "mail: 1 → 2"), (NOW - 9, "old")])
    drawn = draw(marked)
    assert drawn.count('class="decision"') == 1
    assert "<title>mail: 1 → 2</title>" in drawn


def point(at: float, done: int) -> Point:
    ends = dict.fromkeys(OUTCOMES, 0) | {"done": done}
    waits, runs = no_waits(), no_runs()
    waits.counts[4] += done
    return Point(int(at), HOUR.width, ends, waits, runs, 5, 1.0, 3, 2)


def test_the_last_hour_is_drawn_of_points_put_together_and_without_the_one_that_is_not_over() -> (
    None
):
    begun = NOW // 40 * 40
    points = [point(begun - 40 + 10 * place, 20) for place in range(4)] + [point(begun, 7)]
    decision = Decision(begun - 20, "mail", 1, 3, "waits")
    found = {one.name: one for one in charts(points, [decision], together=4, now=NOW, hours=1)}
    throughput = found["throughput"]
    assert len(throughput.times) == 90
    assert throughput.times[-1] == begun - 40
    assert list(throughput.lines[0].values) == [None] * 89 + [2.0]
    assert [line.values[-1] for line in found["workers"].lines] == [3, 2]
    assert found["workers"].marks == [(begun - 20, "mail: 1 → 3")]
    p50 = found["waits"].lines[0].values[-1]
    assert p50 == pytest.approx(0.075)
    assert found["runs"].lines[0].values[-1] is None
