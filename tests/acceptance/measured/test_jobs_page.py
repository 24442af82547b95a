"""The page of jobs costs the same at its thousandth page as at its first, before ten million."""

import re
import statistics
import time
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import pytest

from qsuper.store.backend import Statement
from qsuper.store.browsing import PAGE
from qsuper.store.database import Database
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows
from tests.servers import MariaDB
from tests.web.dashboard import Dashboard, Visitor

JOBS = 10_000_000
PAGES = 1000
PATHS = ("/jobs", "/jobs?state=done")
ROUNDS = 30
ATTEMPTS = 3
"""A machine that does something else for a moment has not shown anything yet."""

_FILL = Statement(
    f"""
    INSERT INTO queue (id, queue, task, status)
    SELECT seq, IF(seq % 3 = 0, 'mail', 'default'), CONCAT('task', seq % 7),
        IF(seq % 100 = 0, 3, 1) FROM seq_1_to_{JOBS}
    """
)
_NEXT = re.compile(r'rel="next" href="([^"]*)"')
_JOB = re.compile(r'href="/jobs/(\d+)"')


@pytest.fixture
def before_ten_million(own_mariadb: Callable[..., MariaDB], folder: Path) -> Iterator[Dashboard]:
    server = own_mariadb(innodb_buffer_pool_size="1G", innodb_log_file_size="256M")
    rows = Rows(server.create_database())
    connection = Database(rows.url).patient().connect()
    connection.run(_FILL)
    connection.close()
    dashboard = Dashboard(folder, rows)
    try:
        dashboard.start()
        yield dashboard
    finally:
        dashboard.daemon.clean_up()


def test_page_1000_of_ten_million_jobs_costs_at_most_three_times_the_first(
    before_ten_million: Dashboard, figures: Figures
) -> None:
    visitor = before_ten_million.member()
    for path in PATHS:
        last, seen = thousandth(visitor, path)
        assert len(seen) == len(set(seen)) == PAGES * PAGE
        assert seen == sorted(seen, reverse=True)
        for _ in range(ATTEMPTS):
            first, later = medians(visitor, path, last)
            ratio = later / first
            figures(page=path, first_ms=first * 1e3, page_1000_ms=later * 1e3, ratio=ratio)
            if ratio <= 3:
                break
        assert ratio <= 3, f"page {PAGES} of {path} costs {ratio:.2f} times as much as the first"


def thousandth(visitor: Visitor, path: str) -> tuple[str, list[int]]:
    """The address of page 1,000, found as a reader finds it, and the jobs on the way there."""
    seen: list[int] = []
    for number in range(1, PAGES + 1):
        page = visitor.get(path)
        assert page.status == 200, page.text
        seen += [int(job) for job in _JOB.findall(page.text)]
        if number < PAGES:
            following = _NEXT.search(page.text)
            assert following, f"page {number} leads to no further one"
            path = unescape(following[1])
    return path, seen


def medians(visitor: Visitor, first: str, later: str) -> tuple[float, float]:
    """Seconds of both, asked for in turns so that both meet the same noise."""
    took: dict[str, list[float]] = {first: [], later: []}
    for _ in range(ROUNDS):
        for path, times in took.items():
            began = time.perf_counter()
            assert visitor.get(path).status == 200
            times.append(time.perf_counter() - began)
    return statistics.median(took[first]), statistics.median(took[later])
