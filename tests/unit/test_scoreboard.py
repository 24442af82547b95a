import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from qsuper.errors import ScoreboardError
from qsuper.scoreboard import BATCH_MOST, PHASES, SIZE, SLOTS, Record, Scoreboard, clock
from qsuper.scoreboard.board import MAGIC

IDS = [11, 22, 2**62]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "scoreboard"


@pytest.fixture
def board(path: Path) -> Scoreboard:
    return Scoreboard.create(path)


@pytest.fixture
def record(board: Scoreboard) -> Record:
    record = board.take()
    record.hold(IDS, [3, 0, 70_000])
    return record


@pytest.mark.parametrize(
    ("cursor", "in_flight", "begun"),
    [
        (0, None, []),
        (1, 11, [11]),
        (2, None, [11]),
        (3, 22, [11, 22]),
        (4, None, [11, 22]),
        (5, 2**62, IDS),
        (6, None, IDS),
        (7, None, IDS),
    ],
)
def test_the_cursor_tells_which_job_is_in_flight_and_which_have_begun(
    record: Record, cursor: int, in_flight: int | None, begun: list[int]
) -> None:
    record.cursor = cursor
    assert record.in_flight == in_flight
    assert record.begun == frozenset(begun)


def test_beginning_and_finishing_walk_the_cursor_through_the_batch(record: Record) -> None:
    for position, job_id in enumerate(IDS):
        record.begin(position, 5.5 + position)
        assert (record.in_flight, record.began) == (job_id, 5.5 + position)
        record.finish(position)
        assert record.in_flight is None
        assert record.begun == frozenset(IDS[: position + 1])


def test_a_new_batch_has_begun_nothing(record: Record) -> None:
    record.begin(2, 1.0)
    record.hold([7])
    assert (record.ids, record.in_flight, record.begun) == ([7], None, frozenset())
    record.hold([])
    assert (record.ids, record.limits) == ([], {})


def test_a_child_killed_while_it_notes_a_batch_has_begun_nothing_of_it(record: Record) -> None:
    """The cursor goes back before the first id is written, the count comes last."""
    record.begin(2, 1.0)
    seen: list[frozenset[int]] = []

    class Ids(list[int]):
        def __iter__(self) -> Iterator[int]:
            seen.append(record.begun)
            raise SystemExit

    with pytest.raises(SystemExit):
        record.hold(Ids([1, 2]))
    assert seen == [frozenset()]
    assert record.begun == frozenset()


def test_the_limits_of_a_batch_are_kept_by_job(record: Record) -> None:
    assert record.limits == {11: 3, 22: 0, 2**62: 65_535}
    record.hold([1, 2])
    assert record.limits == {1: 0, 2: 0}


def test_the_largest_batch_stays_within_its_record(board: Scoreboard) -> None:
    first, second = board.take(), board.take()
    second.pid = 77
    ids = list(range(1, BATCH_MOST + 1))
    first.hold(ids, [9] * BATCH_MOST)
    assert first.ids == ids
    assert set(first.limits.values()) == {9}
    assert (second.pid, second.used, second.ids) == (77, 1, [])


def test_what_one_process_writes_another_reads(board: Scoreboard, path: Path) -> None:
    record = board.take()
    pid = os.fork()
    if pid == 0:
        record.hold(IDS)
        record.begin(1, clock())
        record.describe(phase="busy", task="send_msg")
        os._exit(0)
    os.waitpid(pid, 0)
    (seen,) = Scoreboard.open(path).records()
    assert (seen.in_flight, PHASES[seen.phase], seen.task) == (22, "busy", "send_msg")
    assert 0 <= clock() - seen.began < 60


def test_a_record_stays_until_it_is_freed_and_comes_back_clean(board: Scoreboard) -> None:
    first, second = board.take(), board.take()
    assert [record.slot for record in board.records()] == [0, 1]
    first.pid, first.settled, first.worker = 9, 1, "boot-1"
    first.describe(phase="busy", task="t")
    first.hold(IDS)
    first.used = 0
    assert [record.slot for record in board.records()] == [second.slot]
    again = board.take()
    assert again.slot == first.slot
    assert (again.pid, again.settled, again.worker, again.task) == (0, 0, "", "")
    assert (again.queue, again.ids, again.phase, again.sequence) == (-1, [], 0, 0)


def test_a_full_board_says_what_it_waits_for(board: Scoreboard) -> None:
    for _ in range(SLOTS):
        board.take()
    with pytest.raises(ScoreboardError, match="dead child that waits to be settled"):
        board.take()
    board.record(500).used = 0
    assert board.take().slot == 500


