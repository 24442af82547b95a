"""What arrived against what should have."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qsuper.demo.mailing import Mailing
from qsuper.demo.sink import SERVER


@dataclass(frozen=True, slots=True)
class Verdict:
    """The counts, and what explains them."""

    expected: int
    sent: int
    """Mails of the mailing in the mailbox, each counted once."""
    lost: tuple[str, ...]
    """Message-IDs that never arrived."""
    duplicated: tuple[str, ...]
    """Message-IDs that arrived more than once."""
    strange: tuple[str, ...]
    """Message-IDs that nobody should have sent."""
    retried: tuple[int, ...]
    """Jobs that took more than one attempt."""
    unfinished: tuple[int, ...]
    """Jobs that are not done."""
    seconds: float
    """From the first job's enqueueing to the last mail's arrival."""

    @property
    def good(self) -> bool:
        return not (self.lost or self.strange or self.unfinished)

    @property
    def rate(self) -> float:
        """Jobs per second."""
        return self.sent / self.seconds if self.seconds > 0 else 0.0


def judge(
    mailing: Mailing,
    mails: Mapping[str, int],
    jobs: Sequence[Mapping[str, Any]],
    seconds: float,
) -> Verdict:
    """Compare the input with the mailbox, and the jobs' rows with both."""
    arrived = Counter(mails)
    return Verdict(
        expected=len(mailing),
        sent=len(mailing.expected.keys() & arrived.keys()),
        lost=tuple(mailing.expected.keys() - arrived.keys()),
        duplicated=tuple(mail for mail, count in arrived.items() if count > 1),
        strange=tuple(arrived.keys() - mailing.expected.keys()),
        retried=tuple(job["id"] for job in jobs if job["attempt"] > 1),
        unfinished=tuple(job["id"] for job in jobs if job["state"] != "done"),
        seconds=seconds,
    )


def lines(verdict: Verdict, killed: int) -> Iterator[tuple[str, str, str]]:
    """Name, number and remark of each line, in the order in which they are read."""
    yield "sent", f"{verdict.sent:,}", f"of {verdict.expected:,} mails"
    yield "retried", f"{len(verdict.retried):,}", _retried(verdict, killed)
    yield "lost", f"{len(verdict.lost):,}", _some(verdict.lost)
    yield "duplicated", f"{len(verdict.duplicated):,}", _duplicated(verdict)
    if verdict.strange:
        yield "strange", f"{len(verdict.strange):,}", _some(verdict.strange)
    if verdict.unfinished:
        yield "not done", f"{len(verdict.unfinished):,}", _some(verdict.unfinished)
    yield "jobs/s", f"{verdict.rate:,.0f}", f"over {verdict.seconds:.1f} s; {SERVER}"


def _retried(verdict: Verdict, killed: int) -> str:
    if verdict.retried == (killed,):
        return f"job {killed}, whose worker was killed"
    return _some(verdict.retried)


def _duplicated(verdict: Verdict) -> str:
    if len(verdict.duplicated) == 1 == len(verdict.retried):
        return "had left before its worker died; same Message-ID"
    return _some(verdict.duplicated)


def _some(names: Sequence[object], most: int = 3) -> str:
    more = ", ..." if len(names) > most else ""
    return ", ".join(str(name) for name in names[:most]) + more
