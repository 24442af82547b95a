"""What became of the orders against what should have."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from statistics import median
from typing import Any

from qsuper.demo.orders.shop import CANCELLED, PAID
from qsuper.demo.verdict import Line, none_of


@dataclass(frozen=True, slots=True)
class Verdict:
    """The counts, and what explains them."""

    orders: int
    paid: int
    deleted: int
    """Orders whose key was deleted."""
    cancelled: int
    """Unpaid orders that were cancelled, as they should be."""
    forgotten: tuple[str, ...]
    """Unpaid orders that were not."""
    wrongly: tuple[str, ...]
    """Orders that were paid, or whose key was deleted, and that were touched all the same."""
    twice: tuple[str, ...]
    """Keys that became more than one job."""
    unfinished: tuple[int, ...]
    """Jobs that are not done."""
    lateness: tuple[float, ...]
    """Seconds from each key's deadline to the begin of its job."""

    @property
    def good(self) -> bool:
        return bool(self.orders) and not (
            self.forgotten or self.wrongly or self.twice or self.unfinished
        )

    @property
    def unpaid(self) -> int:
        """Orders that were to be cancelled."""
        return self.cancelled + len(self.forgotten)

    def lines(self) -> Iterator[Line]:
        """In the order in which they are read."""
        about = f"{self.paid} paid, {self.deleted} whose key was deleted, {self.unpaid} unpaid"
        yield Line("orders", f"{self.orders:,}", about)
        yield Line(
            "cancelled",
            f"{self.cancelled:,}",
            f"of {self.unpaid:,} unpaid",
            good=not self.forgotten,
        )
        yield none_of("wrongly", self.wrongly, "what was paid or had no key was left alone")
        yield none_of("twice", self.twice, "each key that expired became one job")
        if self.unfinished:
            yield none_of("not done", self.unfinished)
        if self.lateness:
            middle, most = median(self.lateness), max(self.lateness)
            about = f"median from deadline to job; {most * 1000:,.0f} ms at most"
            yield Line("late", f"{middle * 1000:,.0f} ms", about)


def judge(
    statuses: Mapping[str, str],
    paid: Set[str],
    deleted: Set[str],
    jobs: Sequence[Mapping[str, Any]],
) -> Verdict:
    """Compare what customers did with the orders' status, and the jobs' rows with both."""
    unpaid = statuses.keys() - paid - deleted
    told = [json.loads(job["param"]) for job in jobs]
    return Verdict(
        orders=len(statuses),
        paid=len(paid),
        deleted=len(deleted),
        cancelled=sum(statuses[number] == CANCELLED for number in unpaid),
        forgotten=tuple(number for number in unpaid if statuses[number] != CANCELLED),
        wrongly=tuple(
            number
            for number in paid | deleted
            if (statuses[number] == CANCELLED) or (number in paid and statuses[number] != PAID)
        ),
        twice=tuple(key for key, count in Counter(one["key"] for one in told).items() if count > 1),
        unfinished=tuple(job["id"] for job in jobs if job["state"] != "done"),
        lateness=tuple(
            job["started_at"] - one["deadline"]
            for job, one in zip(jobs, told, strict=True)
            if job["started_at"] is not None and one["deadline"] is not None
        ),
    )
