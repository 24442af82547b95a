"""The expiry of a Redis key, without a Redis."""

from qsuper.client import JobHandle, Queue
from qsuper.errors import QsuperError
from qsuper.store.enqueueing import insert
from qsuper.tasks.expiry import OBSERVED, Expiry, job_for, watches_of
from qsuper.tasks.watch import Watch
from qsuper.testing.tables import check_it_is_a_tests


def expire(
    queue: Queue,
    key: str | bytes,
    value: str | bytes | None = None,
    *,
    db: int | None = None,
    how: str = OBSERVED,
) -> list[JobHandle]:
    """Have a key expire: the jobs that the listener makes of that, one for each task that watches
    it. Raises `QsuperError` when none does.

    `db` is the number of the key's database; without it all watches look. `how="presumed"` is what
    a job is told when the key was found gone after a time in which nobody listened.
    """
    check_it_is_a_tests(queue)
    raw = _raw(key)
    watches = watches_of(queue.config, queue.registry)
    matching = [one for one in watches if one.matches(raw) and _looks_at(one, db)]
    if not matching:
        patterns = ", ".join(repr(one.pattern) for one in watches) or "none at all"
        raise QsuperError(f"no watch matches the key {key!r}: there are {patterns}")
    content = None if value is None else _raw(value)
    kind = "unknown" if value is None else "string"
    # One job for each task, by the first of its watches.
    by_task = {watch.task: watch for watch in reversed(matching)}
    new = []
    for watch in reversed(by_task.values()):
        number = next((one for one in (db, watch.db) if one is not None), 0)
        gone = Expiry(number, raw, content, kind, None, how)
        new.append(job_for(gone, watch, queue.registry, queue.config))
    ids = queue.within(lambda own: [insert(own, job) for job in new])
    for job in new:
        queue._waker.wake(job.queue)
    return [JobHandle(queue, job_id) for job_id in ids]


def _looks_at(watch: Watch, db: int | None) -> bool:
    return db is None or watch.db is None or watch.db == db


def _raw(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text
