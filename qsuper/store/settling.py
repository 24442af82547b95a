"""What becomes of the jobs of a worker that is no more."""

from collections.abc import Callable
from dataclasses import dataclass

from qsuper.job import Job
from qsuper.store.acking import Report, bury, cancelled, retry
from qsuper.store.backend import Statement
from qsuper.store.database import Connection
from qsuper.store.releasing import release, release_ownerless

_HELD = Statement(
    """
    SELECT id, task, attempt, max_attempts, claims, cancel FROM queue
    WHERE queue = :queue AND status = 2 AND worker = :worker
    """
)
_RUNNING_OF_BOOT = Statement(
    """
    SELECT id, task, attempt, max_attempts, claims, solo, worker, cancel FROM queue
    WHERE queue = :queue AND status = 2 AND worker LIKE :pattern
    """
)

_RUNNING_FOR_LONG = Statement(
    """
    SELECT id, task, attempt, max_attempts, claims, worker FROM queue
    WHERE queue = :queue AND status = 2 AND mtime < {ago:older}
    """
)


@dataclass(frozen=True, slots=True)
class Death:
    """What is known of a dead worker."""

    worker: str
    queue: str
    cause: str
    """A sentence: how it died."""
    in_flight: int | None
    """The job whose code ran."""
    begun: frozenset[int]
    """Jobs whose code had begun, the one in flight included."""
    limits: dict[int, int]
    """max_attempts as the worker knew them, by job."""
    innocent: bool = False
    """It was told to stop: no attempt is burnt."""
    output: str | None = None
    """The end of what the job in flight has printed."""
    task: str = ""
    """Of the job in flight, as far as the scoreboard has room for it."""


@dataclass(slots=True)
class Settlement:
    """What was done about it."""

    released: int = 0
    failed: int = 0
    buried: int = 0
    cancelled: int = 0

    def __iadd__(self, other: "Settlement") -> "Settlement":
        self.released += other.released
        self.failed += other.failed
        self.buried += other.buried
        self.cancelled += other.cancelled
        return self


def settle(
    connection: Connection, death: Death, *, node: str, max_attempts: int, wait: float
) -> Settlement:
    """Every job that the dead worker held goes where it belongs. May be done twice, or by two.

    The job in flight keeps its attempt and gets the cause as its error; what ran but was not
    acked keeps its attempt; what had not begun goes back un-counted. What was to be cancelled is.
    """
    done = Settlement()
    begun: list[tuple[Job, int | None]] = []
    unwanted: set[int] = set()
    unbegun: list[Job] = []
    for job_id, task, attempt, own_most, claims, marked in connection.rows(
        _HELD, queue=death.queue, worker=death.worker
    ):
        job = Job(job_id, task, None, attempt, own_most, None, claims)
        if job_id in death.begun and not death.innocent:
            begun.append((job, own_most or death.limits.get(job_id)))
            unwanted |= {job_id} if marked else set()
        else:
            unbegun.append(job)
    # One statement frees the innocent; each of the others takes a transaction of its own.
    if unbegun:
        done.released = release(connection, death.worker, unbegun)
    for job, most in sorted(begun, key=lambda pair: pair[0].id != death.in_flight):
        if job.id == death.in_flight:
            report = Report(node, f"{death.cause} while this job ran", output=death.output)
        else:
            error = f"finished, outcome not recorded: {death.cause} before the ack was written"
            report = Report(node, error)
        if job.id in unwanted:
            done.cancelled += cancelled(connection, death.worker, job, report)
        elif job.attempt >= (most or max_attempts):
            done.buried += bury(connection, death.worker, job, report)
        else:
            # The first retry after a death is immediate: most deaths are not the job's fault.
            pause = 0.0 if job.attempt == 1 else wait
            done.failed += retry(connection, death.worker, job, report, wait=pause)
    return done


def sweep(
    connection: Connection, queue: str, boot: str, living: Callable[[], frozenset[str]]
) -> int:
    """Free running rows of this boot whose worker is settled and gone.

    A claim that was under way when its worker was killed may commit after the settlement.
    Nothing of such a claim can have begun. `living` is asked after the rows are read: a worker is
    known before it claims, and must not be taken for a dead one.
    """
    lost: dict[str, list[Job]] = {}
    pattern = f"{boot}-%"
    rows = connection.rows(_RUNNING_OF_BOOT, queue=queue, pattern=pattern)
    known = living() if rows else frozenset[str]()
    for row in rows:
        if row[6] not in known:
            job = Job(row[0], row[1], None, row[2], row[3], None, row[4])
            lost.setdefault(row[6], []).append(job)
    return sum(release(connection, worker, jobs) for worker, jobs in lost.items())


def free_unknown_boots(
    connection: Connection, queue: str, known: frozenset[str], older: float
) -> int:
    """Free running rows whose worker is of no boot that is known, `older` seconds after their
    claim: one that committed after its node was settled, rescued or had left.

    They go back un-counted, to be claimed alone next time.
    """
    freed = 0
    for row in connection.rows(_RUNNING_FOR_LONG, queue=queue, older=older):
        worker = row[5]
        if worker is None:
            freed += release_ownerless(connection, [row[0]])
        elif worker.partition("-")[0] not in known:
            job = Job(row[0], row[1], None, row[2], row[3], None, row[4])
            freed += release(connection, worker, [job], solo=2)
    return freed


def rescue(
    connection: Connection, queue: str, boot: str, *, why: str, node: str, max_attempts: int
) -> Settlement:
    """Free what a lost node held, where no scoreboard tells what had begun.

    A row claimed alone keeps its attempt: its code may well be what brought the node down. Rows
    of a batch go back un-counted, to be claimed alone next time.
    """
    done = Settlement()
    for job_id, task, attempt, own_most, claims, solo, worker, marked in connection.rows(
        _RUNNING_OF_BOOT, queue=queue, pattern=f"{boot}-%"
    ):
        job = Job(job_id, task, None, attempt, own_most, None, claims)
        if not solo:
            done.released += release(connection, worker, [job], solo=2)
        elif marked:
            done.cancelled += cancelled(connection, worker, job, Report(node, why))
        elif attempt >= (own_most or max_attempts):
            done.buried += bury(connection, worker, job, Report(node, why))
        else:
            done.failed += retry(connection, worker, job, Report(node, why), wait=0.0)
    return done
