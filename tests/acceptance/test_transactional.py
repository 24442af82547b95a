"""Exactly once: what a transactional task writes and its job's end are there together, or not."""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from qsuper.states import State
from tests.acceptance import journal
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.journal import Death, runs_of
from tests.acceptance.rows import Rows
from tests.acceptance.test_kills import kill_a_worker
from tests.wait import wait_for

ACCOUNTS = 50
MONEY = 1_000
JOBS = 2_000
KILLS = 200
APP = "tests.acceptance.transfers_app:queue"
SETTINGS: dict[str, Any] = {
    "app": APP,
    "job": {"backoff": {"base": 0.1, "cap": 0.5}, "max_attempts": 1000},
    "log": {"level": "warning"},
}


@pytest.fixture
def bank(rows: Rows) -> Rows:
    """Accounts and a list of transfers, in which nothing is unique."""
    engine = " ENGINE=InnoDB" if rows.kind == "mysql" else ""
    rows.run(f"CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance INTEGER){engine}")
    rows.run(f"CREATE TABLE transfers (job INTEGER, source INTEGER, target INTEGER){engine}")
    for account in range(1, ACCOUNTS + 1):
        rows.run("INSERT INTO accounts VALUES (:id, :money)", id=account, money=MONEY)
    return rows


def orders(task: str, count: int, seconds: float) -> list[tuple[int, str, dict[str, Any]]]:
    """Transfers between accounts that change with each, most of which take a moment."""
    rng = random.Random(20261121)
    found: list[tuple[int, str, dict[str, Any]]] = []
    for n in range(1, count + 1):
        source, target = rng.sample(range(1, ACCOUNTS + 1), 2)
        param = {"n": n, "source": source, "target": target, "amount": rng.randint(1, 9)}
        found.append((n, task, {**param, "seconds": round(rng.uniform(0, seconds), 4)}))
    return found


def balances(asked: Sequence[tuple[int, str, dict[str, Any]]]) -> dict[int, int]:
    """What each account must hold once every order was carried out once."""
    money = dict.fromkeys(range(1, ACCOUNTS + 1), MONEY)
    for _, _, param in asked:
        money[param["source"]] -= param["amount"]
        money[param["target"]] += param["amount"]
    return money


def repeated(bank: Rows) -> dict[int, int]:
    """Jobs that have moved money more than once, and how often."""
    times = Counter(row[0] for row in bank.run("SELECT job FROM transfers"))
    return {job: count for job, count in times.items() if count > 1}


def run_and_kill(daemon: Daemon, bank: Rows, jobs: int, kills: int) -> list[Death]:
    """Kill workers at random moments until all is done, nine of ten in the midst of a job."""
    rng = random.Random(20261122)
    daemon.start()
    deaths: list[Death] = []
    for kill in range(kills):
        due = int(2 * jobs * 0.9 * (kill + rng.random()) / kills)
        wait_for(lambda due=due: daemon.written() >= due, 300, f"the journal has {due} lines")  # type: ignore[misc]
        deaths.append(kill_a_worker(daemon, rng, in_a_job=kill % 10 != 0, written=True))
    transfers = "SELECT COUNT(*) FROM queue WHERE status = 1 AND task LIKE 'transfer%'"
    daemon.wait_until(lambda: bank.run(transfers) == [(jobs,)], "every job is done", timeout=300)
    return deaths


