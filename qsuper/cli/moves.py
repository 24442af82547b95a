"""`qsuper retry`, `qsuper cancel` and `qsuper run-now`."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import click

from qsuper.cli.bulk import Asked, asking, cancel_many, retry_many
from qsuper.cli.choosing import selecting
from qsuper.cli.ending import ended, patience
from qsuper.cli.parameters import an_id, some_text
from qsuper.cli.printing import printable
from qsuper.cli.settings import Settings, connected, pass_settings
from qsuper.errors import LiveTwin, NoSuchJob
from qsuper.states import FINISHED, State
from qsuper.store import bulk, cancelling, timers
from qsuper.store.database import Connection
from qsuper.store.hurrying import hurry
from qsuper.store.selection import Selection

Who = int | str
"""A job's id, or the name of a live one."""
_Who = TypeVar("_Who", bound=int | str)
Answer = tuple[bool, str]
"""Whether a job could be moved, and what there is to say of it."""


@click.command()
@click.argument("job_ids", metavar="[ID…]", type=an_id, nargs=-1)
@click.option(
    "--state",
    type=click.Choice([state.word for state in FINISHED]),
    help="Choose among those in this state.  [default: dead]",
)
@selecting
@asking
@pass_settings
def retry(
    settings: Settings,
    job_ids: tuple[int, ...],
    state: str | None,
    selection: Selection,
    asked: Asked,
) -> int:
    """Give finished jobs (dead, done or cancelled) a fresh set of attempts, from now on.

    Which ones is said by their ids, or by the options below, for as many as there are.
    Exit code 1 when one of them could not be: a live job may have its name.
    """
    asked.check(job_ids, selection, state)
    if not job_ids:
        wanted = State.DEAD if state is None else State[state.upper()]
        return retry_many(settings, selection, wanted, asked)
    with connected(settings.database()) as connection:
        if asked.dry_run:
            return _each(job_ids, lambda job_id: _would_be_retried(connection, job_id))
        return _each(job_ids, lambda job_id: _retried(cancelling.revive(connection, job_id)))


@click.command()
@click.argument("job_ids", metavar="[ID…]", type=an_id, nargs=-1)
@click.option("--name", type=some_text, metavar="NAME", help="Cancel the live job of this name.")
@click.option(
    "--state",
    type=click.Choice([state.word for state in bulk.WAITING]),
    help="Choose among those in this state only.",
)
@selecting
@click.option("--running", is_flag=True, help="End those that run, too.")
@click.option(
    "--wait",
    type=patience,
    is_flag=False,
    flag_value="3650d",
    metavar="[TIME]",
    help="Wait until those that --running ends have ended, so long (30s, 5m) at most.",
)
@asking
@pass_settings
def cancel(
    settings: Settings,
    job_ids: tuple[int, ...],
    name: str | None,
    state: str | None,
    selection: Selection,
    running: bool,
    wait: float | None,
    asked: Asked,
) -> int:
    """Take waiting jobs and timers back; with --running, end those that run as well.

    Which ones is said by their ids, by a name, or by the options below, for as many as there are.
    Exit code 1 when one of them could not be: without --running one that runs is let run.
    """
    if wait is not None and not running:
        raise click.UsageError("--wait waits for what --running ends: give both")
    if running and state is not None:
        raise click.UsageError("--running and --state exclude each other")
    if name is not None and job_ids:
        raise click.UsageError("give ids, or --name")
    whom: tuple[Who, ...] = job_ids if name is None else (name,)
    asked.check(whom, selection, state)
    if not whom:
        wanted = None if state is None else State[state.upper()]
        return cancel_many(settings, selection, wanted, running, wait, asked)
    marked: list[int] = []
    with connected(settings.database()) as connection:
        if asked.dry_run:
            return _each(whom, lambda who: _would_be_cancelled(connection, who, running))
        code = _each(whom, lambda who: _cancel(connection, who, marked if running else None))
        return code if wait is None else code | ended(connection, marked, wait)


@click.command("run-now")
@click.argument("job_ids", metavar="ID…", type=an_id, nargs=-1, required=True)
@pass_settings
def run_now(settings: Settings, job_ids: tuple[int, ...]) -> int:
    """Run jobs that wait for their time now: timers, delayed jobs, those in backoff.

    Exit code 1 when one of them could not be.
    """
    with connected(settings.database()) as connection:
        return _each(job_ids, lambda job_id: _hurried(connection, job_id))


def _retried(state: State) -> Answer:
    if state in FINISHED:
        return True, f"was {state.word} and will run again"
    return False, _not_finished(state)


def _would_be_retried(connection: Connection, who: Who) -> Answer:
    job_id, state = _found(connection, who)
    if state not in FINISHED:
        return False, _not_finished(state)
    if twin := cancelling.twin_of(connection, job_id):
        raise LiveTwin(f"job {job_id} has a live twin of the same name, job {twin}")
    return True, f"is {state.word} and would run again"


def _not_finished(state: State) -> str:
    return f"is {state.word}: only finished jobs can be retried"


def _cancel(connection: Connection, who: Who, marked: list[int] | None) -> Answer:
    """Take one back; one that runs is ended if there is a list in which to note its id."""
    running = marked is not None
    if isinstance(who, int):
        state = cancelling.cancel(connection, who, running=running)
    else:
        with connection.transaction():
            named = timers.cancel(connection, who, running=running)
        if named is None:
            raise NoSuchJob(f"no live job is named {who!r}")
        state = named
    if state is State.CANCELLED:
        return True, "is cancelled"
    if state is State.RUNNING and marked is not None:
        # It keeps its name until it has ended: who has none any more has ended already.
        job_id = who if isinstance(who, int) else timers.live_id(connection, who)
        marked += [] if job_id is None else [job_id]
        return True, "is being ended"
    return False, _too_late(state)


def _would_be_cancelled(connection: Connection, who: Who, running: bool) -> Answer:
    _, state = _found(connection, who)
    if state is State.RUNNING and running:
        return True, "is running and would be ended"
    if state in bulk.WAITING:
        return True, f"is {state.word} and would be cancelled"
    return False, _too_late(state)


def _too_late(state: State) -> str:
    why = "--running ends it" if state is State.RUNNING else "it has ended"
    return f"is {state.word}: {why}"


def _hurried(connection: Connection, job_id: int) -> Answer:
    state, held_by = hurry(connection, job_id)
    if state is State.READY:
        return True, "is ready: the next worker that is free takes it in its turn"
    if state is State.HELD:
        return False, f"is held by its limit {printable(held_by)}: it runs once that has room"
    if state is State.RUNNING:
        return False, "is running"
    return False, f"is {state.word}: `qsuper retry {job_id}` runs it again"


def _found(connection: Connection, who: Who) -> tuple[int, State]:
    """Its id and state; raises `NoSuchJob`."""
    job_id = who if isinstance(who, int) else timers.live_id(connection, who)
    state = None if job_id is None else cancelling.state_of(connection, job_id)
    if job_id is None or state is None:
        raise NoSuchJob(f"no live job is named {who!r}")
    return job_id, state


def _each(whom: Iterable[_Who], move: Callable[[_Who], Answer]) -> int:
    """Move one after the other, a line each; the exit code."""
    code = 0
    for who in whom:
        try:
            moved, words = move(who)
        except NoSuchJob:
            if isinstance(who, str):
                raise
            moved, words = False, "is not there"
        except LiveTwin as error:
            moved, words = False, f"cannot be retried: {error}"
        what = f"job {who}" if isinstance(who, int) else printable(who)
        click.echo(f"{what} {words}", err=not moved)
        code |= not moved
    return code