def test_a_board_of_another_version_is_refused(board: Scoreboard, path: Path) -> None:
    whole = path.read_bytes()
    assert (whole[:8], len(whole)) == (MAGIC, SIZE)
    for other in (b"QSUPER99" + whole[8:], whole[:-1], whole + b"\0", b""):
        path.write_bytes(other)
        with pytest.raises(ScoreboardError, match="is not a scoreboard of this version"):
            Scoreboard.open(path)


def test_a_board_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ScoreboardError, match=r"cannot open .*: No such file"):
        Scoreboard.open(tmp_path / "none")


def test_a_new_board_leaves_the_old_one_to_those_who_have_it(board: Scoreboard, path: Path) -> None:
    board.take().pid = 5
    fresh = Scoreboard.create(path)
    assert list(fresh.records()) == []
    assert board.record(0).pid == 5
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert path.stat().st_mode & 0o777 == 0o600


def test_readers_cannot_write(board: Scoreboard, path: Path) -> None:
    with pytest.raises(TypeError):
        Scoreboard.open(path).header.master_pid = 1


@pytest.mark.parametrize("text", ["", "send_msg", "é" * 300, "🐘" * 100, "\udcff", "a" * 192])
def test_texts_are_cut_to_their_place_and_never_spill(board: Scoreboard, text: str) -> None:
    record = board.take()
    record.complain("trouble")
    record.describe(task=text)
    assert record.trouble == "trouble"
    assert record.task.rstrip("\ufffd") in text.encode("utf-8", "replace").decode()
    assert len(record.task.encode()) <= 194


def test_a_complaint_is_dated_once_and_can_be_taken_back(board: Scoreboard) -> None:
    record = board.take()
    record.complain("no database")
    since = record.trouble_since
    assert since > 0
    record.complain("no database")
    assert record.trouble_since == since
    record.complain("")
    assert (record.trouble, record.trouble_since) == ("", 0.0)


def test_a_snapshot_of_a_child_killed_while_it_wrote_shows_what_there_is(
    board: Scoreboard,
) -> None:
    record = board.take()
    record.pid = 8
    record.sequence = 7
    assert record.snapshot().pid == 8


def test_a_snapshot_tries_again_while_the_child_writes(
    board: Scoreboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that comes in the middle must not put an old phase beside a new task."""
    record = board.take()
    record.describe(phase="idle", task="old")
    looks = [0]

    class Overtaken(Record):
        @property
        def in_flight(self) -> int | None:
            looks[0] += 1
            if looks[0] == 1:
                record.describe(phase="busy", task="new")
            return None

    overtaken = Overtaken.__new__(Overtaken)
    for name in ("bytes", "floats", "ints", "start", "word", "_shorts", "slot"):
        setattr(overtaken, name, getattr(record, name))
    child = overtaken.snapshot()
    assert looks[0] == 2
    assert (PHASES[child.phase], child.task) == ("busy", "new")


def test_a_bulletin_is_replaced_whole_and_read_by_others(board: Scoreboard, path: Path) -> None:
    assert board.bulletin("keeper").read() is None
    board.bulletin("keeper").post({"depth": [1, 2]})
    board.bulletin("master").post("é" * 1000)
    board.bulletin("keeper").post({"depth": 3})
    reader = Scoreboard.open(path)
    assert reader.bulletin("keeper").read() == {"depth": 3}
    assert reader.bulletin("master").read() == "é" * 1000


def test_a_bulletin_that_is_being_written_is_not_read(board: Scoreboard) -> None:
    bulletin = board.bulletin("keeper")
    bulletin.post("old")
    bulletin.sequence |= 1
    assert bulletin.read() is None
    bulletin.post("new")
    assert bulletin.read() == "new", "whoever was killed while posting is no obstacle"


def test_a_bulletin_too_long_is_refused_and_the_old_one_stays(board: Scoreboard) -> None:
    bulletin = board.bulletin("keeper")
    bulletin.post("old")
    with pytest.raises(ScoreboardError, match="does not fit the scoreboard"):
        bulletin.post("x" * 300_000)
    assert bulletin.read() == "old"


def test_queues_are_listed_as_far_as_they_are_used(board: Scoreboard) -> None:
    for index, name in enumerate(("default", "mail")):
        board.queue(index).name = name
    board.header.queues = 2
    assert [queue.name for queue in board.queues()] == ["default", "mail"]
