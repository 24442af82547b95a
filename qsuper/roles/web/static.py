"""The files that pages refer to: a fixed table, and no path that anybody sends is ever opened."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class File:
    body: bytes
    type: str
    tag: str
    """Another one for another body."""


@cache
def table() -> dict[str, File]:
    """The files by name, as they were when they were first asked for."""
    found = {}
    for one in files("qsuper.roles.web").joinpath("static").iterdir():
        kind = _TYPES.get(one.name[one.name.rfind(".") :])
        if kind is not None:
            body = one.read_bytes()
            tag = f'"{sha256(body).hexdigest()[:20]}"'
            found[one.name] = File(body, f"{kind}; charset=utf-8", tag)
    return found
