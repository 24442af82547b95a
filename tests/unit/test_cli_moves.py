"""`qsuper retry`, `cancel` and `run-now`: one by one, and in bulk."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from qsuper.states import State
from qsuper.store import schema
from qsuper.store.backend import Statement
from qsuper.store.database import Database
from tests.unit.cli import Answer, call


class Shop:
    """A database, and the command line over it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.database = Database(url)
        schema.upgrade(self.database)
        self.connection = self.database.connect()
        self._environ = {"QSUPER_STORE__URL": url}
        self._folder = folder

    def call(self, *arguments: str, stdin: bytes = b"") -> Answer:
        return call(self._folder, *arguments, stdin=stdin, **self._environ)

    def add(self, count: int = 1, **columns: Any) -> None:
        columns = {"task": "task", **columns}
        if isinstance(name := columns.get("name"), str) and self.database.backend.name == "mysql":
            columns["name"] = name.encode()
        names, bound = ", ".join(columns), ", ".join(f":{name}" for name in columns)
        sql = Statement(f"INSERT INTO queue ({names}) VALUES ({bound})")
        with self.connection.transaction():
            self.connection.many(sql, [columns] * count)

    def set_status(self, job_id: int, status: int) -> None:
        sql = Statement("UPDATE queue SET status = :status WHERE id = :id")
        self.connection.run(sql, status=status, id=job_id)

    def states(self) -> list[State]:
        found = self.connection.rows(Statement("SELECT status FROM queue ORDER BY id"))
        return [State(row[0]) for row in found]

    def dump(self) -> list[Any]:
        columns = "id, status, attempt, claims, cancel, name, worker, run_at, mtime, held_by"
        return self.connection.rows(Statement(f"SELECT {columns} FROM queue ORDER BY id"))


@pytest.fixture
def shop(store_url: str, tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(store_url, tmp_path)
    yield shop
    shop.connection.close()


def test_retry_tells_of_each_job_and_fails_if_one_could_not_be(shop: Shop) -> None:
    shop.add(2)
    shop.set_status(1, 3)
    answer = shop.call("retry", "1", "2", "3")
    assert answer.code == 1
    assert answer.out == "job 1 was dead and will run again\n"
    assert answer.err.splitlines() == [
        "job 2 is ready: only finished jobs can be retried",
        "job 3 is not there",
    ]
    shop.set_status(1, 1)
    assert shop.call("retry", "1").code == 0


def test_cancel_goes_by_id_or_by_name_and_leaves_running_jobs(shop: Shop) -> None:
    shop.add()
    shop.add(name="order:SN1")
    shop.add(status=2)
    answer = shop.call("cancel", "1", "3")
    assert (answer.code, answer.out) == (1, "job 1 is cancelled\n")
    assert answer.err == "job 3 is running: --running ends it\n"
    assert shop.call("cancel", "--name", "order:SN1").out == "order:SN1 is cancelled\n"
    answer = shop.call("cancel", "--name", "order:SN1")
    assert (answer.code, answer.err) == (1, "qsuper: no live job is named 'order:SN1'\n")


def test_a_running_job_is_ended_by_id_and_by_name_when_asked_for(shop: Shop) -> None:
    shop.add(status=2)
    shop.add(status=2, name="order:SN1")
    assert shop.call("cancel", "1", "--running").out == "job 1 is being ended\n"
    answer = shop.call("cancel", "--name", "order:SN1", "--running")
    assert (answer.code, answer.out) == (0, "order:SN1 is being ended\n")
    marks = shop.connection.rows(Statement("SELECT status, cancel FROM queue"))
    assert marks == [(2, 1), (2, 1)]


@pytest.mark.parametrize("whom", [("1",), ("--name", "SN1"), ("--task", "task")], ids="-".join)
def test_cancel_waits_until_what_it_ends_has_ended(shop: Shop, whom: tuple[str, ...]) -> None:
    shop.add(status=2, name="SN1")

    def end() -> None:
        """Once it is marked, as its master would."""
        connection = shop.database.connect()
        sql = Statement("UPDATE queue SET status = 5 WHERE status = 2 AND cancel = 1")
        ends = time.monotonic() + 60
        while not connection.run(sql) and time.monotonic() < ends:
            time.sleep(0.02)
        connection.close()

    master = threading.Thread(target=end)
    master.start()
    answer = shop.call("cancel", *whom, "--running", "--wait")
    master.join()
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.endswith("1 job has ended and is cancelled\n")


def test_cancel_says_what_has_not_ended_or_was_quicker(shop: Shop) -> None:
    shop.add(2, status=2)
    shop.set_status(2, 1)
    with mock.patch("qsuper.cli.moves.cancelling.cancel", return_value=State.RUNNING):
        answer = shop.call("cancel", "1", "2", "--running", "--wait", "1ms")
    assert answer.code == 1
    assert answer.err.splitlines() == [
        "job 1 has not ended within 0s",
        "job 2 is done: it was quicker",
    ]


def test_run_now_lets_what_waits_for_its_time_run(shop: Shop) -> None:
    shop.add(status=4)
    shop.add(status=6, held_by="task:uid=4")
    shop.add(status=2)
    shop.add(status=3)
    answer = shop.call("run-now", "1", "2", "3", "4", "99")
    assert answer.code == 1
    assert answer.out == "job 1 is ready: the next worker that is free takes it in its turn\n"
    assert answer.err.splitlines() == [
        "job 2 is held by its limit task:uid=4: it runs once that has room",
        "job 3 is running",
        "job 4 is dead: `qsuper retry 4` runs it again",
        "job 99 is not there",
    ]
    assert shop.states()[0] is State.READY


def test_bulk_retry_moves_what_fits_and_names_twins(shop: Shop) -> None:
    shop.add(3, status=3)
    shop.add(status=3, task="other")
    shop.add(status=3, name="SN1")
    shop.add(name="SN1")
    answer = shop.call("retry", "--task", "task")
    assert (answer.code, answer.out) == (1, "3 dead jobs will run again\n")
    assert answer.err == "job 5 has a live twin of the same name, job 6: skipped\n"
    assert shop.states() == [State.READY] * 3 + [State.DEAD] * 2 + [State.READY]
    answer = shop.call("retry", "--state", "cancelled", "--all")
    assert (answer.code, answer.out) == (0, "0 cancelled jobs will run again\n")


def test_bulk_cancel_takes_what_waits_and_counts_what_runs(shop: Shop) -> None:
    for status in (0, 2, 4, 6, 1, 3):
        shop.add(status=status)
    answer = shop.call("cancel", "--task", "task")
    assert (answer.code, answer.out) == (1, "3 jobs cancelled\n")
    assert answer.err == "1 running job left alone: --running ends them\n"
    answer = shop.call("cancel", "--task", "task", "--running")
    assert (answer.code, answer.out) == (0, "0 jobs cancelled\n1 running job being ended\n")
    shop.add(2)
    shop.add(2, status=4)
    assert shop.call("cancel", "--all", "--state", "scheduled").out == "2 jobs cancelled\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("retry", "--all"),
        ("retry", "1", "2", "3", "4"),
        ("cancel", "--all", "--running"),
        ("cancel", "1", "2", "3", "4", "--running"),
        ("cancel", "--name", "SN1", "--running"),
    ],
    ids=" ".join,
)
def test_a_dry_run_changes_nothing_and_says_what_would(
    shop: Shop, arguments: tuple[str, ...]
) -> None:
    shop.add(2, status=3)
    shop.add(name="SN1")
    shop.add(status=2)
    shop.add(30, status=3)
    before = shop.dump()
    answer = shop.call(*arguments, "--dry-run")
    assert " would " in answer.out
    assert shop.dump() == before
    shop.call(*arguments)
    assert shop.dump() != before, "the same without --dry-run does something"


