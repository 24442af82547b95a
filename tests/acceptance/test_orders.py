"""`examples/orders` as it is shipped: a shop that knows nothing of qsuper, and who does not pay."""

import json
import shutil
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis

from qsuper.store import listing
from qsuper.store.database import Database
from tests.acceptance.daemon import PATIENCE, TOP, Daemon

EXAMPLE = TOP / "examples" / "orders"
UNPAID, PAID, CANCELLED = "0", "1", "3"
LONG = 3600
"""Seconds that no test lasts."""


class Shop:
    """A copy of the example, the daemon in it, and its foreign program."""

    def __init__(self, folder: Path) -> None:
        self.daemon = Daemon(folder, f"sqlite:///{folder}/var/qsuper.db")
        self.daemon.environ.pop("REDIS_URL", None)
        for name in ("orders.py", "shop.py", "qsuper.toml"):
            shutil.copy(EXAMPLE / name, folder)
        self._database = Database(self.daemon.url)

    def start(self) -> None:
        self.daemon.start()
        self.daemon.wait_until((self.daemon.state / "redis.sock").exists, "Redis serves")

    def __call__(self, *words: object) -> list[str]:
        """The lines that `shop.py` prints."""
        done = subprocess.run(
            [sys.executable, "shop.py", *map(str, words)],
            cwd=self.daemon.folder,
            env=self.daemon.environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def expire(self, *keys: str) -> None:
        """Have keys expire now, once the listener knows of those it watches."""
        watched = {key for key in keys if key.endswith(":1")}
        self.daemon.wait_until(lambda: self.armed().keys() >= watched, "the keys are written down")
        with closing(redis.Redis(unix_socket_path=str(self.daemon.state / "redis.sock"))) as client:
            for key in keys:
                assert client.pexpire(key, 100)
            self.daemon.wait_until(lambda: not client.exists(*keys), "the keys expire")

    def statuses(self) -> dict[str, str]:
        with closing(sqlite3.connect(self.daemon.folder / "shop.db")) as rows:
            return dict(rows.execute('SELECT ordersn, status FROM "order"'))

    def armed(self) -> dict[str, float]:
        """The keys that the listener has written down, and their deadlines."""
        keys = listing.watched(self._database, most=1000)
        return {key["key"].decode(): key["deadline"] for key in keys}

    def jobs(self) -> Counter[str]:
        """Finished jobs, by key."""
        jobs = listing.jobs(self._database, listing.Filter(most=1000))
        return Counter(json.loads(job["param"])["key"] for job in jobs if job["state"] == "done")

    def wait_for_jobs(self, *keys: str) -> None:
        """Until each of them was run."""
        self.daemon.wait_until(lambda: self.jobs().keys() >= set(keys), "the keys' jobs are done")


@pytest.fixture
def shop(folder: Path) -> Iterator[Shop]:
    shop = Shop(folder)
    yield shop
    shop.daemon.clean_up()


def test_the_shop_does_not_know_qsuper(shop: Shop) -> None:
    program = (
        "import runpy, sys; sys.argv = ['shop.py', 'list'];"
        "runpy.run_path('shop.py', run_name='__main__'); sys.exit('qsuper' in sys.modules)"
    )
    subprocess.run(
        [sys.executable, "-c", program],
        cwd=shop.daemon.folder,
        env=shop.daemon.environ,
        check=True,
    )


def test_an_order_that_nobody_pays_is_cancelled_once(shop: Shop) -> None:
    shop.start()
    unpaid = shop("order", "--count", 5)
    shop.wait_for_jobs(*(f"{number}:1" for number in unpaid))
    assert shop.statuses() == dict.fromkeys(unpaid, CANCELLED)
    assert set(shop.jobs().values()) == {1}
    assert shop.daemon.stop() == 0
    assert [shop.daemon.log().count(f"{number} cancelled (order ") for number in unpaid] == [1] * 5


def test_paid_orders_deleted_keys_and_keys_of_flag_2_are_left_alone(shop: Shop) -> None:
    shop.start()
    unpaid, paid, deleted = shop("order", "--count", 3, "--seconds", LONG)
    (unflagged,) = shop("order", "--flag", 2, "--seconds", LONG)
    assert shop("pay", paid) == [f"{paid} is paid"]
    assert shop("delete-key", deleted) == [f"{deleted} has no key any more"]
    shop.expire(f"{unflagged}:2", f"{unpaid}:1", f"{paid}:1")
    shop.wait_for_jobs(f"{unpaid}:1", f"{paid}:1")
    assert shop.statuses() == {
        unpaid: CANCELLED,
        paid: PAID,
        deleted: UNPAID,
        unflagged: UNPAID,
    }
    assert shop.daemon.stop() == 0
    assert shop.jobs() == {f"{unpaid}:1": 1, f"{paid}:1": 1}
    assert shop.armed() == {}


def test_an_order_is_not_paid_twice_nor_after_it_was_cancelled(shop: Shop) -> None:
    shop.start()
    cancelled, paid = shop("order", "--count", 2, "--seconds", LONG)
    shop("pay", paid)
    shop.expire(f"{cancelled}:1")
    shop.wait_for_jobs(f"{cancelled}:1")
    assert shop("pay", cancelled, paid) == [
        f"{cancelled} is no unpaid order",
        f"{paid} is no unpaid order",
    ]
    assert shop("delete-key", cancelled) == [f"{cancelled} had no key"]
    assert [line.split()[-1] for line in shop("list")] == ["cancelled", "paid"]


def test_orders_that_fall_due_while_qsuper_is_down_are_cancelled_after_its_start(
    shop: Shop,
) -> None:
    shop.start()
    *unpaid, paid = numbers = shop("order", "--count", 4, "--seconds", 8)
    shop("pay", paid)
    keys = {f"{number}:1" for number in numbers}
    shop.daemon.wait_until(lambda: shop.armed().keys() == keys, "the keys are written down")
    deadline = max(shop.armed().values())
    assert shop.daemon.stop() == 0
    assert CANCELLED not in shop.statuses().values(), "the daemon took 8 s to stop"
    shop.daemon.wait_until(lambda: time.time() > deadline, "the keys fall due")
    shop.start()
    shop.wait_for_jobs(*keys)
    assert shop.statuses() == dict.fromkeys(unpaid, CANCELLED) | {paid: PAID}
    assert shop.jobs() == dict.fromkeys(keys, 1)
