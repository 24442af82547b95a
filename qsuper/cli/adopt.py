"""`qsuper db adopt`: take over the table of a PHP loop."""

import sys
from typing import TYPE_CHECKING

import click

from qsuper.cli import adopt_words
from qsuper.cli.progress import Progress
from qsuper.cli.settings import Settings, connected, naming, pass_settings
from qsuper.tasks.codecs import CODECS

if TYPE_CHECKING:
    from qsuper.store.adopting import Adoption
    from qsuper.store.database import Database

PATIENCE = 86_400.0
"""Seconds for one statement: counting the rows of a large table takes its time."""

SMALLER, LARGER = "smaller-first", "larger-first"


@click.command()
@click.option("--codec", type=click.Choice(tuple(CODECS)), help="How the params are written.")
@click.option(
    "--priority",
    type=click.Choice((SMALLER, LARGER)),
    help="Which priority the old reader takes first; qsuper takes the smaller.",
)
@click.option(
    "--reader-stopped", is_flag=True, help="The programs that run the old table's rows are stopped."
)
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--dry-run", is_flag=True, help="Show the plan and change nothing.")
@pass_settings
def adopt(
    settings: Settings,
    codec: str | None,
    priority: str | None,
    reader_stopped: bool,
    yes: bool,
    dry_run: bool,
) -> int:
    """Take over the table `queue` of a PHP loop, with all its rows.

    The programs that INSERT into it go on as they are. Cut off anywhere, run it again. The old
    table is kept as a backup.
    """
    database = _patient(settings)
    with naming(database), connected(database) as connection:
        from qsuper.store.adopting import Adoption

        adoption = Adoption.find(connection)
    if adoption is None:
        click.echo("the tables are qsuper's already: nothing to adopt")
        return 0
    undecided = adoption.old.has_priority and not adoption.switched and priority is None
    if not dry_run and not sys.stdin.isatty():
        _refuse_to_guess(
            {
                "--codec": codec is None,
                "--priority": undecided,
                "--reader-stopped": not reader_stopped,
                "--yes": not yes,
            }
        )
    _say(adopt_words.found(adoption, settings.config().job.keep_days.done))
    if not dry_run:
        codec = codec or _ask_codec(adoption)
        priority = _ask_priority() if undecided else priority
    larger_first = priority == LARGER
    _say(adopt_words.plan(adoption, larger_first=larger_first))
    if dry_run:
        return 0
    if not (reader_stopped or click.confirm("Are all programs that run its rows stopped?")):
        click.echo("stop them first, or jobs run twice; nothing was changed", err=True)
        return 1
    if not (yes or click.confirm("Do it?")):
        click.echo("nothing was changed", err=True)
        return 1
    _run(database, adoption, larger_first=larger_first)
    _say(adopt_words.ended(adoption, str(codec)))
    return 0


def _ask_codec(adoption: "Adoption") -> str:
    answer: str = click.prompt(
        "How are the params written?",
        type=click.Choice(tuple(CODECS)),
        default=adopt_words.guess(adoption.old.sample),
    )
    return answer


def _ask_priority() -> str:
    answer: str = click.prompt(
        "Which priority does the old reader take first?", type=click.Choice((SMALLER, LARGER))
    )
    return answer


def _patient(settings: Settings) -> "Database":
    from qsuper.store.database import Database

    store = settings.config().store
    return Database(store.url, connect_timeout=store.connect_timeout, read_timeout=PATIENCE)


def _refuse_to_guess(unanswered: dict[str, bool]) -> None:
    if options := [option for option, missing in unanswered.items() if missing]:
        raise click.UsageError(
            f"there is no terminal to ask on: give {', '.join(options)} (or --dry-run)"
        )


def _run(database: "Database", adoption: "Adoption", *, larger_first: bool) -> None:
    with naming(database), Progress("adopting", "rows", adoption.old.rows) as progress:
        copied = adoption.run(database, larger_first=larger_first, tell=progress.at)
    click.echo(f"{copied:,} rows adopted")


def _say(lines: list[str]) -> None:
    for line in lines:
        click.echo(line)
