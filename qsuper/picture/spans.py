"""Lengths of time in words."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def span(seconds: float) -> str:
    """`0.4s`, `12s`, `3m 20s`, `5h 2m`, `12d 3h`: two units at most."""
    seconds = max(0.0, seconds)
    if seconds < 9.95:
        return f"{seconds:.1f}".removesuffix(".0") + "s"
    whole = round(seconds)
    for large, letter, small, small_letter in (
        (_DAY, "d", _HOUR, "h"),
        (_HOUR, "h", _MINUTE, "m"),
        (_MINUTE, "m", 1, "s"),
    ):
        if whole >= large:
            rest = whole % large // small
            return f"{whole // large}{letter}" + (f" {rest}{small_letter}" if rest else "")
    return f"{whole}s"
