from threading import Barrier, Thread

import pytest

from qsuper.store import nodes
from tests.store.table import Table


def beat(table: Table, node: str, boot: str = "b1", lease: float = 30) -> list[nodes.Node]:
    return nodes.renew(
        table.connection, node=node, host="h", boot=boot, lease=lease, workers={"default": 4}
    )


def node_of(table: Table, node: str) -> nodes.Node:
    return next(known for known in nodes.everyone(table.connection) if known.id == node)


def end_lease(table: Table, node: str) -> None:
    table.write("UPDATE nodes SET lease_until = {ago:age} WHERE id = :id", age=1, id=node)


def test_a_node_that_beats_is_alive_and_known_with_its_workers(table: Table) -> None:
    (node,) = beat(table, "a")
    assert (node.id, node.host, node.boot, node.workers) == ("a", "h", "b1", {"default": 4})
    assert node.alive
    assert 20 < node.lease_left <= 30.1
    assert -0.1 <= node.silent_for < 30
    assert node.suspected_for is None
    assert type(node.lease_left) is float


def test_a_node_says_whether_it_was_alone(table: Table) -> None:
    assert beat(table, "a")[0].alone
    beat(table, "b")
    assert not node_of(table, "b").alone
    beat(table, "a")
    assert not node_of(table, "a").alone
    end_lease(table, "b")
    beat(table, "a")
    assert node_of(table, "a").alone


def test_nodes_come_in_the_order_of_their_ids(table: Table) -> None:
    for id in ("c", "a", "B"):
        beat(table, id)
    assert [node.id for node in nodes.everyone(table.connection)] == ["B", "a", "c"]


def test_a_lost_node_is_suspected_first_and_a_renewal_takes_it_back(table: Table) -> None:
    beat(table, "a")
    assert not nodes.suspect(table.connection, node_of(table, "a")), "its lease has not ended"
    end_lease(table, "a")
    lost = node_of(table, "a")
    assert not lost.alive
    assert nodes.suspect(table.connection, lost)
    assert not nodes.suspect(table.connection, lost), "the first look counts"
    suspected = node_of(table, "a").suspected_for
    assert suspected is not None
    assert -0.1 <= suspected < 30
    beat(table, "a")
    assert node_of(table, "a").suspected_for is None
    assert not nodes.mark_rescued(table.connection, lost)


def test_a_rescued_node_counts_no_workers(table: Table) -> None:
    beat(table, "a")
    end_lease(table, "a")
    lost = node_of(table, "a")
    nodes.suspect(table.connection, lost)
    assert nodes.mark_rescued(table.connection, lost)
    assert not nodes.mark_rescued(table.connection, lost)
    assert (node_of(table, "a").workers, node_of(table, "a").alive) == ({}, False)


def test_a_node_that_came_back_under_another_boot_is_not_touched(table: Table) -> None:
    beat(table, "a", "b1")
    end_lease(table, "a")
    lost = node_of(table, "a")
    nodes.suspect(table.connection, lost)
    before = nodes.previous(table.connection, "a", "b2")
    assert before is not None
    assert before.boot == "b1"
    beat(table, "a", "b2")
    assert not nodes.suspect(table.connection, lost)
    assert not nodes.mark_rescued(table.connection, lost)
    nodes.leave(table.connection, "a", "b1")
    assert node_of(table, "a").boot == "b2"
    assert nodes.previous(table.connection, "a", "b2") is None
    nodes.leave(table.connection, "a", "b2")
    assert nodes.everyone(table.connection) == []
    assert nodes.previous(table.connection, "a", "b3") is None


@pytest.mark.parametrize("junk", ["", "[]", "{", '{"default": "four"}'])
def test_junk_in_a_node_s_row_stops_nobody(table: Table, junk: str) -> None:
    beat(table, "a")
    table.write("UPDATE nodes SET workers = :junk", junk=junk)
    assert node_of(table, "a").workers == {}


def test_two_children_may_enter_their_node_at_once(table: Table) -> None:
    children = [table.connect() for _ in range(6)]
    ready = Barrier(len(children))
    failures: list[Exception] = []

    def first_beat(place: int) -> None:
        ready.wait()
        try:
            nodes.renew(
                children[place], node="a", host="h", boot="b1", lease=30, workers={"default": 1}
            )
        except Exception as error:
            failures.append(error)

    threads = [Thread(target=first_beat, args=(place,)) for place in range(len(children))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [node.id for node in nodes.everyone(table.connection)] == ["a"]
