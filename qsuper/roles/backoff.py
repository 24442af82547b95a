"""The wait before the next attempt."""

import random

from qsuper.config import BackoffConfig


def wait(attempt: int, backoff: BackoffConfig) -> float:
    """Seconds after failed attempt number `attempt`: doubling, capped, with ±20 % of jitter so
    that what failed together does not come back together."""
    grown = backoff.base * 2.0 ** min(attempt - 1, 30)
    return min(backoff.cap, grown) * random.uniform(0.8, 1.2)
