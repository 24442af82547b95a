"""The crontab line without which schedules make no jobs where no daemon runs."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from qsuper.cli.doctor.asking import ask
from qsuper.cli.doctor.case import Case
from qsuper.cli.doctor.database import patient
from qsuper.cli.doctor.finding import Finding, bad, counted, note, ok, warn
from qsuper.cli.settings import connected
from qsuper.errors import QsuperError
from qsuper.store import nodes
from qsuper.store.examining import file
from qsuper.tasks.scheduled import sorted_out

TABLES = ("/etc/crontab", "/etc/cron.d/*", "/var/spool/cron/crontabs/*", "/var/spool/cron/*")
PROGRAMS = {"cron", "crond", "fcron", "anacron", "supercronic"}
_VERB = r"^[^#\n]*\bqsuper(?:\s+--config[ =]\S+)?\s+"
_TICK = re.compile(_VERB + r"cron\s+tick\b", re.MULTILINE)
_WORK = re.compile(_VERB + r"work\b", re.MULTILINE)


def crontab(case: Case) -> Iterator[Finding]:
    text = "\n".join(_tables())
    ticks, works = bool(_TICK.search(text)), bool(_WORK.search(text))
    schedules, _ = sorted_out(case.config, case.registry)
    if case.picture is not None:
        if works:
            yield note(
                "a daemon runs, and a crontab has `qsuper work` lines, too: they are not needed",
                "take them out",
            )
        if schedules:
            yield ok(f"the daemon makes the jobs of {counted(len(schedules), 'schedule')}")
        return
    if _others_live(case):
        yield ok("other nodes run, and make the schedules' jobs")
        return
    if schedules and not ticks:
        yield bad(
            f"{counted(len(schedules), 'schedule')}, but no daemon runs, and no crontab seen here"
            " has `qsuper cron tick`: no jobs are made",
            "start `qsuper run`, or add the line of conf/crontab.example",
        )
    elif schedules:
        yield ok(f"`qsuper cron tick` makes the jobs of {counted(len(schedules), 'schedule')}")
    if not works:
        yield note(
            "no daemon runs, and no crontab seen here has `qsuper work`: nobody runs jobs here",
            "start `qsuper run`",
        )
    if (ticks or works) and not _cron_runs():
        yield warn("the crontab has lines of qsuper, but no cron runs", "start cron")


def _tables() -> Iterator[str]:
    """All crontabs that may be read."""
    yield ask("crontab", "-l") or ""
    for pattern in TABLES:
        top = Path(pattern)
        with suppress(OSError):
            for path in sorted(top.parent.glob(top.name)):
                with suppress(OSError):
                    yield path.read_text(errors="replace")


def _others_live(case: Case) -> bool:
    """Whether another node works on this database; False when it cannot be asked."""
    with suppress(QsuperError):
        database = patient(case.config)
        if database.backend.name == "sqlite":
            path = file.path_of(case.config.store.url)
            if not path.exists():
                return False
            with file.reading(database, path) as connection:
                return any(node.alive for node in nodes.everyone(connection))
        with connected(database) as connection:
            return any(node.alive for node in nodes.everyone(connection))
    return False


def _cron_runs() -> bool:
    return any(process.info["name"] in PROGRAMS for process in psutil.process_iter(["name"]))
