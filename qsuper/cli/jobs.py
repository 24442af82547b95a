"""`qsuper jobs` and `qsuper show`."""

import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import click

from qsuper.cli.choosing import selecting
from qsuper.cli.parameters import an_id, some_text
from qsuper.cli.printing import columns, cut, printable, terminal_width, to_json
from qsuper.cli.searching import search
from qsuper.cli.settings import Settings, connected, pass_settings
from qsuper.cli.table import table
from qsuper.picture import span
from qsuper.states import State
from qsuper.store import listing
from qsuper.store.database import Database
from qsuper.store.kinds import Grouping, Kind
from qsuper.store.selection import Selection

_STATES = [state.word for state in State]
_KINDS_HEAD = (">COUNT", "TASK", "LAST", ">ID", "ERROR")
_TIMES = ("run_at", "started_at", "ended_at", "ctime", "mtime", "put_off_since")
_SPANS = ("timeout", "max_age")
_VALUE_MOST = 2000
"""Letters of one value that are printed; --json has the whole."""
_TASK_MOST = 30
_OUTPUT_LINES = 20
_RARE = ("max_age", "timeout", "held_by", "group_id", "put_off_since", "resume_state")
"""Columns that most jobs do not use: shown where they do."""


@click.command()
@click.option("--state", type=click.Choice(_STATES), help="Only those in this state.")
@click.option("--dead", "state", flag_value=State.DEAD.word, help="The same as --state dead.")
@selecting
@click.option("--name", type=some_text, metavar="NAME", help="Only those of this name.")
@click.option(
    "--text",
    type=some_text,
    metavar="TEXT",
    help="Only those with TEXT in their param or their last error; looks at so many at a time.",
)
@click.option(
    "--group",
    is_flag=True,
    help="Count them by task and error; the dead ones, unless --state says otherwise.",
)
@click.option("--before", type=an_id, metavar="ID", help="Only ids below this one: the next page.")
@click.option("-n", "most", type=click.IntRange(1, 10_000), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print all columns as JSON.")
@pass_settings
def jobs(
    settings: Settings,
    state: str | None,
    selection: Selection,
    name: str | None,
    text: str | None,
    group: bool,
    before: int | None,
    most: int,
    as_json: bool,
) -> None:
    """List jobs, the newest first; below a dead one, why it died."""
    wanted = replace(selection, state=None if state is None else State[state.upper()], name=name)
    if group:
        if before is not None:
            raise click.UsageError("--group counts them all: it has no next page")
        if text is not None:
            raise click.UsageError("--group counts by task and error: --error chooses by text")
        _show_kinds(settings.database(), wanted, most, as_json=as_json)
        return
    rest = None
    if text is None:
        page = listing.Filter(**asdict(wanted), before=before, most=most)
        found = listing.jobs(settings.database(), page)
        if len(found) == most:
            rest = f"more, if any: --before {found[-1]['id']}"
    else:
        finding = search(settings.database(), wanted, text, before=before, most=most)
        found = finding.jobs
        if finding.before is not None:
            rest = f"{finding.looked:,} jobs were looked at; go on with --before {finding.before}"
    if as_json:
        click.echo(to_json(found))
        return
    for line in table(found, width=terminal_width()):
        click.echo(line)
    if rest is not None:
        click.echo(rest)


def _show_kinds(database: Database, wanted: Selection, most: int, *, as_json: bool) -> None:
    grouping = Grouping(replace(wanted, state=State.DEAD if wanted.state is None else wanted.state))
    with connected(database) as connection:
        while grouping.step(connection):
            pass
    kinds = grouping.kinds
    if as_json:
        click.echo(to_json([asdict(kind) for kind in kinds[:most]]))
        return
    rows = [_kind(kind) for kind in kinds[:most]]
    for line in columns(_KINDS_HEAD, rows, width=terminal_width()):
        click.echo(line)
    if len(kinds) > most:
        rest = sum(kind.count for kind in kinds[most:])
        click.echo(f"and {rest:,} jobs of {len(kinds) - most:,} more kinds: -n shows more")


def _kind(kind: Kind) -> tuple[object, ...]:
    return kind.count, cut(kind.task, _TASK_MOST), span(kind.last), kind.job_id, kind.error


@click.command()
@click.argument("job_id", metavar="ID", type=an_id)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_settings
def show(settings: Settings, job_id: int, as_json: bool) -> None:
    """All about one job: its columns, and each attempt that failed with its error and output."""
    job = listing.job(settings.database(), job_id)
    click.echo(to_json(job) if as_json else "\n".join(_describe(job, time.time())))


def _describe(job: dict[str, Any], now: float) -> Iterator[str]:
    first = {"id": job["id"], "state": job["state"]}
    for key, value in (first | job).items():
        if key not in ("attempts", "cancel") and (value is not None or key not in _RARE):
            yield f"{key:<13} {_value(key, value, now)}"
    if job["cancel"]:
        yield "it is being ended: it is cancelled once nothing that it started is left"
    for attempt in job["attempts"]:
        yield ""
        yield f"attempt {attempt['attempt']} {attempt['outcome']}: {printable(attempt['error'])}"
        for key in ("worker", "node", "started_at", "ended_at"):
            yield f"  {key:<11} {_value(key, attempt[key], now)}"
        for line in (attempt["traceback"] or "").splitlines():
            yield f"  | {printable(line)}"
        yield from _output(attempt["output"] or "")


def _output(text: str) -> Iterator[str]:
    """The last lines of what it printed."""
    lines = text.splitlines()
    if len(lines) > _OUTPUT_LINES:
        yield f"  > … {len(lines) - _OUTPUT_LINES:,} lines before these: --json has them"
    for line in lines[-_OUTPUT_LINES:]:
        yield f"  > {printable(line)}"


def _value(key: str, value: object, now: float) -> str:
    if key in _TIMES and isinstance(value, float):
        moment = time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(value))
        distance = f"in {span(value - now)}" if value > now else f"{span(now - value)} ago"
        return f"{moment} ({distance})"
    if key in _SPANS and isinstance(value, float):
        return span(value)
    return cut(printable(value), _VALUE_MOST)
