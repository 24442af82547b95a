"""What the master ends by force."""

import os
import signal
from pathlib import Path

import pytest

from qsuper import processes
from qsuper.scoreboard import Record, clock
from tests.process.harness import Node
from tests.wait import wait_for


def turns(node: Node, pid: int) -> int:
    """How often the master wakes up while its bulletin grows older by three seconds."""

    def switches() -> int:
        text = Path(f"/proc/{pid}/status").read_text()
        return int(text.split("\nvoluntary_ctxt_switches:")[1].split()[0])

    before, posted = switches(), node.bulletin()["posted"]
    wait_for(lambda: node.bulletin()["posted"] > posted + 3)
    return switches() - before


def test_an_idle_master_sleeps_most_of_the_time(node: Node) -> None:
    node.configure(queues={"default": 9})
    master = node.start()
    assert turns(node, master.pid) < 20


def test_a_worker_whose_job_is_past_its_time_out_is_killed_with_that_reason(node: Node) -> None:
    node.configure(queues={"default": 1})
    node.switch("starts-daemon")
    node.start()
    node.wait_for_daemon()
    worker = node.record("default[0]").worker
    node.switch("job", "0.3")
    wait_for(lambda: f"{worker} time-out 9" in node.settled())
    node.unswitch("job")
    assert node.child("default[0]")["last_exit"] == "killed by SIGKILL"
    wait_for(lambda: node.running() == 1)


def test_a_job_within_its_time_or_without_a_limit_is_left_alone(node: Node) -> None:
    node.start()
    node.switch("job", "0")
    wait_for(lambda: all(node.record(f"default[{number}]").cursor for number in (0, 1)))
    record = node.record("default[0]")
    record.timeout = 3600.0
    record.began = clock() - 3000
    posted = node.bulletin()["posted"]
    wait_for(lambda: node.bulletin()["posted"] > posted + 2)
    assert "killing" not in node.log()


def test_a_job_that_has_returned_is_past_no_time_out(node: Node) -> None:
    node.start()
    record = node.record("default[0]")
    record.timeout, record.began = 1.0, clock() - 1000
    record.cursor = 2
    posted = node.bulletin()["posted"]
    wait_for(lambda: node.bulletin()["posted"] > posted + 2)
    assert "killing" not in node.log()


def test_a_lost_lease_ends_the_workers_once_and_a_fresh_one_lets_them_start(node: Node) -> None:
    node.configure(lease=8.0)
    node.start()
    header = node.board().header
    header.renewed = clock() - 100
    wait_for(lambda: node.settled().count("lease 9") == 2)
    posted = node.bulletin()["posted"]
    wait_for(lambda: node.bulletin()["posted"] > posted + 2)
    assert node.running() == 0
    assert turns(node, node.board_master()) < 60
    assert node.state_of("settler") == "RUNNING"
    node.switch("beats")
    wait_for(lambda: node.running() == 2)
    assert node.settled().count("lease 9") == 2


def test_a_node_that_is_alone_works_on_without_a_lease(node: Node) -> None:
    node.configure(lease=8.0)
    node.start()
    header = node.board().header
    header.alone = 1
    header.renewed = clock() - 100
    posted = node.bulletin()["posted"]
    wait_for(lambda: node.bulletin()["posted"] > posted + 2)
    assert "killing" not in node.log()


def test_an_output_file_that_has_grown_too_long_is_emptied(node: Node) -> None:
    node.start()
    folder = node.state / "output"
    folder.mkdir()
    long, short, other = folder / "a.out", folder / "b.out", folder / "c.txt"
    long.write_bytes(b"x" * (2 << 20))
    short.write_bytes(b"x" * 1000)
    other.write_bytes(b"x" * (2 << 20))
    wait_for(lambda: long.stat().st_size == 0)
    assert short.stat().st_size == 1000
    assert other.stat().st_size == 2 << 20


def test_a_frozen_worker_is_killed_by_its_time_out_too(node: Node) -> None:
    node.configure(queues={"default": 1})
    node.start()
    node.switch("job", "0.3")
    record = node.record("default[0]")
    wait_for(lambda: record.cursor)
    os.kill(record.pid, signal.SIGSTOP)
    wait_for(lambda: "time-out 9" in node.settled())
    node.unswitch("job")


def cancel(record: Record, job_id: int, claims: int = 0) -> None:
    """What the scheduler writes when somebody has cancelled a running job."""
    record.cancel_claims, record.cancel = claims, job_id


def in_a_job(node: Node) -> Record:
    """A node of one worker, which is in the midst of job 4711."""
    node.configure(queues={"default": 1})
    node.start()
    node.switch("job", "0")
    record = node.record("default[0]")
    wait_for(lambda: record.in_flight == 4711)
    return record


def was_asked(node: Node) -> bool:
    return (node.folder / "asked.default[0]").exists()


def test_a_worker_whose_job_is_cancelled_is_asked_first_and_then_killed(node: Node) -> None:
    record = in_a_job(node)
    worker = record.worker
    cancel(record, 4711)
    wait_for(lambda: was_asked(node))
    assert processes.lives(record.pid, record.ticks)
    wait_for(lambda: f"{worker} cancel 9" in node.settled())
    node.unswitch("job")
    wait_for(lambda: node.running() == 1)


def test_a_cancelled_job_that_ends_when_asked_costs_no_worker(node: Node) -> None:
    record = in_a_job(node)
    cancel(record, 4711)
    wait_for(lambda: was_asked(node))
    record.finish(0)
    posted = node.bulletin()["posted"]
    wait_for(lambda: node.bulletin()["posted"] > posted + 3)
    assert "killing" not in node.log()


@pytest.mark.parametrize(("job_id", "claims"), [(4712, 0), (4711, 1)])
def test_a_mark_for_another_job_or_an_earlier_claim_ends_nothing(
    node: Node, job_id: int, claims: int
) -> None:
    record = in_a_job(node)
    cancel(record, job_id, claims)
    posted = node.bulletin()["posted"]
    wait_for(lambda: node.bulletin()["posted"] > posted + 3)
    assert "killing" not in node.log()
    assert not was_asked(node)
