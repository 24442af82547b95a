"""All jobs, the newest first, a page at a time."""

from typing import Any

from qsuper.roles.web.page import Fields
from qsuper.roles.web.pages import filters
from qsuper.roles.web.site import Site
from qsuper.states import FINISHED, State
from qsuper.store import browsing, bulk, timers


def load(site: Site, _: Fields, query: Fields) -> dict[str, Any]:
    now, picture = site.now(), site.picture()
    wanted = filters.browse(query, now)
    before = query.get("before", "")
    with site.connection() as connection:
        page = browsing.page(connection, wanted, filters.an_id(before) if before else None)
        live = None if wanted.name is None else timers.live_id(connection, wanted.name)
    chosen = {name: query.get(name, "").strip() for name in filters.NAMES}
    given = [name for name, value in chosen.items() if value]
    return {
        "picture": picture,
        "found": page,
        "live": live,
        "chosen": chosen,
        "first": not before,
        "states": [state.word for state in State],
        "tasks": sorted(picture.totals.tasks),
        # A text is looked for among the newest rows only: nothing is moved by it.
        "retries": wanted.state in FINISHED and wanted.text is None and len(given) > 1,
        "cancels": wanted.state in bulk.WAITING and wanted.text is None and len(given) > 1,
    }
