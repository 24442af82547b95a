"""What every table of the file is made of."""

from collections.abc import Mapping
from typing import Any, ClassVar

from msgspec import Struct


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file; `ValueError` when its values contradict each other."""

    derived: ClassVar[Mapping[str, str]] = {}
    """Fields that the file cannot set, each with the key it is worked out from."""

    @classmethod
    def spread(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The values as written, with short spellings written out."""
        return values
