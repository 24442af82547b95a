"""The marks up to which due times are decided, and what became of each."""

import threading

import pytest

from qsuper.errors import StoreError
from qsuper.job import NewJob
from qsuper.states import State
from qsuper.store import enqueueing, schedules
from qsuper.store.schedules import Entry, Run
from tests.store.table import Table

DAY = 86_400.0


def entered(table: Table, name: str = "sweep", ago: float = 0.0) -> Entry:
    """A schedule that was seen first so many seconds ago."""
    schedules.enter(table.connection, name, "first")
    table.write("UPDATE schedules SET since = {ago:ago} WHERE name = :name", name=name, ago=ago)
    return schedules.read(table.connection)[name]


def runs(table: Table, name: str = "sweep") -> list[tuple[str, int | None, str | None]]:
    found = table.read(
        "SELECT due_at, job_id, note FROM schedule_runs WHERE name = :name ORDER BY due_at",
        name=name,
    )
    return [(str(due), job, note) for due, job, note in found]


def test_a_new_schedule_begins_on_the_databases_clock(table: Table) -> None:
    schedules.enter(table.connection, "sweep", "first")
    entry = schedules.read(table.connection)["sweep"]
    assert entry.since is not None
    assert -0.01 < entry.now - entry.since < 60
    assert (entry.definition, entry.paused) == ("first", False)


def test_entering_again_changes_nothing(table: Table) -> None:
    before = entered(table, ago=1000)
    schedules.set_paused(table.connection, "sweep", True)
    schedules.enter(table.connection, "sweep", "second")
    after = schedules.read(table.connection)["sweep"]
    assert (after.mark, after.definition, after.paused) == (before.mark, "first", True)


def test_the_mark_is_moved_once(table: Table) -> None:
    entry = entered(table, ago=1000)
    until = entry.now - 400.25
    moved = schedules.move_on(table.connection, entry, until)
    assert moved is not None
    assert schedules.move_on(table.connection, entry, entry.now) is None
    found = schedules.read(table.connection)["sweep"].since
    assert found is not None
    assert abs(found - until) < 0.01
    again = schedules.move_on(table.connection, moved, entry.now)
    assert again is not None, "the moved entry names the mark as it is now"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE schedules SET paused = 1",
        "UPDATE schedules SET definition = 'second'",
        "DELETE FROM schedules",
    ],
)
def test_the_mark_is_not_moved_of_a_schedule_that_has_changed(table: Table, change: str) -> None:
    entry = entered(table, ago=1000)
    table.write(change)
    assert schedules.move_on(table.connection, entry, entry.now) is None
    assert not schedules.begin_anew(table.connection, entry, "third")


def test_a_due_time_is_written_once(table: Table) -> None:
    schedules.record(table.connection, "sweep", [Run(86_400, None, "missed")])
    with pytest.raises(StoreError):
        schedules.record(table.connection, "sweep", [Run(86_400, 7, None)])
    assert runs(table) == [("1970-01-02 00:00:00", None, "missed")]


def test_what_is_decided_is_known_by_its_time(table: Table) -> None:
    times = [1_790_000_000 + 60 * one for one in range(5)]
    schedules.record(table.connection, "sweep", [Run(one, None, "missed") for one in times])
    found = schedules.decided(table.connection, "sweep", times[0], times[3])
    assert found == set(times[1:4])
    assert schedules.decided(table.connection, "other", 0, times[-1]) == set()


def test_due_times_are_written_in_utc(table: Table) -> None:
    schedules.record(table.connection, "sweep", [Run(1_774_746_000, 7, None)])
    assert runs(table) == [("2026-03-29 01:00:00", 7, None)]
    last = schedules.last(table.connection, "sweep")
    assert last is not None
    assert (last.due, last.job_id, last.status) == (1_774_746_000, 7, None)


