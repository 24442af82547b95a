"""`qsuper timers`."""

import time
from collections.abc import Iterator
from typing import Any

import click

from qsuper.cli.parameters import queue_name
from qsuper.cli.printing import columns, cut, printable, terminal_width, to_json
from qsuper.cli.settings import Settings, pass_settings
from qsuper.picture import span
from qsuper.store import listing

_HEAD = ("IN", ">ID", "QUEUE", "TASK", "NAME")
_KEYS_HEAD = ("IN", ">DB", "KEY", "VALUE")
_WORD_MOST = 20
_KEY_MOST = 40
"""Letters that are printed of what stands before the last column: that is to be seen, too."""


@click.command()
@click.option("--queue", type=queue_name, metavar="QUEUE", help="Only jobs of this queue.")
@click.option("--all", "unnamed", is_flag=True, help="Delayed jobs without a name, too.")
@click.option("-n", "most", type=click.IntRange(1, 10_000), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_settings
def timers(settings: Settings, queue: str | None, unnamed: bool, most: int, as_json: bool) -> None:
    """What falls due next: timers (named jobs that wait for their time), and watched Redis keys.

    A watched key becomes a job when it expires; with --queue none are listed.
    """
    database = settings.database()
    jobs = listing.timers(database, queue=queue, unnamed=unnamed, most=most)
    keys = [] if queue is not None else listing.watched(database, most=most)
    if as_json:
        told = [key | {"key": _text(key["key"]), "value": _text(key["value"])} for key in keys]
        click.echo(to_json({"timers": jobs, "keys": told}))
        return
    for line in _describe(jobs, keys, latest=database.backend.latest):
        click.echo(line)


def _describe(
    jobs: list[dict[str, Any]], keys: list[dict[str, Any]], latest: float
) -> Iterator[str]:
    now, width = time.time(), terminal_width()
    if not jobs and not keys:
        yield "nothing waits for its time"
    if jobs:
        rows = [
            (
                _in(job["run_at"], now),
                job["id"],
                cut(job["queue"], _WORD_MOST),
                cut(job["task"], _WORD_MOST),
                job["name"],
            )
            for job in jobs
        ]
        yield from columns(_HEAD, rows, width=width)
    if any((job["run_at"] or 0.0) >= latest for job in jobs):
        date = time.strftime("%Y-%m-%d", time.gmtime(latest))
        yield f"{date} is the last date that the database holds: later ones are kept as this one"
    if jobs and keys:
        yield ""
    if keys:
        lines = [
            (
                _in(key["deadline"], now),
                key["db"],
                cut(printable(_text(key["key"])), _KEY_MOST),
                _value(key),
            )
            for key in keys
        ]
        yield from columns(_KEYS_HEAD, lines, width=width)


def _in(moment: float | None, now: float) -> str:
    return "due" if moment is None or moment <= now else span(moment - now)


def _value(key: dict[str, Any]) -> str | None:
    """The value of a string, and of anything else what it is."""
    return f"({key['kind']})" if key["value"] is None else _text(key["value"])


def _text(raw: bytes | None) -> str | None:
    """Bytes as text; what is no UTF-8 is escaped."""
    return None if raw is None else raw.decode("utf-8", "backslashreplace")
