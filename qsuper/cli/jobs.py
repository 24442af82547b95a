"""`qsuper jobs` and `qsuper show`."""

import time
from collections.abc import Iterator
from typing import Any

import click

from qsuper.cli.parameters import an_id, queue_name, task_name
from qsuper.cli.printing import columns, printable, terminal_width, to_json
from qsuper.cli.settings import Settings, pass_settings
from qsuper.picture import span
from qsuper.states import State
from qsuper.store import listing

_STATES = [state.word for state in State]
_HEAD = (">ID", "STATE", "QUEUE", "TASK", ">PRIO", ">ATTEMPT", "SINCE", "NAME")
_TIMES = ("run_at", "started_at", "ended_at", "ctime", "mtime")


@click.command()
@click.option("--state", type=click.Choice(_STATES), help="Only those in this state.")
@click.option("--dead", "state", flag_value=State.DEAD.word, help="The same as --state dead.")
@click.option("--queue", type=queue_name, metavar="QUEUE", help="Only those of this queue.")
@click.option("--task", type=task_name, metavar="TASK", help="Only those of this task.")
@click.option("--before", type=an_id, metavar="ID", help="Only ids below this one: the next page.")
@click.option("-n", "most", type=click.IntRange(1, 10_000), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print all columns as JSON.")
@pass_settings
def jobs(
    settings: Settings,
    state: str | None,
    queue: str | None,
    task: str | None,
    before: int | None,
    most: int,
    as_json: bool,
) -> None:
    """List jobs, the newest first."""
    wanted = listing.Filter(
        state=None if state is None else State[state.upper()],
        queue=queue,
        task=task,
        before=before,
        most=most,
    )
    found = listing.jobs(settings.database(), wanted)
    if as_json:
        click.echo(to_json(found))
        return
    now = time.time()
    for line in columns(_HEAD, [_row(job, now) for job in found], width=terminal_width()):
        click.echo(line)
    if len(found) == most:
        click.echo(f"more, if any: --before {found[-1]['id']}")


@click.command()
@click.argument("job_id", metavar="ID", type=an_id)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_settings
def show(settings: Settings, job_id: int, as_json: bool) -> None:
    """All about one job: its columns, and each attempt that failed with its error."""
    job = listing.job(settings.database(), job_id)
    click.echo(to_json(job) if as_json else "\n".join(_describe(job, time.time())))


def _row(job: dict[str, Any], now: float) -> tuple[object, ...]:
    attempts = job["attempt"] if job["max_attempts"] is None else _of(job)
    return (
        job["id"],
        job["state"],
        job["queue"],
        job["task"],
        job["priority"],
        attempts,
        _since(job, now),
        job["name"],
    )


def _of(job: dict[str, Any]) -> str:
    return f"{job['attempt']}/{job['max_attempts']}"


def _since(job: dict[str, Any], now: float) -> str | None:
    """For how long it is so; for a scheduled one, how long until it may run."""
    if job["state"] == State.SCHEDULED.word and job["run_at"] is not None:
        return f"in {span(job['run_at'] - now)}" if job["run_at"] > now else "due"
    changed = job["started_at"] if job["state"] == State.RUNNING.word else job["mtime"]
    return None if changed is None else span(now - changed)


def _describe(job: dict[str, Any], now: float) -> Iterator[str]:
    first = {"id": job["id"], "state": job["state"]}
    for key, value in (first | job).items():
        if key != "attempts":
            yield f"{key:<13} {_value(key, value, now)}"
    for attempt in job["attempts"]:
        yield ""
        yield f"attempt {attempt['attempt']} {attempt['outcome']}: {printable(attempt['error'])}"
        for key in ("worker", "node", "started_at", "ended_at"):
            yield f"  {key:<11} {_value(key, attempt[key], now)}"
        for line in (attempt["traceback"] or "").splitlines():
            yield f"  | {printable(line)}"


def _value(key: str, value: object, now: float) -> str:
    if key in _TIMES and isinstance(value, float):
        moment = time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(value))
        distance = f"in {span(value - now)}" if value > now else f"{span(now - value)} ago"
        return f"{moment} ({distance})"
    return printable(value)
