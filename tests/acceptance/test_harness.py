"""Smoke."""
from tests.acceptance.daemon import Daemon
from tests.acceptance.rows import Rows
from tests.acceptance import journal

def test_jobs_run(daemon: Daemon, rows: Rows) -> None:
    daemon.start()
    rows.add((n, "work", {"n": n}) for n in range(1, 1001))
    daemon.wait_until(lambda: rows.count(1) == 1000, "all done")
    assert not journal.lost(range(1, 1001), daemon.runs())
    assert not journal.overlapping(daemon.events())
    assert not journal.again_after_ack(rows.moves(), daemon.runs())
    print(daemon.status()["pid"])
    assert daemon.stop() == 0