def test_money_is_moved_once_whoever_is_killed(
    daemon: Daemon, bank: Rows, figures: Figures
) -> None:
    daemon.write_config(**SETTINGS)
    asked = orders("transfer", JOBS, 0.012)
    bank.add(asked)
    deaths = run_and_kill(daemon, bank, JOBS, KILLS)
    receipts = "SELECT COUNT(*) FROM queue WHERE task = 'receipt' AND status = 1"
    daemon.wait_until(lambda: bank.run(receipts) == [(JOBS // 2,)], "every receipt is written")
    assert daemon.stop() == 0
    # A run that had begun and not ended had written its transfer and not committed it.
    open_when_killed = journal.cut_short(deaths, runs_of(daemon.events()))
    total = bank.run("SELECT SUM(balance) FROM accounts")[0][0]
    moved = bank.run("SELECT COUNT(*) FROM transfers")[0][0]
    figures(
        transfers=JOBS,
        kills=len(deaths),
        killed_in_an_open_transaction=open_when_killed,
        total=int(total),
        transfers_written=moved,
        repeated=len(repeated(bank)),
    )
    assert open_when_killed >= KILLS / 2
    assert total == ACCOUNTS * MONEY
    assert moved == JOBS
    assert not repeated(bank)
    assert dict(bank.run("SELECT id, balance FROM accounts")) == balances(asked)
    assert bank.run(receipts.replace(" AND status = 1", "")) == [(JOBS // 2,)]


def test_without_the_transaction_the_checkers_find_repeats(
    daemon: Daemon, bank: Rows, figures: Figures
) -> None:
    daemon.write_config(**SETTINGS)
    jobs, kills = 300, 40
    asked = orders("transfer_loose", jobs, 0.02)
    bank.add(asked)
    run_and_kill(daemon, bank, jobs, kills)
    daemon.stop()
    figures(kills=kills, repeated=len(repeated(bank)))
    assert repeated(bank)
    assert dict(bank.run("SELECT id, balance FROM accounts")) != balances(asked)


def test_an_attempt_that_fails_leaves_nothing_behind(daemon: Daemon, bank: Rows) -> None:
    daemon.write_config(**SETTINGS)
    bank.add([(1, "fail_and_recover", {"n": 1})])
    daemon.start()
    daemon.wait_until(lambda: bank.count(State.DONE) == 2, "the job and its receipt are done")
    assert bank.run("SELECT job FROM transfers") == [(1,)]
    assert [attempt[1] for attempt in bank.attempts(1)] == ["failed"]
    assert bank.run("SELECT COUNT(*) FROM queue WHERE task = 'receipt'") == [(1,)]


def test_an_attempt_that_is_timed_out_is_rolled_back(daemon: Daemon, bank: Rows) -> None:
    daemon.write_config(**SETTINGS)
    bank.add([(1, "linger", {"n": 1})])
    daemon.start()
    daemon.wait_until(lambda: bank.count(State.DONE) == 1, "the second attempt is done")
    assert bank.run("SELECT job FROM transfers") == [(1,)]
    assert "time-out" in bank.attempts(1)[0][2]


@pytest.mark.parametrize("how", ["method", "COMMIT", "ROLLBACK"])
def test_a_task_that_ends_its_transaction_itself_is_dead_and_says_why(
    daemon: Daemon, bank: Rows, how: str
) -> None:
    daemon.write_config(**SETTINGS)
    bank.add([(1, "commit_by_oneself", {"n": 1, "how": how})])
    daemon.start()
    daemon.wait_until(lambda: bank.count(State.DEAD) == 1, "the job is dead")
    (_, outcome, error) = bank.attempts(1)[0]
    assert outcome == "dead"
    if how == "method":
        assert "does not use connection.commit" in error
        assert bank.run("SELECT COUNT(*) FROM transfers") == [(0,)]
    else:
        assert "has ended its transaction itself" in error


def clash(daemon: Daemon, bank: Rows, task: str) -> None:
    """Eight jobs that lock two accounts, every other one the other way round."""
    bank.run("CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance INTEGER) ENGINE=InnoDB")
    bank.run("CREATE TABLE transfers (job INTEGER, source INTEGER, target INTEGER) ENGINE=InnoDB")
    bank.run("INSERT INTO accounts VALUES (1, 100), (2, 100)")
    daemon.write_config(**SETTINGS)
    bank.add((n, task, {"n": n, "first": 1 + n % 2, "second": 2 - n % 2}) for n in range(1, 9))
    daemon.start()
    daemon.wait_until(lambda: bank.count(State.DONE, State.DEAD) == 8, "all have ended")
    done = bank.run("SELECT id FROM queue WHERE status = 1 ORDER BY id")
    assert bank.run("SELECT job FROM transfers ORDER BY job") == done
    assert bank.run("SELECT SUM(balance) FROM accounts")[0][0] == 200


def test_two_that_lock_each_other_out_are_both_done_and_burn_no_attempt(
    mariadb_daemon: Daemon, mariadb_rows: Rows
) -> None:
    clash(mariadb_daemon, mariadb_rows, "clash")
    assert mariadb_rows.count(State.DONE) == 8
    assert mariadb_rows.run("SELECT COUNT(*) FROM attempts") == [(0,)]


def test_a_deadlock_that_a_task_overlooks_leaves_nothing_behind(
    mariadb_daemon: Daemon, mariadb_rows: Rows
) -> None:
    """The database has rolled back; what the task wrote after that would be half of a transfer."""
    clash(mariadb_daemon, mariadb_rows, "overlook_a_deadlock")
    assert mariadb_rows.count(State.DEAD), "some met a deadlock"


def test_a_task_that_locks_itself_out_ends_dead(daemon: Daemon, bank: Rows) -> None:
    """On MariaDB it is given the benefit of the doubt for a while: somebody else might hold the
    row."""
    daemon.write_config(**SETTINGS)
    bank.add([(1, "lock_oneself_out", {"n": 1})], claims=99)
    daemon.start()
    daemon.wait_until(lambda: bank.count(State.DEAD) == 1, "the job is dead")
    assert bank.run("SELECT SUM(balance) FROM accounts")[0][0] == ACCOUNTS * MONEY


def test_time_outs_in_the_midst_of_statements_harm_no_other_job(
    daemon: Daemon, bank: Rows, figures: Figures
) -> None:
    """The answer that nobody has read is not the next one's."""
    daemon.write_config(**SETTINGS, queues={"default": {"workers": 1}})
    count = 30
    asked = orders("transfer", count, 0.0)
    # One after the other, by their numbers.
    bank.add((2 * n, "transfer", param) for n, _, param in asked)
    bank.add((2 * n - 1, "chatter", {"n": 1000 + n}) for n in range(1, count + 1))
    daemon.start()
    done = "SELECT COUNT(*) FROM queue WHERE status = 1 AND task = 'transfer'"
    daemon.wait_until(lambda: bank.run(done) == [(count,)], "every transfer is done")
    daemon.wait_until(lambda: bank.count(State.DEAD) == count, "every other one was timed out")
    figures(timed_out=count, transfers=count, repeated=len(repeated(bank)))
    assert not repeated(bank)
    assert dict(bank.run("SELECT id, balance FROM accounts")) == balances(asked)
    assert bank.run("SELECT COUNT(*) FROM attempts") == [(count,)], "no transfer has failed"


def test_a_task_that_takes_no_notice_of_its_time_out_is_not_done(
    daemon: Daemon, bank: Rows
) -> None:
    daemon.write_config(**SETTINGS)
    bank.add([(1, "take_no_notice", {"n": 1})])
    daemon.start()
    daemon.wait_until(lambda: bank.count(State.DEAD) == 1, "the job is dead")
    assert "time-out" in bank.attempts(1)[0][2]
    assert bank.run("SELECT COUNT(*) FROM transfers") == [(0,)]


def test_what_a_hook_adds_of_a_failure_is_not_rolled_back_with_it(
    daemon: Daemon, bank: Rows
) -> None:
    daemon.write_config(**SETTINGS)
    bank.add([(1, "fail_for_good", {"n": 1})])
    daemon.start()
    daemon.wait_until(lambda: bank.count(State.DEAD, State.DONE) == 2, "job and receipt have ended")
    assert bank.run("SELECT COUNT(*) FROM transfers") == [(0,)]
    assert bank.run("SELECT COUNT(*) FROM queue WHERE task = 'receipt'") == [(1,)]


def test_what_a_task_does_to_its_session_is_gone_with_it(daemon: Daemon, bank: Rows) -> None:
    daemon.write_config(**SETTINGS, queues={"default": {"workers": 1}})
    transfer = {"source": 1, "target": 2, "amount": 1}
    bank.add((n, "change_the_session", {"n": n}) for n in (1, 3))
    bank.add((n, "transfer", {"n": n, **transfer}) for n in (2, 4))
    daemon.start()
    daemon.wait_until(lambda: bank.count(State.DONE) >= 4, "all are done")
    assert bank.run("SELECT balance FROM accounts WHERE id = 1") == [(MONEY - 2,)]
    assert bank.run("SELECT COUNT(*) FROM attempts") == [(0,)]
