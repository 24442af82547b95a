"""Redis' own glob patterns, for keys that Redis itself cannot be asked about any more."""

import re


def compile_glob(pattern: bytes) -> re.Pattern[bytes]:
    r"""A pattern as `KEYS` reads it (`*`, `?`, `[a-c]`, `[^a]`, `\x`), for `fullmatch`.

    An open bracket without its end reads to the end of the pattern, as in Redis' stringmatchlen.
    """
    out: list[bytes] = []
    place = 0
    while place < len(pattern):
        letter = pattern[place : place + 1]
        if letter == b"*":
            out.append(b".*")
        elif letter == b"?":
            out.append(b".")
        elif letter == b"[":
            place, text = _read_class(pattern, place + 1)
            out.append(text)
            continue
        elif letter == b"\\" and place + 1 < len(pattern):
            place += 1
            out.append(re.escape(pattern[place : place + 1]))
        else:
            out.append(re.escape(letter))
        place += 1
    return re.compile(b"".join(out), re.DOTALL)


def _read_class(pattern: bytes, place: int) -> tuple[int, bytes]:
    """From behind the bracket: where the class ends, and the class."""
    negated = pattern[place : place + 1] == b"^"
    place += negated
    members: list[bytes] = []
    while place < len(pattern):
        letter = pattern[place : place + 1]
        if letter == b"\\" and place + 1 < len(pattern):
            place += 1
            members.append(re.escape(pattern[place : place + 1]))
        elif letter == b"]":
            place += 1
            break
        elif pattern[place + 1 : place + 2] == b"-" and place + 2 < len(pattern):
            first, last = sorted((pattern[place], pattern[place + 2]))
            members.append(re.escape(bytes([first])) + b"-" + re.escape(bytes([last])))
            place += 2
        else:
            members.append(re.escape(letter))
        place += 1
    if not members:
        # Nothing is in an empty class, and everything is in its opposite.
        return place, b"." if negated else b"(?!)"
    return place, b"[" + (b"^" if negated else b"") + b"".join(members) + b"]"
