"""The nodes that share the database."""

from typing import Any

from qsuper.roles.web.page import Fields
from qsuper.roles.web.site import Site
from qsuper.store import nodes


def load(site: Site, _: Fields, __: Fields) -> dict[str, Any]:
    picture = site.picture()
    with site.connection() as connection:
        found = nodes.everyone(connection)
    return {"nodes": found, "picture": picture}
