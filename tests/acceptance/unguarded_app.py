"""The same application in a worker whose claims are not guarded: the checkers must notice.

A child imports its application before its first claim; only these tests name this one.
"""

import random
import time
from typing import Any

from qsuper.store import claiming
from qsuper.store.backend import Statement
from qsuper.store.claiming import Claim
from qsuper.store.database import Connection
from tests.acceptance import app

queue = app.queue

_GUARD = "AND {status} = 0 AND {run_at} <= {now} AND claims BETWEEN :fewest AND :most"
_text = claiming._CLAIM.text
assert _GUARD in _text, "the claim has changed: take its guard away here, too"
claiming._CLAIM = Statement(_text.replace(_GUARD, "AND :fewest <= :most"))
_claim = claiming.claim


def _claim_of_all(connection: Connection, **how: Any) -> Claim:
    """Slices keep workers apart most of the time; what they hide is to be seen."""
    return _claim(connection, **{**how, "everyone": True})


def _dawdle(point: str) -> None:
    """Leave time between the look and the claim: for others to look, and to finish."""
    if point == "candidates-read":
        time.sleep(random.uniform(0.0, 0.03))


claiming.claim = _claim_of_all
setattr(claiming, "failpoint", _dawdle)  # noqa: B010 - it is imported there, not defined
