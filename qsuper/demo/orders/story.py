"""What happens when: orders come in, some are paid, and the listener is killed in between."""

import os
import shutil
import signal
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from qsuper.demo import EXAMPLES
from qsuper.demo.daemon import Daemon
from qsuper.demo.orders import verdict
from qsuper.demo.orders.scene import Scene
from qsuper.demo.orders.shop import CANCELLED, UNPAID, Shop
from qsuper.demo.patience import Patience
from qsuper.demo.screen import Screen
from qsuper.picture import Child
from qsuper.states import ChildState
from qsuper.store import listing
from qsuper.store.database import Database

TITLE = "Orders: a Redis key of 3 s for each; unpaid by then, it is cancelled"
PROGRAMS = EXAMPLES / "orders"
HALF = 12
PAID, DELETED = (1, 5, 8), (3, 10)
"""Which orders of each half are paid in time, and which lose their key."""
EVERY = 0.08
"""Seconds between two orders of the first half; the second comes all at once."""
BEFORE = 0.01
"""Seconds between the listener's end and the deadline of the second half's first key."""
TURN = 0.05
STALLED = 15.0
"""Seconds in which nothing changes, after which the rest counts as forgotten."""


def play(folder: Path, screen: Screen, patience: Patience) -> verdict.Verdict:
    """The whole act, in a folder that it makes."""
    folder.mkdir()
    for name in ("orders.py", "shop.py", "qsuper.toml"):
        shutil.copy(PROGRAMS / name, folder)
    screen.begin(TITLE)
    with closing(Daemon(folder)) as daemon:
        daemon.wait_until_ready(patience)
        screen.tell(f"`qsuper run`: master {daemon.pid} has started a Redis, and listens to it")
        database = Database(daemon.config.store.url)
        with closing(Shop(daemon)) as shop:
            Story(shop, daemon, database, screen, patience).run()
        daemon.stop()
        screen.tell("`qsuper stop`: every process has ended")
        jobs = listing.jobs(database, listing.Filter(most=1_000_000))
        return verdict.judge(shop.statuses(), shop.paid, shop.deleted, jobs)


@dataclass
class Story:
    """From the first order to the last key's end."""

    shop: Shop
    daemon: Daemon
    database: Database
    screen: Screen
    patience: Patience
    _statuses: dict[str, str] = field(default_factory=dict)
    _changed_at: float = field(default_factory=time.monotonic)
    _victim: Child | None = None
    _killed_at: float = 0.0

    def __post_init__(self) -> None:
        # Each is tried again and again until it says that it is done.
        self._cues = [
            self.serve_the_first_half,
            self.open_again,
            self.serve_the_second_half,
            self.kill_the_listener,
            self.see_it_back,
        ]

    def run(self) -> None:
        """Open the shop, then look on until nothing is left to happen, or nothing happens."""
        self.screen.tell(f"`{self.shop.open(HALF, EVERY)}` knows nothing of qsuper")
        while not self._over():
            if self._cues and self._cues[0]():
                self._cues.pop(0)
            self._look()
            self.patience.rest(TURN)
        self._look()
        left = len(self._armed()) or "no"
        self.screen.tell(f"{self._cancelled} orders are cancelled, {left} keys are left")

    def _look(self) -> None:
        found = self.shop.statuses()
        if found != self._statuses:
            self._statuses, self._changed_at = found, time.monotonic()
        armed = self._armed()
        self.screen.show(
            Scene(
                total=2 * HALF,
                created=len(found),
                pending=sum(
                    status == UNPAID and number not in self.shop.deleted
                    for number, status in found.items()
                ),
                cancelled=self._cancelled,
                paid=len(self.shop.paid),
                deleted=len(self.shop.deleted),
                due_in=_seconds_until(armed.values()),
                children=self.daemon.children("listener", "redis", "worker"),
            )
        )

    @property
    def _cancelled(self) -> int:
        return sum(status == CANCELLED for status in self._statuses.values())

    def _armed(self) -> dict[str, float]:
        """When each key expires, the first one first, as the listener knows them."""
        keys = listing.watched(self.database, most=4 * HALF)
        return {key["key"].decode(): key["deadline"] for key in keys}

    def _over(self) -> bool:
        if not self._cues and self._cancelled and not self._armed() and not self._under_way():
            return True
        return time.monotonic() - self._changed_at > STALLED

    def _under_way(self) -> bool:
        jobs = listing.jobs(self.database, listing.Filter(most=4 * HALF))
        return any(job["state"] != "done" for job in jobs)

    def serve_the_first_half(self) -> bool:
        return self._serve("first", 0)

    def open_again(self) -> bool:
        self.screen.tell(f"`{self.shop.open(HALF)}`")
        return True

    def serve_the_second_half(self) -> bool:
        return self._serve("second", HALF)

    def _serve(self, which: str, start: int) -> bool:
        numbers = list(self._statuses)[start : start + HALF]
        if self.shop.is_open or len(numbers) < HALF:
            return False
        paid = self.shop.pay([numbers[place] for place in PAID])
        deleted = self.shop.delete_keys([numbers[place] for place in DELETED])
        self.screen.tell(f"of the {which} {HALF} orders {paid} are paid, {deleted} lose their key")
        return True

    def kill_the_listener(self) -> bool:
        """Just before the keys of the second half expire, which come all at once."""
        second = list(self._statuses.items())[HALF:]
        if any(status == CANCELLED for _, status in second):
            self.screen.tell("keys have expired before the listener could be killed")
            return True
        numbers = {number for number, _ in second}
        armed = [due for key, due in self._armed().items() if key.partition(":")[0] in numbers]
        left = _seconds_until(armed)
        (listener,) = self.daemon.children("listener")
        if left is None or left > BEFORE + 2 * TURN or not listener.pid:
            return False
        time.sleep(max(0.0, left - BEFORE))
        left = _seconds_until(armed)
        os.kill(listener.pid, signal.SIGKILL)
        self._victim, self._killed_at = listener, time.time()
        self.screen.tell(
            f"SIGKILL to the listener, {left:.2f} s before {len(armed)} keys expire", bad=True
        )
        return True

    def see_it_back(self) -> bool:
        """The killed listener's place: who fills it."""
        if self._victim is None:
            return True
        (listener,) = self.daemon.children("listener")
        if listener.pid == self._victim.pid or listener.state != ChildState.RUNNING:
            return False
        self.screen.tell(
            f"the listener is back {time.time() - self._killed_at:.2f} s later: process"
            f" {listener.pid}",
            good=True,
        )
        return True


def _seconds_until(deadlines: Iterable[float]) -> float | None:
    """Until the first of these; 0 when it has passed, None when there is none."""
    first = min(deadlines, default=None)
    return None if first is None else max(0.0, first - time.time())
