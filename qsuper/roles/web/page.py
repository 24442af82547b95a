"""One page of the dashboard."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.convertors import Convertor, register_url_convertor

from qsuper.errors import QsuperError
from qsuper.roles.web.site import Site

Fields = Mapping[str, str]
"""Names and values of an address: the last one of a name that is given twice."""


class NoSuchPage(QsuperError):
    """There is no such page."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page: what is shown under an address, and where that comes from."""

    path: str
    """As Starlette writes it: `/jobs/{id:job}`."""
    name: str
    """Its word in the navigation; empty for one that is not there."""
    template: str
    load: Callable[[Site, Fields, Fields], dict[str, Any]]
    """From the fields of the path and those of the query to what the template needs. Runs in a
    thread; raises `NoSuchPage` or `NoSuchJob` for what is not there."""
    stored: bool = True
    """Whether it waits for the database."""


class JobNumber(Convertor[str]):
    """A part of a path that may be the number of a job: `int` of any digits is not to be had."""

    regex = "[0-9]{1,40}"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("job", JobNumber())
