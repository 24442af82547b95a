"""Turns plain values into tables, going on after a mistake so that all are found."""

from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Meta
from msgspec.structs import fields

from qsuper.config.problems import KeyPath, Problems, shown
from qsuper.config.tables.table import Table

TableKind = TypeVar("TableKind", bound=Table)

_MISTAKE = object()


class Reader:
    """Reads tables; what is wrong goes to its problems and is left at its default."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems

    def table(self, kind: type[TableKind], values: object, path: KeyPath = ()) -> TableKind | None:
        """The table, or None when it cannot be built; the problems then say why."""
        if not isinstance(values, Mapping):
            self.problems.add(path, f"must be a table, not {shown(values)}", table=True)
            return None
        known = {field.name: field for field in fields(kind)}
        self._unknown(kind, values, path)
        found: dict[str, Any] = {}
        for key, value in kind.spread(values).items():
            if key in known and not (key in kind.derived and key in values):
                read = self._value(known[key].type, value, (*path, kind.derived.get(key, key)))
                if read is not _MISTAKE:
                    found[key] = read
        return self._build(kind, found, values, path)

    def _unknown(self, kind: type[Table], values: Mapping[str, object], path: KeyPath) -> None:
        known = [name for name in kind.__struct_fields__ if name not in kind.derived]
        for key in values:
            if key not in known:
                table = isinstance(values[key], Mapping)
                self.problems.add_unknown((*path, key), known, table=table)

    def _build(
        self,
        kind: type[TableKind],
        found: dict[str, Any],
        values: Mapping[str, object],
        path: KeyPath,
    ) -> TableKind | None:
        required = [
            field
            for field in fields(kind)
            if field.default is NODEFAULT and field.default_factory is NODEFAULT
        ]
        for field in required:
            if field.name not in values:
                words = _meta(field.type).description
                self.problems.add((*path, field.name), f"is missing; write {words}")
        if any(field.name not in found for field in required):
            return None
        try:
            return kind(**found)
        except ValueError as mistake:
            self.problems.add(path, str(mistake), table=True)
            return None

    def _value(self, kind: Any, value: object, path: KeyPath) -> object:
        inner = _inner(kind)
        arguments = get_args(inner)
        if _is_table(inner):
            if not isinstance(value, Mapping) and _meta(kind).description:
                return self._mistake(kind, value, path)
            return _or_mistake(self.table(inner, value, path))
        if get_origin(inner) is Mapping:
            return self._named_tables(arguments[0], arguments[1], value, path)
        if arguments and _is_table(arguments[0]):
            return self._listed_tables(kind, arguments[0], value, path)
        return self._plain(kind, inner, value, path)

    def _named_tables(
        self, name_kind: Any, kind: type[Table], value: object, path: KeyPath
    ) -> object:
        if not isinstance(value, Mapping):
            self.problems.add(path, f"must be a table, not {shown(value)}", table=True)
            return _MISTAKE
        tables = {}
        for name, inner in value.items():
            try:
                msgspec.convert(name, name_kind)
            except msgspec.ValidationError:
                words = _meta(name_kind).description
                self.problems.add((*path, name), f"the name must be {words}", table=True)
            table = self.table(kind, inner, (*path, name))
            if table is not None:
                tables[name] = table
        return tables

    def _listed_tables(self, kind: Any, table: type[Table], value: object, path: KeyPath) -> object:
        if not isinstance(value, list):
            return self._mistake(kind, value, path)
        read = [self.table(table, inner, (*path, index)) for index, inner in enumerate(value)]
        return tuple(table for table in read if table is not None)

    def _plain(self, kind: Any, inner: Any, value: object, path: KeyPath) -> object:
        from_text = isinstance(value, str) and self.problems.origin(path) is not None
        if from_text and value == "" and inner is not kind and type(None) in get_args(kind):
            return None
        meta = _meta(kind)
        plain = value
        try:
            if from_text and get_origin(inner) is tuple:
                plain = msgspec.json.decode(str(value))
            if meta.extra:
                plain = meta.extra["read"](plain)
            return msgspec.convert(plain, kind, strict=not from_text)
        except ValueError:
            return self._mistake(kind, value, path)

    def _mistake(self, kind: Any, value: object, path: KeyPath) -> object:
        words = _meta(kind).description
        self.problems.add(path, f"must be {words}, not {shown(value)}")
        return _MISTAKE


def _or_mistake(table: Table | None) -> object:
    return _MISTAKE if table is None else table


def _is_table(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Table)


def _annotated(kind: Any) -> Any:
    """`Annotated[X, …]` out of itself or out of `Annotated[X, …] | None`."""
    if get_origin(kind) in {Union, UnionType}:
        return next(part for part in get_args(kind) if part is not type(None))
    return kind


def _inner(kind: Any) -> Any:
    """The bare type, without None and without its words."""
    annotated = _annotated(kind)
    return get_args(annotated)[0] if get_origin(annotated) is Annotated else annotated


def _meta(kind: Any) -> Meta:
    """The words and the reading of a kind."""
    annotated = _annotated(kind)
    if get_origin(annotated) is Annotated:
        return next(part for part in annotated.__metadata__ if isinstance(part, Meta))
    return Meta()
