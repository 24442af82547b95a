"""What jobs died of, counted."""

import time
from typing import Any

from qsuper.roles.web.page import Fields
from qsuper.roles.web.site import Site
from qsuper.states import State
from qsuper.store.kinds import Grouping
from qsuper.store.selection import Selection

STEPS_MOST = 50
"""Pages of up to a thousand jobs that are counted."""
COUNT_FOR = 2.0
"""Seconds after which no more are counted: a page is waited for."""
ASK_ABOVE = 1000
"""More jobs than that are moved only when somebody has said yes."""
_KINDS_MOST = 100


def load(site: Site, __: Fields, query: Fields) -> dict[str, Any]:
    queue = query.get("queue") or None
    grouping = Grouping(Selection(state=State.DEAD, queue=queue))
    ends, whole = time.monotonic() + COUNT_FOR, False
    with site.connection() as connection:
        for _ in range(STEPS_MOST):
            if time.monotonic() > ends:
                break
            if not grouping.step(connection):
                whole = True
                break
    kinds = grouping.kinds
    return {
        "kinds": kinds[:_KINDS_MOST],
        "more": len(kinds) - _KINDS_MOST,
        "count": sum(kind.count for kind in kinds),
        "whole": whole,
        "queue": queue,
        "ask_above": ASK_ABOVE,
    }
