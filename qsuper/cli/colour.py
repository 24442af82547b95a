"""Whether anybody sees colours."""

import os
import sys


def coloured() -> bool:
    """Standard output is a terminal, and nobody wants to do without (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and not is_dumb()


def is_dumb() -> bool:
    """The terminal can neither colour nor move its cursor."""
    return os.environ.get("TERM", "dumb") in ("dumb", "unknown", "")
