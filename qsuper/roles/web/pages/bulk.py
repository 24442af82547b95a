"""Many jobs are to be moved: how many, which ones, and the question whether that is meant."""

import time
from datetime import UTC, datetime
from typing import Any

from qsuper.roles.web.fields import BadField
from qsuper.roles.web.page import Fields
from qsuper.roles.web.pages import filters
from qsuper.roles.web.serving import unfinished
from qsuper.roles.web.site import Site
from qsuper.states import FINISHED
from qsuper.store import browsing, bulk
from qsuper.store.bulk import Round
from qsuper.store.database import Connection
from qsuper.store.position import Position
from qsuper.store.selection import Selection

COUNT_MOST = 50_000
COUNT_FOR = 2.0
"""Seconds after which no more are counted: a page is waited for."""
_MOMENT_MOST = 253402300799
"""The last second of the year 9999."""
_ACTIONS = {"retry-many": FINISHED, "cancel-many": bulk.WAITING}
"""The states whose jobs each may move."""


def load(site: Site, _: Fields, query: Fields) -> dict[str, Any]:
    action = query.get("action", "")
    wanted = filters.browse(query, site.now())
    if wanted.state is None or wanted.state not in _ACTIONS.get(action, ()):
        raise BadField("choose jobs of one state, and whether to retry or to cancel them")
    selection = Selection(
        wanted.state, wanted.queue, wanted.task, wanted.name, wanted.error,
        _whole(wanted.since), _whole(wanted.until),
    )  # fmt: skip
    begin = unfinished.position_of(selection, (wanted.state,))
    looked = Round(selection, (wanted.state,), None, begin)
    with site.connection() as connection:
        whole = _count(connection, looked)
        first = browsing.some(connection, looked.tally.first)
    return {
        "action": action,
        "state": wanted.state,
        "fields": _fields(query, selection),
        "moves": _moves(selection, begin),
        "begin": begin,
        "count_for": COUNT_FOR,
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


def _whole(moment: float | None) -> float | None:
    """To the second, within the dates that can be written."""
    return None if moment is None else float(min(max(int(moment), 0), _MOMENT_MOST))


def _fields(query: Fields, selection: Selection) -> dict[str, str]:
    """The same choice as an address has it: moments are not to move while one thinks."""
    fields = {name: query[name] for name in filters.NAMES if query.get(name)}
    for name in ("since", "until"):
        if (moment := getattr(selection, name)) is not None:
            fields[name] = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return fields


def _moves(selection: Selection, begin: Position | None) -> dict[str, object]:
    """The same choice as the action takes it, and where that is to begin."""
    given = {name: getattr(selection, name) for name in filters.NAMES if name != "text"}
    assert selection.state is not None
    return {
        name: value
        for name, value in (given | {"state": selection.state.word, "at": begin}).items()
        if value is not None
    }
