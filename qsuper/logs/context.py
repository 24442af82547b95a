"""Which job this process runs, so that each line it logs meanwhile says so."""

from typing import NamedTuple


class JobContext(NamedTuple):
    """The fields a line that concerns a job carries."""

    job_id: int
    attempt: int
    worker: str
    task: str


# A slot, not a context variable: a worker runs one job at a time, and what threads of the job's
# own log belongs to it too. Setting it is paid for by every job.
_slot: list[tuple[int, int, str, str] | None] = [None]


def job_context(job_id: int, attempt: int, worker: str, task: str) -> None:
    """From now on every line of this process concerns this job, until `clear_job`."""
    _slot[0] = (job_id, attempt, worker, task)


def clear_job() -> None:
    """No job runs in this process now."""
    _slot[0] = None


def current_job() -> JobContext | None:
    """The job this process runs, if any."""
    job = _slot[0]
    return None if job is None else JobContext._make(job)


def about_job(job_id: int, attempt: int, worker: str, task: str) -> dict[str, JobContext]:
    """For a line about a job that runs elsewhere: `logger.warning(…, extra=about_job(…))`."""
    return {"job": JobContext(job_id, attempt, worker, task)}
