"""Many jobs are to be moved: how many, which ones, and the question whether that is meant."""

import time
from typing import Any

from qsuper.roles.web.fields import BadField
from qsuper.roles.web.page import Fields
from qsuper.roles.web.pages import filters
from qsuper.roles.web.site import Site
from qsuper.states import FINISHED
from qsuper.store import browsing, bulk
from qsuper.store.bulk import Round
from qsuper.store.database import Connection
from qsuper.store.selection import Selection

COUNT_MOST = 50_000
COUNT_FOR = 2.0
"""Seconds after which no more are counted: a page is waited for."""
_ACTIONS = {"retry-many": FINISHED, "cancel-many": bulk.WAITING}
"""The states whose jobs each may move."""


def load(site: Site, _: Fields, query: Fields) -> dict[str, Any]:
    action = query.get("action", "")
    wanted = filters.browse(query, site.now())
    if wanted.state is None or wanted.state not in _ACTIONS.get(action, ()):
        raise BadField("choose jobs of one state, and whether to retry or to cancel them")
    selection = Selection(
        wanted.state, wanted.queue, wanted.task, wanted.name, wanted.error, wanted.since,
        wanted.until,
    )  # fmt: skip
    looked = Round(selection, (wanted.state,), None)
    with site.connection() as connection:
        whole = _count(connection, looked)
        first = browsing.some(connection, looked.tally.first)
    return {
        "action": action,
        "state": wanted.state,
        "fields": {name: query[name] for name in filters.NAMES if query.get(name)},
        "moves": _moves(selection),
        "tally": looked.tally,
        "whole": whole,
        "first": first,
    }


def _count(connection: Connection, looked: Round) -> bool:
    """Whether all were counted."""
    ends = time.monotonic() + COUNT_FOR
    while time.monotonic() < ends and looked.tally.found < COUNT_MOST:
        if not looked.step(connection):
            return True
    return False


def _moves(selection: Selection) -> dict[str, object]:
    """The same choice as the action takes it: moments are not to move while one thinks."""
    given = {name: getattr(selection, name) for name in filters.NAMES if name != "text"}
    assert selection.state is not None
    return {
        name: value
        for name, value in (given | {"state": selection.state.word}).items()
        if value is not None
    }
