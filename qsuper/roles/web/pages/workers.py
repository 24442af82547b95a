"""The children, and what each does."""

from typing import Any

from qsuper.roles.web.page import Fields
from qsuper.roles.web.site import Site


def load(site: Site, _: Fields, __: Fields) -> dict[str, Any]:
    return {"picture": site.picture()}
