"""When `qsuper cron tick` came last: the time of a file in state_dir."""

import logging
from pathlib import Path

log = logging.getLogger("qsuper.cron")

_NAME = "cron.tick"


def note(state_dir: Path) -> None:
    """It has come; on a host where no daemon has made the folder nobody asks."""
    if not state_dir.is_dir():
        return
    path = state_dir / _NAME
    try:
        path.touch(mode=0o600)
    except OSError as error:
        log.warning("%s: %s; [alerts] cannot see that the tick came", path, error.strerror)


def last(state_dir: Path) -> float | None:
    """Unix time; None when there was none yet."""
    try:
        return (state_dir / _NAME).stat().st_mtime
    except OSError:
        return None
