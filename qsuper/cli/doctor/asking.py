"""What another program of this host says."""

import shutil
import subprocess

ASKED_FOR = 5.0
"""Seconds."""


def ask(program: str, *words: str) -> str | None:
    """What it prints; None where there is no such program, or it does not end in time."""
    path = shutil.which(program)
    if path is None:
        return None
    try:
        asked = subprocess.run(
            [path, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=ASKED_FOR,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return asked.stdout
