import time
from typing import Any

import pytest

from qsuper.job import Job
from qsuper.states import State
from qsuper.store import acking, browsing
from qsuper.store.acking import Report
from qsuper.store.browsing import PAGE, Browse, Page
from qsuper.store.jumping import first_since
from tests.store.cost import double, rows_read
from tests.store.table import WORKER, Table


def ids_of(table: Table, before: int | None = None, **wanted: Any) -> list[int]:
    return [row.id for row in browsing.page(table.connection, Browse(**wanted), before).rows]


def leaf_through(table: Table, **wanted: Any) -> list[Page]:
    """All pages, from the first to the last."""
    pages = [browsing.page(table.connection, Browse(**wanted))]
    while pages[-1].before is not None:
        pages.append(browsing.page(table.connection, Browse(**wanted), pages[-1].before))
    return pages


@pytest.mark.parametrize(
    "wanted", [{}, {"queue": "mail"}, {"state": State.DONE}, {"task": "a"}, {"text": "needle"}]
)
def test_the_pages_hold_every_job_once_and_the_newest_first(
    table: Table, wanted: dict[str, Any]
) -> None:
    for priority in (0, -3, 0, 7):
        columns = {"queue": "mail", "task": "a", "param": "a needle", "priority": priority}
        table.add(45, status=1, **columns)
    pages = leaf_through(table, **wanted)
    ids = [row.id for page in pages for row in page.rows]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == len(set(ids)) == 180
    assert [len(page.rows) for page in pages] == [PAGE, PAGE, PAGE, 30]


def test_a_page_that_is_full_and_the_last_has_no_next_one(table: Table) -> None:
    table.add(PAGE)
    (page,) = leaf_through(table)
    assert len(page.rows) == PAGE


def test_jobs_are_found_by_what_is_in_param_and_error(table: Table) -> None:
    (by_param,) = table.add(param='{"mail": "ada@example.com"}')
    table.add(param=None)
    (by_error,) = table.add()
    table.write("UPDATE queue SET status = 2, worker = :w WHERE id = :id", w=WORKER, id=by_error)
    job = Job(by_error, "t", None, 1, None, None, 0)
    acking.bury(table.connection, WORKER, job, Report("a", "no such box: ada@example.com"))
    assert ids_of(table, text="ada@") == [by_error, by_param]
    assert ids_of(table, text="ADA@") == []
    (row,) = browsing.page(table.connection, Browse(state=State.DEAD)).rows
    assert row.error == "no such box: ada@example.com"


def test_all_filters_together_narrow_the_list(table: Table) -> None:
    (wanted,) = table.add(status=3, queue="mail", task="a", name="n", param="x")
    table.add(status=3, queue="mail", task="a", name="m", param="x")
    table.add(status=1, queue="mail", task="a", name="n", param="x")
    table.add(status=3, queue="other", task="a", name="n", param="x")
    narrow: dict[str, Any] = {
        "state": State.DEAD,
        "queue": "mail",
        "task": "a",
        "name": "n",
        "text": "x",
    }
    assert ids_of(table, **narrow) == [wanted]


def test_a_list_of_a_time_begins_there_and_does_not_look_through_what_is_newer(
    table: Table,
) -> None:
    (old,) = table.add(status=4)
    table.write("UPDATE queue SET ctime = {ago:s}", s=7200.0)
    table.add(600, status=4)
    hour_ago = time.time() - 3600
    page = browsing.page(table.connection, Browse(until=hour_ago))
    assert ([row.id for row in page.rows], page.looked) == ([old], 1)
    assert len(ids_of(table, since=hour_ago)) == PAGE
    assert first_since(table.connection, time.time() + 3600) is None


def test_a_look_for_what_is_rare_ends_and_says_from_where_to_look_further(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browsing, "LOOK_MOST", 1000)
    (wanted,) = table.add(task="rare")
    table.add(1200)
    first = browsing.page(table.connection, Browse(task="rare"))
    assert (first.rows, first.looked, first.cut) == ([], 1000, True)
    second = browsing.page(table.connection, Browse(task="rare"), first.before)
    assert ([row.id for row in second.rows], second.cut) == ([wanted], False)


def test_more_queues_and_priorities_than_are_read_side_by_side_are_found_too(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browsing, "PLACES_MOST", 2)
    for priority in range(4):
        table.add(2, status=3, queue="mail", priority=priority)
        table.add(1, status=1, queue="mail", priority=priority)
        table.add(1, status=3, priority=priority)
    assert len(ids_of(table, state=State.DEAD, queue="mail")) == 8
    assert len(ids_of(table, state=State.DEAD)) == 12
    assert len(ids_of(table, queue="mail")) == 12


@pytest.mark.parametrize("wanted", [{}, {"state": State.DONE}, {"queue": "default"}])
def test_a_page_in_the_middle_reads_no_more_rows_than_the_first(
    mysql_table: Table, wanted: dict[str, Any]
) -> None:
    mysql_table.add(500, status=1)
    mysql_table.add(3, status=3, priority=2)
    double(mysql_table, 6)
    middle = mysql_table.read("SELECT MAX(id) / 2 FROM queue")[0][0]

    def read(before: int | None) -> int:
        return rows_read(
            mysql_table,
            lambda: browsing.page(mysql_table.connection, Browse(**wanted), before),
        )

    first, later = read(None), read(int(middle))
    assert later <= 1.5 * first < 2000
