"""What became of a job that was run in a test."""

from dataclasses import dataclass, field

from qsuper.errors import UnknownTask
from qsuper.job import Buried, Discarded, Failed, Job, Outcome, PutOff
from qsuper.states import State
from qsuper.tasks.run import JobFailed
from qsuper.tasks.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Ran:
    """A job that was run, or was not worth it."""

    id: int
    task: str
    state: State
    """What it is now."""
    error: str | None = None
    """Why an attempt failed, or the job was discarded or put off."""
    cause: BaseException | None = field(default=None, compare=False, repr=False)
    """What its code has raised."""

    @property
    def went_wrong(self) -> bool:
        """Whether its code failed, or there was none; what it decided by itself (`Retry`, `Snooze`,
        `Discard`) is no failure."""
        return self.cause is not None and not isinstance(self.cause, Verdict)


def ran(job: Job, outcome: Outcome, state: State) -> Ran:
    """The job's outcome, and the state to which that brought its row."""
    match outcome:
        case Failed(error, cause=cause) | Buried(error, cause=cause):
            return Ran(job.id, job.task, state, error, cause or JobFailed(error))
        case PutOff(why):
            return Ran(job.id, job.task, state, why, UnknownTask(why))
        case Discarded(reason):
            return Ran(job.id, job.task, state, reason)
    return Ran(job.id, job.task, state)
