"""The param of an old row (`o`) in utf8mb4, as SQL.

PHP puts UTF-8 into latin1 columns and BLOBs byte for byte, so those are read as UTF-8; rows in
which they are none are latin1 indeed.
"""

from qsuper.store.adopting.column import Column


def may_be_either(column: Column) -> bool:
    """Whether its bytes may be UTF-8, whatever the column says."""
    return column.charset in ("latin1", None)


def is_latin1(column: Column) -> str:
    """The condition for rows whose bytes are no UTF-8.

    To be asked in a SELECT of its own: within an INSERT it is an error.
    """
    raw = _raw(column)
    return f"NOT CAST(CONVERT({raw} USING utf8mb4) AS BINARY) <=> {raw}"


def in_utf8mb4(column: Column, latin1: str) -> str:
    """The text; `latin1` is the condition for the rows that are to be read as such."""
    if not may_be_either(column):
        return f"CONVERT(o.`{column.name}` USING utf8mb4)"
    raw = _raw(column)
    as_latin1 = f"CONVERT(CONVERT({raw} USING latin1) USING utf8mb4)"
    return f"IF({latin1}, {as_latin1}, CONVERT({raw} USING utf8mb4))"


def _raw(column: Column) -> str:
    return f"CAST(o.`{column.name}` AS BINARY)"
