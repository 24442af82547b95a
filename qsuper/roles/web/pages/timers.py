"""Timers and watched keys: what is due next, and what fired lately."""

from typing import Any

from qsuper.roles.web.page import Fields
from qsuper.roles.web.site import Site
from qsuper.store import listing
from qsuper.store.fired import LATELY, fired

_MOST = 50


def load(site: Site, _: Fields, query: Fields) -> dict[str, Any]:
    unnamed = query.get("all") == "1"
    waiting = listing.timers(site.database, unnamed=unnamed, most=_MOST)
    keys = listing.watched(site.database, most=_MOST)
    with site.connection() as connection:
        timers, fired_keys = fired(connection, _MOST)
    return {
        "unnamed": unnamed,
        "waiting": waiting,
        "keys": [key | {"key": _text(key["key"]), "value": _text(key["value"])} for key in keys],
        "fired_timers": timers,
        "fired_keys": [(one, _text(one.key)) for one in fired_keys],
        "lateness": site.picture().totals.lateness,
        "most": _MOST,
        "lately": LATELY,
    }


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode("utf-8", "backslashreplace")
