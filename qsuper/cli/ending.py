"""Waiting until running jobs that are to be ended have ended."""

import time

import click

from qsuper.cli.parameters import seconds
from qsuper.picture import span
from qsuper.states import FINISHED, State
from qsuper.store.cancelling import states_of
from qsuper.store.database import Connection

LOOK_EVERY = 0.2
_TOLD_MOST = 20


def patience(text: str) -> float:
    """Seconds, with their unit: a bare number behind --wait would be taken for an id as well."""
    if text[-1:].isalpha():
        return seconds(text)
    raise click.BadParameter(f"{text!r:.40} is not a duration with its unit: write 30s, 15m or 1h")


def ended(connection: Connection, job_ids: list[int], wait: float) -> int:
    """Wait `wait` seconds at most until they have ended, and say how; the exit code.

    A job that is done, or dead, was quicker than whoever was to end it.
    """
    gives_up = time.monotonic() + wait
    while True:
        states = states_of(connection, job_ids)
        live = [job_id for job_id, state in states.items() if state not in FINISHED]
        if not live or time.monotonic() >= gives_up:
            break
        time.sleep(LOOK_EVERY)
    cancelled = sum(state is State.CANCELLED for state in states.values())
    if cancelled:
        jobs = "job has ended and is" if cancelled == 1 else "jobs have ended and are"
        click.echo(f"{cancelled:,} {jobs} cancelled")
    others = sorted(job_id for job_id in states if states[job_id] is not State.CANCELLED)
    for job_id in others[:_TOLD_MOST]:
        if job_id in live:
            click.echo(f"job {job_id} has not ended within {span(wait)}", err=True)
        else:
            click.echo(f"job {job_id} is {states[job_id].word}: it was quicker", err=True)
    if len(others) > _TOLD_MOST:
        click.echo(f"and {len(others) - _TOLD_MOST} more", err=True)
    return 1 if others else 0
