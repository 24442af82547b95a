"""All subjects at once, each held to the same time."""

import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from types import FrameType

from msgspec.structs import replace

from qsuper.cli.check_programs import programs
from qsuper.cli.checks import app, schedules
from qsuper.cli.doctor import reused
from qsuper.cli.doctor.account import account
from qsuper.cli.doctor.case import Case
from qsuper.cli.doctor.clocks import clocks
from qsuper.cli.doctor.crontab import crontab
from qsuper.cli.doctor.daemon import daemon
from qsuper.cli.doctor.database import database
from qsuper.cli.doctor.finding import Finding, bad, ok, refused
from qsuper.cli.doctor.folders import folders
from qsuper.cli.doctor.limits import limits
from qsuper.cli.doctor.redis import redis
from qsuper.cli.doctor.upkeep import upkeep
from qsuper.cli.status import look
from qsuper.config import Config
from qsuper.errors import AppError, QsuperError
from qsuper.picture import Picture
from qsuper.tasks import application
from qsuper.tasks.registry import Registry

PATIENCE = 20.0
"""Seconds for a subject."""
REPORT = "tell qsuper's makers"

Subject = Callable[[Case], Iterator[Finding]]

SUBJECTS: dict[str, Subject] = {
    "programs": reused.subject(programs),
    "schedules": reused.subject(schedules),
    "database": database,
    "redis": redis,
    "clocks": clocks,
    "folders": folders,
    "account": account,
    "limits": limits,
    "upkeep": upkeep,
    "crontab": crontab,
    "daemon": daemon,
}
"""By the word that stands above its findings."""


def examine(config: Config, patience: float = PATIENCE) -> Iterator[tuple[str, list[Finding]]]:
    """Each subject with what was found, in their order. Raises nothing: what a subject cannot do
    is a finding."""
    yield "config", [ok(config.file or "defaults, there is no file")]
    registry, findings = _application(config, patience)
    yield "app", findings
    if registry is None:
        # The other subjects go on without it, and do not import it once more.
        registry, config = Registry(), replace(config, app=None)
    case = Case(config, registry, _picture(config))
    yield from all_of(SUBJECTS, case, patience)


def all_of(
    subjects: Mapping[str, Subject], case: Case, patience: float
) -> Iterator[tuple[str, list[Finding]]]:
    """What one of them has found before its time was over is kept."""
    threads = {name: _Examiner(subject, case) for name, subject in subjects.items()}
    ends = time.monotonic() + patience
    for thread in threads.values():
        thread.start()
    for name, thread in threads.items():
        thread.join(max(0.0, ends - time.monotonic()))
        yield name, thread.found(patience)


class _Examiner(threading.Thread):
    """Looks into one subject. Left to itself when it hangs: it ends with the process."""

    def __init__(self, subject: Subject, case: Case) -> None:
        super().__init__(daemon=True)
        self._subject = subject
        self._case = case
        self._findings: queue.SimpleQueue[Finding] = queue.SimpleQueue()

    def run(self) -> None:
        try:
            for finding in self._subject(self._case):
                self._findings.put(finding)
        except QsuperError as error:
            for finding in refused(error):
                self._findings.put(finding)
        except Exception as error:
            name = type(error).__name__
            self._findings.put(bad(f"this could not be examined: {name}: {error}", REPORT))

    def found(self, patience: float) -> list[Finding]:
        """What it has found so far, and that it hangs, if it does."""
        hangs = self.is_alive()
        findings = [self._findings.get() for _ in range(self._findings.qsize())]
        if hangs:
            findings.append(bad(f"no answer within {patience:g} s", "see what it waits for"))
        return findings


class _TookTooLong(BaseException):
    """The application is still being imported. No `Exception`: the import may catch those."""


def _application(config: Config, patience: float) -> tuple[Registry | None, list[Finding]]:
    """What it declares; None when it cannot be imported.

    In the main thread, where workers import it, too: it may want to set signal handlers.
    """

    def give_up(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise _TookTooLong

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, patience)
    try:
        found = list(reused.lines(app, config))
        return application.load(config), found
    except AppError:
        return None, found
    except _TookTooLong:
        hangs = bad(
            f"app = {config.app!r}: it was still being imported after {patience:g} s",
            "let its import connect to nothing and wait for nobody",
        )
        return None, [hangs]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _picture(config: Config) -> Picture | None:
    try:
        return look(config)
    except QsuperError:
        return None