def test_a_dry_run_lists_the_first(shop: Shop) -> None:
    shop.add(30, status=3)
    lines = shop.call("retry", "--all", "--dry-run").out.splitlines()
    assert lines[0] == "30 dead jobs would run again"
    assert lines[1].split()[0] == "ID"
    assert [line.split()[0] for line in lines[2:22]] == [str(number) for number in range(1, 21)]
    assert lines[22:] == ["and 10 more"]


def test_more_than_a_thousand_are_moved_only_when_somebody_says_yes(shop: Shop) -> None:
    shop.add(1001, status=3)
    answer = shop.call("retry", "--all")
    assert (answer.code, answer.out) == (2, "")
    assert "more than 1,000 jobs would run again: say --yes, or look with --dry-run" in answer.err
    assert answer.err.count("\n") == 1
    assert set(shop.states()) == {State.DEAD}
    assert shop.call("retry", "--all", "--yes").out == "1,001 dead jobs will run again\n"
    answer = shop.call("cancel", "--task", "task", stdin=b"y\n")
    assert (answer.code, answer.out) == (2, "")
    assert shop.call("cancel", "--task", "task", "--yes").out == "1,001 jobs cancelled\n"


@pytest.mark.parametrize("word", ["y", "n"])
def test_somebody_at_a_terminal_is_asked(shop: Shop, word: str) -> None:
    shop.add(1001, status=3)
    with (
        mock.patch("qsuper.cli.bulk._somebody_is_there", return_value=True),
        mock.patch("click.confirm", return_value=word == "y") as asked,
    ):
        answer = shop.call("retry", "--all")
    assert asked.call_args.args == ("More than 1,000 jobs would run again. Go on?",)
    if word == "y":
        assert answer.code == 0
        assert set(shop.states()) == {State.READY}
    else:
        assert (answer.code, answer.err) == (1, "qsuper: nothing was moved\n")
        assert set(shop.states()) == {State.DEAD}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("retry",), "which jobs? Give ids, or choose by --task"),
        (("cancel",), "which jobs? Give ids, or choose by --task"),
        (("retry", "--state", "done"), "which jobs?"),
        (("retry", "1", "--task", "a"), "not both"),
        (("retry", "1", "--state", "done"), "not both"),
        (("cancel", "1", "--all"), "not both"),
        (("cancel", "--name", "a", "--queue", "b"), "not both"),
        (("cancel", "1", "--name", "a"), "give ids, or --name"),
        (("cancel", "1", "--wait"), "give both"),
        (("cancel", "--running", "--wait", "7"), "with its unit"),
        (("cancel", "--task", "a", "--running", "--state", "ready"), "exclude each other"),
        (("run-now",), "Missing argument"),
        (("run-now", "x"), "not the id of a job"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_not_clear_is_a_usage_error(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    call(tmp_path, "add", "task")
    answer = call(tmp_path, *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert words in answer.err
    assert answer.err.count("\n") == 1
    assert json.loads(call(tmp_path, "jobs", "--json").out)[0]["state"] == "ready"
