"""How many workers somebody asked for, remembered across restarts of the master."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path

from qsuper.config import QueueConfig
from qsuper.config.tables.queues import WORKERS_MOST
from qsuper.errors import QsuperError

AUTO = "auto"
"""Asked for instead of a number: what the configuration says."""

log = logging.getLogger("qsuper.master")


def parse_workers(value: object) -> int | None:
    """A number of workers, or None for `auto`; raises `QsuperError` for anything else."""
    if value == AUTO:
        return None
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()):
        raise QsuperError(
            f"{value!r} is not a number of workers: write 0 to {WORKERS_MOST}, or {AUTO}"
        )
    # int() refuses thousands of digits; nothing that long is within the bounds anyway.
    if digits != text or len(digits) > 9 or int(digits) > WORKERS_MOST:
        shown = text if len(text) <= 20 else f"{text[:20]}…"
        raise QsuperError(f"{shown} workers cannot be had: write 0 to {WORKERS_MOST}, or {AUTO}")
    return int(digits)


class Scale:
    """The remembered numbers of one state directory: valid until the configured ones change."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._remembered: dict[str, dict[str, int]] = {}
        try:
            for queue, entry in json.loads(path.read_bytes()).items():
                workers, configured = int(entry["workers"]), int(entry["configured"])
                if 0 <= workers <= WORKERS_MOST:
                    self._remembered[queue] = {"workers": workers, "configured": configured}
        except FileNotFoundError:
            pass
        except (ValueError, TypeError, KeyError, AttributeError, OSError) as error:
            log.warning("the remembered scale in %s cannot be read: %s", path, error)

    def wanted(
        self, queues: Mapping[str, QueueConfig], automatic: Mapping[str, int]
    ) -> dict[str, int]:
        """Workers per queue: as remembered where that still holds, else `automatic` where the
        queue follows its backlog, else as configured."""
        otherwise = {name: automatic.get(name, queue.workers) for name, queue in queues.items()}
        return otherwise | self.remembered(queues)

    def remembered(self, queues: Mapping[str, QueueConfig]) -> dict[str, int]:
        """The remembered numbers that hold against this configuration."""
        return {
            name: entry["workers"]
            for name, entry in self._remembered.items()
            if name in queues and queues[name].workers == entry["configured"]
        }

    def remember(self, name: str, workers: int | None, configured: int) -> None:
        """Keep a number, or with None give the queue back to the configuration."""
        if workers is None:
            self._remembered.pop(name, None)
        else:
            self._remembered[name] = {"workers": workers, "configured": configured}
        fresh = self._path.with_suffix(".new")
        try:
            fresh.write_text(json.dumps(self._remembered, indent=2) + "\n")
            fresh.replace(self._path)
        except OSError as error:
            log.error("the scale holds, but cannot be remembered: %s", error)
