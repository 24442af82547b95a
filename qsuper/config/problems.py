"""All mistakes of a configuration, each with its source, its place and the mend."""

from collections.abc import Iterable, Mapping

from qsuper.config.redact import redact_url
from qsuper.errors import ConfigError

KeyPath = tuple[str | int, ...]

COMMAND_LINE = "command line"
PREFIX = "QSUPER_"
_SHOWN_MOST = 60


class Problems:
    """Collects mistakes, so that one run tells them all."""

    def __init__(self, file: str | None) -> None:
        self.file = file
        self.lines: list[str] = []
        self.origins: dict[KeyPath, str] = {}
        """What came from elsewhere than the file: an environment variable or the command line."""

    def origin(self, path: KeyPath) -> str | None:
        """Where the value at this path came from; None for the file."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
        return None

    def add(self, path: KeyPath, text: str, *, table: bool = False) -> None:
        """Note a mistake at a key, or at a whole table."""
        origin = self.origin(path)
        if origin is not None and origin != COMMAND_LINE:
            self.lines.append(f"{origin}: {text}")
            return
        parts = (origin or self.file, _place(path, table=table), text)
        self.lines.append(": ".join(part for part in parts if part))

    def add_unknown(self, path: KeyPath, known: Iterable[str], *, table: bool) -> None:
        """Note a key that nothing knows, with the one that may have been meant."""
        known = sorted(known)
        meant = _closest(str(path[-1]), known)
        if meant is None:
            mend = f"known are {', '.join(known)}"
        elif self.origin(path) in {None, COMMAND_LINE}:
            mend = f"did you mean {_place((*path[:-1], meant), table=table)}?"
        else:
            mend = f"did you mean {variable((*path[:-1], meant))}?"
        self.add(path, f"unknown {'table' if table else 'key'}; {mend}", table=table)

    def raise_if_any(self) -> None:
        """ConfigError with every line noted."""
        if self.lines:
            raise ConfigError(self.lines)


def variable(path: KeyPath) -> str:
    """The environment variable that sets this key."""
    return PREFIX + "__".join(str(part) for part in path).upper()


def shown(value: object) -> str:
    """A value as the file would spell it: short, on one line, without a password."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a table"
    spelt = _quoted(redact_url(value)) if isinstance(value, str) else repr(value)
    return spelt if len(spelt) <= _SHOWN_MOST else spelt[: _SHOWN_MOST - 1] + "…"


def _place(path: KeyPath, *, table: bool) -> str:
    """`[queues.mail] workers`, `[queues.mail]` or `[[watch]] 2 pattern`."""
    names, key = (path, "") if table else (path[:-1], _key(path[-1]) if path else "")
    header = ".".join(_key(name) for name in names if isinstance(name, str))
    number = next((f" {name + 1}" for name in names if isinstance(name, int)), "")
    brackets = f"[[{header}]]{number}" if number else f"[{header}]" if header else ""
    return f"{brackets} {key}".strip()


def _key(name: str | int) -> str:
    text = str(name)
    bare = text.replace("-", "").replace("_", "")
    return text if bare.isascii() and bare.isalnum() else _quoted(text)


def _quoted(text: str) -> str:
    return f'"{repr(text)[1:-1]}"'


def _closest(name: str, known: list[str]) -> str | None:
    # Slow to import, and only those who mistyped need it.
    from difflib import get_close_matches

    return next(iter(get_close_matches(name.lower(), known, n=1)), None)
