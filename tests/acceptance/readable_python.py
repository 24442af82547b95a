"""This interpreter, for a user who may not read the folder of root's that it lives in."""

import shlex
import sys
from pathlib import Path

from tests.servers.program import find_program

_SCRIPT = """
set -e
mount --bind {python} {aside}
mount -t tmpfs -o mode=755 none {barred}
mkdir -p {python}
mount --bind {aside} {python}
exec "$@"
"""
"""In a mount namespace of its own: the folder that is barred shows nothing but the interpreter."""


def prefix(aside: Path) -> list[str]:
    """What goes before a command that root starts and that becomes another user; it stays the same
    process. Nothing where everybody may read the interpreter. `aside`: an empty folder."""
    python = Path(sys.base_prefix).resolve()
    barred = [folder for folder in python.parents if not folder.stat().st_mode & 0o001]
    if not barred:
        return []
    words = {"python": python, "aside": aside, "barred": barred[-1]}
    script = _SCRIPT.format(**{name: shlex.quote(str(path)) for name, path in words.items()})
    return [find_program("unshare"), "--mount", find_program("sh"), "-c", script, "sh"]