def test_the_last_job_is_told_with_its_state_and_the_others_by_their_notes(table: Table) -> None:
    old, new = table.add(2, status=int(State.RUNNING))
    found = [Run(100, old, None), Run(200, new, None), Run(300, None, "overlap")]
    schedules.record(table.connection, "sweep", [*found, Run(400, None, "overlap")])
    last = schedules.last(table.connection, "sweep")
    assert last is not None
    assert (last.due, last.job_id, last.status) == (200, new, State.RUNNING)
    assert schedules.notes(table.connection, "sweep") == {"overlap": 2}


def test_beginning_anew_forgets_the_time_to_come(table: Table) -> None:
    entry = entered(table, ago=-3 * DAY)
    ahead, past = int(entry.now + DAY), int(entry.now - DAY)
    schedules.record(table.connection, "sweep", [Run(past, 1, None), Run(ahead, 2, None)])
    assert schedules.begin_anew(table.connection, entry, "second")
    after = schedules.read(table.connection)["sweep"]
    assert after.definition == "second"
    assert after.since is not None
    assert 0 <= after.now - after.since < 60
    assert [job for _, job, _ in runs(table)] == [1]


def test_pausing_is_said_once(table: Table) -> None:
    entered(table)
    assert schedules.set_paused(table.connection, "sweep", True)
    assert not schedules.set_paused(table.connection, "sweep", True)
    assert not schedules.set_paused(table.connection, "other", True)


def test_pruning_keeps_marks_and_the_newest_job(table: Table) -> None:
    entry = entered(table, ago=60)
    old = int(entry.now - 40 * DAY)
    found = [Run(old, 1, None), Run(old + 60, 2, None), Run(old + 120, None, "missed")]
    schedules.record(table.connection, "sweep", [*found, Run(int(entry.now) - 60, None, "missed")])
    assert schedules.prune(table.connection, 30 * DAY, ["sweep"]) == 1
    assert [job for _, job, _ in runs(table)] == [2, None, None]
    assert schedules.prune(table.connection, 30 * DAY, ["sweep"]) == 0
    assert schedules.read(table.connection)["sweep"].mark == entry.mark


def test_pruning_goes_in_steps(table: Table) -> None:
    entry = entered(table, ago=60)
    old = int(entry.now - 90 * DAY)
    many = schedules.PRUNED_AT_ONCE + 10
    found = [Run(old + 60 * one, None, "missed") for one in range(many)]
    schedules.record(table.connection, "sweep", [*found, Run(int(entry.now) - 60, 5, None)])
    assert schedules.prune(table.connection, 30 * DAY) == schedules.PRUNED_AT_ONCE
    assert schedules.prune(table.connection, 30 * DAY) == 10
    assert [job for _, job, _ in runs(table)] == [5]


def test_a_schedule_that_nobody_has_looked_at_for_long_goes(table: Table) -> None:
    entered(table, "removed", ago=40 * DAY)
    entered(table, "mine", ago=40 * DAY)
    entered(table, "another node's", ago=20 * DAY)
    now = schedules.read(table.connection)["mine"].now
    schedules.record(table.connection, "removed", [Run(int(now - 50 * DAY), 1, None)])
    assert schedules.prune(table.connection, 30 * DAY, ["mine"]) == 1
    assert schedules.prune(table.connection, 30 * DAY, ["mine"]) == 0
    assert sorted(schedules.read(table.connection)) == ["another node's", "mine"]
    assert runs(table, "removed") == []


def test_many_that_move_the_mark_at_once_make_each_job_once(table: Table) -> None:
    """Each has read the same mark; one transaction for the mark, the job and the record."""
    entries = [entered(table, f"schedule {one}", ago=1000) for one in range(20)]
    start = threading.Barrier(4)
    errors: list[Exception] = []

    def race(place: int) -> None:
        connection = table.database.connect()
        try:
            start.wait()
            for entry in entries[place:] + entries[:place]:
                with connection.transaction():
                    if schedules.move_on(connection, entry, entry.now):
                        job = enqueueing.insert(connection, NewJob("sweep"))
                        schedules.record(connection, entry.name, [Run(int(entry.now), job, None)])
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=race, args=(place * 5,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert table.states() == {State.READY: len(entries)}
    assert table.read("SELECT COUNT(DISTINCT job_id) FROM schedule_runs") == [(len(entries),)]
