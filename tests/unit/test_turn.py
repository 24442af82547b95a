import fcntl
import os
import threading
import time
from pathlib import Path

import pytest

from qsuper.roles import turn
from qsuper.roles.turn import LANES, Turn, lane_of, members


@pytest.mark.parametrize("workers", [*range(LANES + 1, 40), 64, 100, 257])
def test_every_worker_is_in_one_lane_with_its_neighbours(workers: int) -> None:
    lanes = [lane_of(ordinal, workers) for ordinal in range(workers)]
    found: list[int | None] = []
    for lane in range(LANES):
        first, width = members(lane, workers)
        assert first == len(found)
        assert workers // LANES <= width <= workers // LANES + 1
        found += [lane] * width
    assert lanes == found


@pytest.mark.parametrize(("ordinal", "workers"), [(0, 1), (3, 4), (-1, 64), (64, 64), (70, 64)])
def test_few_workers_and_those_that_are_one_too_many_wait_for_nobody(
    ordinal: int, workers: int
) -> None:
    assert lane_of(ordinal, workers) is None


def never() -> bool:
    return False


def hold(path: Path, place: int) -> int:
    """Take the lock in a process of its own, for the kernel's locks are the process's; its pid."""
    ready, say = os.pipe()
    pid = os.fork()
    if pid == 0:
        file = os.open(path, os.O_RDWR | os.O_CREAT)
        fcntl.lockf(file, fcntl.LOCK_EX, 1, place)
        os.write(say, b"x")
        time.sleep(60)
        os._exit(0)
    os.read(ready, 1)
    os.close(ready)
    os.close(say)
    return pid


def test_a_turn_is_waited_for_until_its_holder_dies(tmp_path: Path) -> None:
    mine = Turn(str(tmp_path), 1)
    pid = hold(tmp_path / "turns", LANES + 2)
    end = threading.Timer(0.2, lambda: os.kill(pid, 9))
    end.start()
    began = time.monotonic()
    with mine.taken(2, 64, never):
        waited = time.monotonic() - began
    os.waitpid(pid, 0)
    assert waited > 0.15


def test_other_lanes_and_other_queues_are_free_meanwhile(tmp_path: Path) -> None:
    pid = hold_first(tmp_path)
    try:
        for queue, lane in ((0, 1), (1, 0), (0, None)):
            with Turn(str(tmp_path), queue).taken(lane, 64, never):
                pass
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def test_nobody_waits_for_ever_for_one_that_is_frozen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "PATIENCE", 0.1)
    pid = hold_first(tmp_path)
    try:
        with Turn(str(tmp_path), 0).taken(0, 64, never):
            pass
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def hold_first(folder: Path) -> int:
    return hold(folder / "turns", 0)
