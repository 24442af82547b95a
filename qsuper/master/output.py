"""The children's output files: capped, because a job may print for ever."""

import os
from contextlib import suppress
from pathlib import Path

SIZE_MOST = 1 << 20


def cap(state_dir: Path) -> None:
    """Empty what has grown too long. Its writers append, so that they go on at the start."""
    with suppress(OSError):
        for entry in os.scandir(state_dir / "output"):
            with suppress(OSError):
                if entry.name.endswith(".out") and entry.stat().st_size > SIZE_MOST:
                    os.truncate(entry.path, 0)
