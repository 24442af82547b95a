"""What is done to one job."""

from qsuper.errors import QsuperError
from qsuper.roles.web.actions.action import Done
from qsuper.roles.web.fields import Fields
from qsuper.roles.web.site import Site
from qsuper.states import FINISHED, State
from qsuper.store import cancelling
from qsuper.store.hurrying import hurry


class TooLate(QsuperError):
    """The job is in a state in which this cannot be done."""


def retry(site: Site, fields: Fields) -> Done:
    """Give a finished one a fresh set of attempts."""
    job_id = fields.id()
    with site.connection() as connection:
        state = cancelling.revive(connection, job_id)
    if state not in FINISHED:
        raise TooLate(f"job {job_id} is {state.word}: only finished jobs can be retried")
    return Done(f"job {job_id} was {state.word} and will run again", {"id": job_id})


def cancel(site: Site, fields: Fields) -> Done:
    """Take a waiting one back; with `running` end one that runs."""
    job_id, running = fields.id(), fields.flag("running")
    with site.connection() as connection:
        state = cancelling.cancel(connection, job_id, running=running)
    if state is State.CANCELLED:
        return Done(f"job {job_id} is cancelled", {"id": job_id, "state": state.word})
    if state is State.RUNNING and running:
        return Done(f"job {job_id} is being ended", {"id": job_id, "state": state.word})
    why = "it runs already; say so if it is to be ended" if state is State.RUNNING else "it ended"
    raise TooLate(f"job {job_id} is {state.word}: {why}")


def run_now(site: Site, fields: Fields) -> Done:
    """Let one that waits for its time run now."""
    job_id = fields.id()
    with site.connection() as connection:
        state, held_by = hurry(connection, job_id)
    if state is State.READY:
        text = f"job {job_id} is ready: the next worker that is free takes it in its turn"
        return Done(text, {"id": job_id})
    if state is State.HELD:
        raise TooLate(f"job {job_id} is held by its limit {held_by}: it runs once that has room")
    raise TooLate(f"job {job_id} is {state.word}: it does not wait for its time")
