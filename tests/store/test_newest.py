"""A walk that meets the newest first, wherever they are."""

from itertools import chain

import pytest

from qsuper.errors import StoreError
from qsuper.states import State
from qsuper.store import newest, places, walking
from qsuper.store.kinds import Grouping
from qsuper.store.newest import Newest
from qsuper.store.selection import Selection
from tests.store.table import Table


def walk(table: Table, queue: str | None = None) -> list[list[int]]:
    """Its pages."""
    walk = Newest(Selection(state=State.DEAD, queue=queue))
    pages = []
    while page := walk.page(table.connection):
        assert walk.page(table.connection) == page, "the same until it is dealt with"
        pages.append(page)
        walk.go_on()
    return pages


@pytest.fixture
def ids(table: Table, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Dead jobs of three queues and several priorities, one by one in turn."""
    monkeypatch.setattr(walking, "PAGE", 7)
    monkeypatch.setattr(newest, "_FIRST_LOOK", 2)
    found = []
    for number in range(60):
        queue = ("mail", "default", "Übrig")[number % 3]
        found += table.add(status=3, queue=queue, priority=(0, -5, 0, 3)[number % 4])
        table.add(status=1, queue=queue)
    return found


def test_the_newest_of_all_queues_and_priorities_come_first(table: Table, ids: list[int]) -> None:
    pages = walk(table)
    assert [len(page) for page in pages] == [7] * 8 + [4]
    assert list(chain(*pages)) == ids[::-1]
    assert list(chain(*walk(table, "mail"))) == ids[::3][::-1]


def test_more_places_than_are_walked_side_by_side_are_all_walked(
    table: Table, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newest, "PLACES_MOST", 2)
    assert sorted(chain(*walk(table))) == ids


def test_after_an_error_it_goes_on_where_it_was(
    table: Table, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    walk = Newest(Selection(state=State.DEAD))
    met = list(walk.page(table.connection))
    walk.go_on()

    def fail(*_: object) -> None:
        raise StoreError

    with monkeypatch.context() as patch:
        patch.setattr(places, "newest", fail)
        with pytest.raises(StoreError):
            walk.page(table.connection)
    while page := walk.page(table.connection):
        met += page
        walk.go_on()
    assert met == ids[::-1]


def test_of_many_dead_jobs_the_newest_are_counted_first(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "PAGE", 5)
    table.add(20, status=3, task="old")
    table.add(5, status=3, task="new", queue="zz", priority=9)
    grouping = Grouping(Selection(state=State.DEAD))
    assert grouping.step(table.connection)
    assert [(kind.task, kind.count) for kind in grouping.kinds] == [("new", 5)]
    while grouping.step(table.connection):
        pass
    assert [(kind.task, kind.count) for kind in grouping.kinds] == [("old", 20), ("new", 5)]
