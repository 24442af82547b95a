"""Redis' own glob patterns, for keys that Redis itself cannot be asked about any more."""

import re


def compile_glob(pattern: bytes) -> re.Pattern[bytes]:
    r"""A pattern as `KEYS` reads it (`*`, `?`, `[a-c]`, `[^a]`, `\x`), for `fullmatch`.

    An open bracket without its end reads to the end of the pattern, as in Redis' stringmatchlen.
    """
    pieces = [b""]
    place = 0
    while place < len(pattern):
        letter = pattern[place : place + 1]
        if letter == b"*":
            pieces.append(b"")
        elif letter == b"?":
            pieces[-1] += b"."
        elif letter == b"[":
            place, text = _read_class(pattern, place + 1)
            pieces[-1] += text
            continue
        elif letter == b"\\" and place + 1 < len(pattern):
            place += 1
            pieces[-1] += re.escape(pattern[place : place + 1])
        else:
            pieces[-1] += re.escape(letter)
        place += 1
    return re.compile(_join(pieces), re.DOTALL)


def _join(pieces: list[bytes]) -> bytes:
    """What stands between the stars; the first place where a piece fits is as good as any, and is
    never left again: or a long key and some stars would take hours."""
    first, *others = pieces
    if not others:
        return first
    middle = b"".join(b"(?>.*?" + piece + b")" for piece in others[:-1] if piece)
    return first + middle + b".*" + others[-1]


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
            members += _range(first, last, negated)
            place += 2
        else:
            members.append(re.escape(letter))
        place += 1
    if not members:
        # Nothing is in an empty class, and everything is in its opposite.
        return place, b"." if negated else b"(?!)"
    return place, b"[" + (b"^" if negated else b"") + b"".join(members) + b"]"


def _range(first: int, last: int, negated: bool) -> list[bytes]:
    if first < 0x80 <= last:
        # Redis takes letters for signed or not, as its processor does. Whatever it may tell us of
        # is ours: both readings together are everything, and have the two ends in common.
        if not negated:
            return [rb"\x00-\xff"]
        return [re.escape(bytes([first])), re.escape(bytes([last]))]
    return [re.escape(bytes([first])) + b"-" + re.escape(bytes([last]))]
