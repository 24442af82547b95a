"""Whether somebody keeps qsuper alive, and waits long enough when it stops it."""

from collections.abc import Iterator

from qsuper import processes
from qsuper.cli.doctor import guard
from qsuper.cli.doctor.case import Case
from qsuper.cli.doctor.finding import Finding, bad, note, ok, warn
from qsuper.cli.doctor.guard import Guard
from qsuper.config import Config
from qsuper.master.ending import LAST_TIMEOUT, SETTLE_TIMEOUT
from qsuper.picture import span

SETTLING = SETTLE_TIMEOUT + LAST_TIMEOUT
"""Seconds that the master takes besides, once the workers have ended."""
_STOP_WAIT = {"supervisord": "stopwaitsecs", "systemd": "TimeoutStopSec"}
_GROUP = {"supervisord": "stopasgroup = false", "systemd": "KillMode=mixed"}
_RESTART = {"supervisord": "autorestart = unexpected", "systemd": "Restart=on-failure"}


def upkeep(case: Case) -> Iterator[Finding]:
    if case.picture is None:
        found = list(guard.in_files(case.config.folder))
        if not found:
            yield note(
                "no file of supervisord or systemd starts `qsuper run` here",
                "take conf/supervisord.conf or the unit of docs/deploy.md, unless cron or a"
                " container runs it",
            )
    else:
        found = list(guard.of_daemon(case.picture.pid))
        if not found:
            yield _unguarded(case.picture.pid)
    for one in found:
        yield from judge(one, case.config)
    yield from longest(case)


def judge(one: Guard, config: Config) -> Iterator[Finding]:
    """Whether it ends qsuper as it wants to be ended."""
    least = config.worker.stop_timeout + SETTLING
    name = f"{one.name} ({one.where})"
    fine = True
    if one.stop_wait is not None and one.stop_wait < least:
        fine = False
        yield bad(
            f"{name} kills the master {span(one.stop_wait)} after TERM; workers have"
            f" {span(config.worker.stop_timeout)} to finish their jobs (worker.stop_timeout)",
            f"set {_STOP_WAIT[one.name]} to {least:.0f} or more",
        )
    if one.kills_group:
        fine = False
        yield warn(
            f"{name} sends TERM to the children, too: the master is to end them, in their order",
            f"set {_GROUP[one.name]}",
        )
    if not one.restarts:
        fine = False
        yield warn(
            f"{name} does not start qsuper again when it has died", f"set {_RESTART[one.name]}"
        )
    if fine:
        waits = "for ever" if one.stop_wait is None else span(one.stop_wait)
        yield ok(f"{name} starts it again, and waits {waits} for it to stop")


def longest(case: Case) -> Iterator[Finding]:
    """What a stop does to the longest jobs."""
    stop = case.config.worker.stop_timeout
    limits = {
        task.name: case.config.job.timeout if task.timeout is None else task.timeout
        for task in case.registry
    }
    longer = [name for name, limit in limits.items() if not limit or limit > stop]
    if not longer:
        yield ok(f"each job may end within worker.stop_timeout ({span(stop)})")
        return
    named = max(longer, key=lambda name: limits[name] or float("inf"))
    may = span(limits[named]) if limits[named] else "as long as it likes"
    yield note(
        f"{len(longer)} of {len(limits)} tasks may run longer than worker.stop_timeout"
        f" ({span(stop)}), {named} {may}: a stop cuts such a job, and it runs again",
        "raise worker.stop_timeout (and the supervisor's wait), or have such jobs save their state;"
        " `qsuper reload` never cuts one",
    )


def _unguarded(pid: int) -> Finding:
    process = processes.look(pid)
    if process is not None and (process.parent == 0 or pid == 1):
        return note(
            "qsuper is the first process of a container",
            "have its runtime wait longer than worker.stop_timeout (`docker stop --time 60`), and"
            " start it again",
        )
    return warn(
        "nobody is seen who starts qsuper again when it dies, or after a boot",
        "run it under supervisord or systemd: docs/deploy.md",
    )
