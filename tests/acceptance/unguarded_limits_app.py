"""The same application in a worker that takes slots without a guard: the checker must notice."""

import time

from qsuper.store import limiting
from qsuper.store.backend import Statement
from qsuper.store.database import Connection
from qsuper.store.limiting import Slot
from tests.acceptance import limits_app

queue = limits_app.queue

_GUARD = "AND (job_id IS NULL OR (job_id = :old_id AND claims = :old_claims))"
_text = limiting._TAKE.text
assert _GUARD in _text, "the statement has changed: take its guard away here, too"
limiting._TAKE = Statement(_text.replace(_GUARD, "AND (:old_id IS NULL OR :old_claims > 0)"))
_slots = limiting.slots


def _dawdle(connection: Connection, name: str) -> list[Slot]:
    """Leave time between the look and the write: for others to look, too."""
    seen = _slots(connection, name)
    time.sleep(0.01)
    return seen


limiting.slots = _dawdle
