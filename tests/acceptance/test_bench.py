"""The benchmark measures what it says: its drains run every job once, and notice when not."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bench.contenders import FLOOR_50, FLOOR_SQLITE, OURS, QSUPER, QSUPER_WAKE
from bench.contenders.contender import Contender
from bench.lane import lane
from bench.modes import drain
from bench.modes.latency import measure
from bench.rig import Rig, rig

JOBS = 600


@pytest.fixture(scope="module")
def servers() -> Iterator[Rig]:
    with rig() as found:
        yield found


@pytest.mark.parametrize("one", [*OURS, FLOOR_50, FLOOR_SQLITE], ids=lambda one: one.name)
def test_a_drain_runs_every_job_once_and_leaves_no_process(servers: Rig, one: Contender) -> None:
    with lane(servers, one) as seen:
        seen.produce("bulk", one.first, JOBS, 100)
        seen.start()
        assert seen.run_until(JOBS) > 0
        processes = seen.processes()
        seen.stop()
        assert len(processes) >= 4
        assert not any(process.is_running() for process in processes)
        assert seen.journal.count(range(one.first, one.first + JOBS)).exact


def test_a_job_that_runs_twice_fails_the_benchmark(servers: Rig) -> None:
    twice = replace(QSUPER, words=lambda _: ["python", "-c", TWICE])
    with pytest.raises(AssertionError, match="repeated=1"):
        drain.drain(servers, twice, JOBS)


TWICE = f"""
import os
with open(os.environ["BENCH_JOURNAL"], "w") as file:
    file.write("".join("%015d\\n" % number for number in [*range({JOBS}), 7]))
import time; time.sleep(60)
"""


def test_a_stamp_tells_how_long_a_job_has_waited(servers: Rig) -> None:
    stamps = measure(servers, QSUPER_WAKE, 30, 0.01)
    assert len(stamps) == 30
    assert all(0.05 < milliseconds < 60_000 for milliseconds in stamps)
