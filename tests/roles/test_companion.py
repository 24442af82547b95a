"""The worker's thread takes strays only, and overlooks no batch."""

from contextlib import suppress

from qsuper.job import Job
from qsuper.roles.acks import Acks
from qsuper.roles.batch import Batch
from qsuper.roles.companion import Companion
from qsuper.scoreboard import Record, clock
from qsuper.states import State
from qsuper.store.database import Database
from tests.roles.bench import NODE, Bench
from tests.wait import wait_for


class Scene:
    """A worker with two claimed jobs, the first of them in its code, and a stray."""

    def __init__(self, bench: Bench) -> None:
        self.table = bench.table
        place = bench.place()
        self.record: Record = place.record
        self.own, self.following = bench.add_running(self.record.worker, 2)
        (self.stray,) = bench.add_running(self.record.worker)
        held = self.table.read("SELECT id FROM queue WHERE worker = :w", w=self.record.worker)
        assert len(held) == 3
        self.batch = Batch(self.record)
        acks = Acks(self.record, NODE)
        self.companion = Companion(place, Database(bench.table.url), self.batch, acks)
        self.companion.active = True
        self.begin([self.own, self.following])

    def begin(self, ids: list[int]) -> None:
        """Hold a batch and begin its first job."""
        rows = self.table.read(
            "SELECT id, claims FROM queue WHERE id IN {ids} ORDER BY id", ids=ids
        )
        jobs = [Job(row[0], "send_msg", None, 1, None, None, row[1]) for row in rows]
        self.batch.hold(jobs, [5] * len(jobs))
        assert self.batch.next() is not None
        self.began = clock()
        self.record.begin(0, self.began)

    def states(self) -> list[State]:
        return [self.table.state(one) for one in (self.own, self.following, self.stray)]


RUNNING, READY = State.RUNNING, State.READY


def test_a_stray_is_freed_and_what_the_worker_holds_is_not(bench: Bench) -> None:
    scene = Scene(bench)
    scene.companion._free_strays(scene.began)
    assert scene.states() == [RUNNING, RUNNING, READY]


def test_a_job_that_the_worker_is_about_to_begin_is_not_taken_for_a_stray(bench: Bench) -> None:
    """Between the batch and the scoreboard it stands nowhere."""
    scene = Scene(bench)
    scene.record.finish(0)
    following = scene.batch.next()
    assert following is not None
    assert following.id == scene.following
    scene.companion._free_strays(scene.began)
    assert scene.states() == [RUNNING, RUNNING, RUNNING]


def test_a_look_meant_for_an_earlier_job_frees_nothing(bench: Bench) -> None:
    scene = Scene(bench)
    scene.record.finish(0)
    assert scene.batch.next() is not None
    scene.record.begin(1, scene.began + 1)
    scene.companion._free_strays(scene.began)
    assert scene.states() == [RUNNING, RUNNING, RUNNING]


def test_after_the_batch_nothing_is_freed(bench: Bench) -> None:
    """The worker may claim again; its own look for strays comes first."""
    scene = Scene(bench)
    scene.companion.active = False
    scene.companion._free_strays(scene.began)
    assert scene.states() == [RUNNING, RUNNING, RUNNING]


class Hurried(Companion):
    """A companion whose worker begins a second batch just before it has parked."""

    batches = 0

    def run(self) -> None:
        with suppress(SystemExit):
            super().run()

    def _accompany(self) -> None:
        self.batches += 1
        if self.batches == 2:
            raise SystemExit
        # It has seen the end of the first batch; the second begins before the thread parks.
        self.active = False
        self.watch()


def test_a_batch_that_begins_before_the_companion_has_parked_is_accompanied(
    sqlite_bench: Bench,
) -> None:
    place = sqlite_bench.place()
    acks = Acks(place.record, NODE)
    database = Database(sqlite_bench.table.url)
    companion = Hurried(place, database, Batch(place.record), acks)
    companion.start()
    companion.watch()
    wait_for(lambda: companion.batches == 2, message="the second batch is accompanied")
    companion.join()
