"""Every key of `qsuper.toml`."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, get_args, get_origin

from msgspec import NODEFAULT, Meta
from msgspec.structs import FieldInfo, fields

from qsuper.config import Config
from qsuper.config.tables.table import Table
from reference import docstrings
from reference.markdown import code, page, table

# Where the default is another on each host.
_SPELLED: dict[tuple[str, ...], str] = {("node", "name"): "the host's name"}


def render() -> str:
    return page(
        "Configuration",
        "One file, `qsuper.toml`. Every key has a default, unless it says *needed*. A variable of"
        " the environment goes over the file: `QSUPER_LOG__LEVEL` for `level` in `[log]`,"
        " `QSUPER_QUEUES__MAIL__WORKERS` for `workers` in `[queues.mail]`. Flags go over both."
        " Durations are seconds, or `90s`, `15m`, `1h`, `2d`; sizes are bytes, or `64KB`, `256MB`,"
        " `1GB`. `conf/qsuper.toml.example` has them all.",
        *_sections(Config, ()),
    )


def _sections(kind: type[Table], path: tuple[str, ...]) -> Iterator[str]:
    """A table of the file, then those within it."""
    said = docstrings.of(kind)
    own = [one for one in fields(kind) if one.name not in kind.derived]
    keys = [one for one in own if _within(one.type) is None]
    about = " ".join((kind.__doc__ or "").split()).rpartition("`: ")[2]
    yield f"## `[{'.'.join(path)}]`" if path else "## At the top"
    if path:
        yield about[0].upper() + about[1:]
    if keys:
        yield table(
            ("key", "meaning", "what it takes", "default"),
            [
                (code(one.name), said[one.name], _takes(one.type), _default(one, path))
                for one in keys
            ],
        )
    for one in own:
        if inner := _within(one.type):
            many = get_origin(_bare(one.type)) is Mapping
            listed = get_origin(_bare(one.type)) is tuple
            name = f"[{one.name}]" if listed else one.name
            yield from _sections(inner, (*path, name, "NAME") if many else (*path, name))


def _bare(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _within(kind: Any) -> type[Table] | None:
    """The table that a key holds, or a list or a mapping of it."""
    if isinstance(kind, type) and issubclass(kind, Table):
        return kind
    return next((found for part in get_args(kind) if (found := _within(part))), None)


def _takes(kind: Any) -> str:
    if kind is bool:
        return "`true` or `false`"
    metas = [part for part in get_args(kind) if isinstance(part, Meta)]
    if metas:
        return str(metas[0].description)
    return next((words for part in get_args(kind) if (words := _takes(part))), "")


def _default(one: FieldInfo, path: tuple[str, ...]) -> str:
    if spelled := _SPELLED.get((*path, one.name)):
        return spelled
    if one.required:
        return "*needed*"
    value = one.default if one.default is not NODEFAULT else one.default_factory()
    return "none" if value is None else code(_written(value))


def _written(value: object) -> str:
    """As TOML has it."""
    match value:
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case str():
            return f'"{value}"'
        case tuple():
            return f"[{', '.join(_written(one) for one in value)}]"
        case dict():
            return "{}"
    return str(value)
