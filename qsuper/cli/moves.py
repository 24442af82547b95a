"""`qsuper retry` and `qsuper cancel`."""

from collections.abc import Callable, Iterable

import click

from qsuper.cli.parameters import an_id
from qsuper.cli.printing import printable
from qsuper.cli.settings import Settings, connected, pass_settings
from qsuper.errors import LiveTwin, NoSuchJob
from qsuper.states import FINISHED, State
from qsuper.store import cancelling, timers


@click.command()
@click.argument("job_ids", metavar="ID…", type=an_id, nargs=-1, required=True)
@pass_settings
def retry(settings: Settings, job_ids: tuple[int, ...]) -> int:
    """Give finished jobs (dead, done or cancelled) a fresh set of attempts, from now on.

    Exit code 1 when one of them could not be.
    """
    with connected(settings.database()) as connection:
        return _each(job_ids, lambda job_id: _retried(cancelling.revive(connection, job_id)))


@click.command()
@click.argument("job_ids", metavar="ID…", type=an_id, nargs=-1)
@click.option("--name", help="Cancel the live job of this name instead.")
@pass_settings
def cancel(settings: Settings, job_ids: tuple[int, ...], name: str | None) -> int:
    """Take waiting jobs and timers back; one that runs already is let run.

    Exit code 1 when one of them could not be.
    """
    if bool(job_ids) == (name is not None):
        raise click.UsageError("give ids, or --name")
    with connected(settings.database()) as connection:
        if name is not None:
            with connection.transaction():
                state = timers.cancel(connection, name)
            if state is None:
                raise NoSuchJob(f"no live job is named {name!r}")
            return _say(printable(name), *_cancelled(state))
        return _each(job_ids, lambda job_id: _cancelled(cancelling.cancel(connection, job_id)))


def _retried(state: State) -> tuple[bool, str]:
    if state in FINISHED:
        return True, f"was {state.word} and will run again"
    return False, f"is {state.word}: only finished jobs can be retried"


def _cancelled(state: State) -> tuple[bool, str]:
    if state is State.CANCELLED:
        return True, "is cancelled"
    too_late = "it runs already" if state is State.RUNNING else "it has ended"
    return False, f"is {state.word}: {too_late}"


def _each(job_ids: Iterable[int], move: Callable[[int], tuple[bool, str]]) -> int:
    """Move one after the other, a line each; the exit code."""
    code = 0
    for job_id in job_ids:
        try:
            moved, words = move(job_id)
        except NoSuchJob:
            moved, words = False, "is not there"
        except LiveTwin as error:
            moved, words = False, f"cannot be retried: {error}"
        code |= _say(f"job {job_id}", moved, words)
    return code


def _say(what: str, moved: bool, words: str) -> int:
    """Tell of one job; the exit code."""
    click.echo(f"{what} {words}", err=not moved)
    return 0 if moved else 1
