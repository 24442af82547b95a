"""What arrived against what should have."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qsuper.demo.mailing.mailing import Mailing
from qsuper.demo.mailing.sink import SERVER
from qsuper.demo.verdict import Line, none_of, some


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
    killed: int | None
    """The job whose worker was killed."""

    @property
    def good(self) -> bool:
        return not (self.lost or self.strange or self.unfinished)

    @property
    def rate(self) -> float:
        """Jobs per second."""
        return self.sent / self.seconds if self.seconds > 0 else 0.0

    def lines(self) -> Iterator[Line]:
        """In the order in which they are read."""
        yield Line("sent", f"{self.sent:,}", f"of {self.expected:,} mails")
        yield Line("retried", f"{len(self.retried):,}", self._about_retried())
        yield none_of("lost", self.lost)
        yield Line("duplicated", f"{len(self.duplicated):,}", self._about_duplicated())
        if self.strange:
            yield none_of("strange", self.strange)
        if self.unfinished:
            yield none_of("not done", self.unfinished)
        yield Line("jobs/s", f"{self.rate:,.0f}", f"over {self.seconds:.1f} s; {SERVER}")

    def _about_retried(self) -> str:
        if self.retried == (self.killed,):
            return f"job {self.killed}, whose worker was killed"
        return some(self.retried)

    def _about_duplicated(self) -> str:
        if len(self.duplicated) == 1 == len(self.retried):
            return "had left before its worker died; same Message-ID"
        return some(self.duplicated)


def judge(
    mailing: Mailing,
    mails: Mapping[str, int],
    jobs: Sequence[Mapping[str, Any]],
    seconds: float,
    killed: int | None = None,
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
        killed=killed,
    )
