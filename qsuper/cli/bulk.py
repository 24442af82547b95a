"""Many jobs moved by one call of `qsuper retry` or `qsuper cancel`."""

import functools
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import click

from qsuper.cli.ending import ended
from qsuper.cli.printing import terminal_width
from qsuper.cli.progress import Progress
from qsuper.cli.settings import Settings, connected
from qsuper.cli.table import table
from qsuper.states import State
from qsuper.store import bulk, listing
from qsuper.store.bulk import Round, Tally
from qsuper.store.database import Database
from qsuper.store.selection import Selection
from qsuper.store.threads import Threads

ASK_ABOVE = 1000
"""More jobs than that are moved only when somebody has said yes."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How careful to be."""

    all_of_them: bool
    dry_run: bool
    yes: bool

    def check(self, whom: Collection[object], selection: Selection, state: str | None) -> None:
        """A usage error unless it is clear which jobs are meant."""
        chosen = selection != Selection() or self.all_of_them
        if whom and (chosen or state is not None):
            raise click.UsageError("name the jobs, or choose them by options: not both")
        if not whom and not chosen:
            raise click.UsageError(
                "which jobs? Give ids, or choose by --task, --queue, --since, --until or --error;"
                " --all takes all"
            )


def asking(command: Callable[..., Any]) -> Callable[..., Any]:
    """The verb takes --all, --dry-run and --yes, and gets them as `asked`."""

    @click.option("--all", "all_of_them", is_flag=True, help="All of them, however many.")
    @click.option("--dry-run", is_flag=True, help="Only say how many, and list the first.")
    @click.option("--yes", is_flag=True, help=f"Do not ask before moving more than {ASK_ABOVE:,}.")
    @functools.wraps(command)
    def collect(*args: Any, all_of_them: bool, dry_run: bool, yes: bool, **others: Any) -> Any:
        return command(*args, asked=Asked(all_of_them, dry_run, yes), **others)

    return collect


def retry_many(settings: Settings, selection: Selection, state: State, asked: Asked) -> int:
    """Retry what fits; the exit code."""
    database = settings.database()
    states = (state,)
    if asked.dry_run:
        tally = _run(database, Round(selection, states, None))
        _list(database, tally, f"{_jobs(tally.found - tally.twins, state.word)} would run again")
        return _tell_twins(tally)
    _ask(database, selection, states, asked, "run again")
    tally = _run(database, Round(selection, states, bulk.retry))
    click.echo(f"{_jobs(tally.moved, state.word)} will run again")
    return _tell_twins(tally)


def cancel_many(
    settings: Settings,
    selection: Selection,
    state: State | None,
    running: bool,
    wait: float | None,
    asked: Asked,
) -> int:
    """Cancel what fits and waits, in one state or in any; end what runs if `running`, else count
    it. The exit code."""
    database = settings.database()
    waiting = bulk.WAITING if state is None else (state,)
    at_work = (State.RUNNING,) if state is None else ()
    touched = waiting + at_work if running else waiting
    if asked.dry_run:
        tally = _run(database, Round(selection, touched, None))
        _list(database, tally, f"{_jobs(tally.found)} would be cancelled")
    else:
        _ask(database, selection, touched, asked, "be cancelled")
        tally = _run(database, Round(selection, touched, bulk.cancel))
        click.echo(f"{_jobs(tally.moved)} cancelled")
    if not running:
        left = _run(database, Round(selection, at_work, None)).found
        if left:
            click.echo(f"{_jobs(left, 'running')} left alone: --running ends them", err=True)
        return 1 if left else 0
    if asked.dry_run:
        return 0
    click.echo(f"{_jobs(len(tally.marked), 'running')} being ended")
    if wait is None or not tally.marked:
        return 0
    with connected(database) as connection:
        return ended(connection, tally.marked, wait)


def _ask(
    database: Database, selection: Selection, states: tuple[State, ...], asked: Asked, what: str
) -> None:
    """Go on only if there are few, or somebody says yes."""
    if asked.yes:
        return
    found = _run(database, Round(selection, states, None), most=ASK_ABOVE).found
    if found <= ASK_ABOVE:
        return
    if not _somebody_is_there():
        raise click.UsageError(
            f"more than {ASK_ABOVE:,} jobs would {what}: say --yes, or look with --dry-run first"
        )
    if not click.confirm(f"More than {ASK_ABOVE:,} jobs would {what}. Go on?", err=True):
        raise click.ClickException("nothing was moved")


def _somebody_is_there() -> bool:
    return sys.stdin.isatty()


def _run(database: Database, round: Round, most: int | None = None) -> Tally:
    """To the end, or until more than `most` were found; shows how far it is when it takes long."""
    threads = Threads(database)
    try:
        with Progress("moving" if round.moves else "looking", "jobs") as progress:
            for tally in bulk.pages(threads, round):
                if most is not None and tally.found > most:
                    break
                progress.at(tally.found)
    finally:
        threads.close()
    return round.tally


def _list(database: Database, tally: Tally, words: str) -> None:
    click.echo(words)
    for line in table(listing.some(database, tally.first), width=terminal_width()):
        click.echo(line)
    if tally.found > len(tally.first):
        click.echo(f"and {tally.found - len(tally.first):,} more")


def _tell_twins(tally: Tally) -> int:
    for job_id, twin in tally.first_twins:
        click.echo(f"job {job_id} has a live twin of the same name, job {twin}: skipped", err=True)
    if tally.twins > len(tally.first_twins):
        click.echo(f"and {tally.twins - len(tally.first_twins):,} more like that", err=True)
    return 1 if tally.twins else 0


def _jobs(count: int, word: str = "") -> str:
    noun = f"{word} job" if word else "job"
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
