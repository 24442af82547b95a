"""Templates: everything in them is escaped, and nothing that is missing reads as empty."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from qsuper.roles.web.showing.wording import FILTERS


@cache
def environment() -> Environment:
    """The templates, with the filters of the pages."""
    made = Environment(
        loader=PackageLoader("qsuper.roles.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(FILTERS)
    return made


def render(template: str, **context: Any) -> str:
    text = environment().get_template(template).render(context)
    # What a foreign writer left in a row that is no UTF-8 is written out.
    return text.encode("utf-8", "backslashreplace").decode()
