#!/usr/bin/env python3
"""The shop: it takes orders and gives each a Redis key that expires. It knows nothing of qsuper.

It could as well be PHP: an order is a row, and what is to happen in 30 minutes is a SETEX.
"""

import argparse
import os
import random
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import redis

HERE = Path(__file__).resolve().parent
REDIS_URL = os.environ.get("REDIS_URL", f"unix://{quote(str(HERE / 'var' / 'redis.sock'))}")
TABLE = """
    CREATE TABLE IF NOT EXISTS "order" (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        ordersn VARCHAR(64) NOT NULL UNIQUE,
        status VARCHAR(8) NOT NULL DEFAULT '0',
        createtime VARCHAR(32) NOT NULL
    )
"""
STATUS = {"0": "unpaid", "1": "paid", "3": "cancelled"}


class Shop:
    """Its table, and its keys."""

    def __init__(self) -> None:
        self.rows = sqlite3.connect(HERE / "shop.db", timeout=10)
        self.rows.execute("PRAGMA journal_mode = WAL")
        self.rows.execute(TABLE)
        self.keys = redis.Redis.from_url(REDIS_URL)

    def close(self) -> None:
        self.rows.close()
        self.keys.close()

    def order(self, seconds: int, flag: int) -> str:
        """A new order, to be paid within so many seconds; returns its number."""
        ordersn = f"SN{int(time.time())}T{random.randint(0, 99_999_999):08}"
        # The row first: a key that expires shall find its order.
        with self.rows:
            order_id = self.rows.execute(
                'INSERT INTO "order" (ordersn, createtime) VALUES (?, ?)',
                (ordersn, time.strftime("%Y-%m-%d %H:%M:%S")),
            ).lastrowid
        self.keys.set(f"{ordersn}:{flag}", f"order {order_id}", ex=seconds)  # SETEX
        return ordersn

    def pay(self, ordersn: str) -> bool:
        """Its key stays, and expires: whoever hears of it looks at the status first."""
        with self.rows:
            paid = self.rows.execute(
                "UPDATE \"order\" SET status = '1' WHERE ordersn = ? AND status = '0'", (ordersn,)
            )
        return paid.rowcount == 1

    def delete_key(self, ordersn: str) -> bool:
        """Nobody is called back for this order any more, although it is unpaid."""
        return bool(self.keys.delete(f"{ordersn}:1", f"{ordersn}:2"))


def main() -> None:
    wanted = arguments()
    with closing(Shop()) as shop:
        match wanted.verb:
            case "order":
                for number in range(wanted.count):
                    if number:
                        time.sleep(wanted.every)
                    print(shop.order(wanted.seconds, wanted.flag), flush=True)
            case "pay":
                for ordersn in wanted.ordersn:
                    print(ordersn, "is paid" if shop.pay(ordersn) else "is no unpaid order")
            case "delete-key":
                for ordersn in wanted.ordersn:
                    print(
                        ordersn, "has no key any more" if shop.delete_key(ordersn) else "had no key"
                    )
            case "list":
                for row in shop.rows.execute('SELECT ordersn, createtime, status FROM "order"'):
                    print(*row[:2], STATUS[row[2]])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A shop of orders and of keys that expire.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    order = verbs.add_parser("order", help="order something, and do not pay yet")
    order.add_argument("--count", type=int, default=1, help="so many orders")
    order.add_argument("--every", type=float, default=0.0, help="seconds between two of them")
    order.add_argument("--seconds", type=int, default=3, help="to pay within; 1800 in earnest")
    order.add_argument("--flag", type=int, default=1, choices=(1, 2), help="2: no call back")
    for verb, about in (("pay", "pay orders"), ("delete-key", "have no call back for orders")):
        verbs.add_parser(verb, help=about).add_argument("ordersn", nargs="+")
    verbs.add_parser("list", help="all orders and their status")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except redis.RedisError as error:
        sys.exit(f"shop.py: {REDIS_URL}: {error}")
