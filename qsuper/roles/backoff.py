"""The wait before the next attempt."""

import random

from qsuper.config import BackoffConfig


def wait(attempt: int, backoff: BackoffConfig) -> float:
    """Seconds after failed attempt number `attempt`: doubling, with ±20 % of jitter so that what
    failed together does not come back together; never above the cap, and up to 20 % below it."""
    grown = backoff.base * 2.0 ** min(attempt - 1, 30) * random.uniform(0.8, 1.2)
    return grown if grown < backoff.cap else backoff.cap * random.uniform(0.8, 1.0)
