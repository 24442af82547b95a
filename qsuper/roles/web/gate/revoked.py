"""Sessions that were ended before their time: a file, for the next process must know them, too."""

import os
from pathlib import Path

import msgspec

REVOKED_FILE = "web.revoked"
MOST = 10_000
"""Of more than that the ones that expire first are forgotten."""


class Revoked:
    """Ids with the time at which they would have expired. Used by the loop's thread only."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / REVOKED_FILE
        self._seen: tuple[int, int] | None = None
        self._ids: dict[str, int] = {}

    def __contains__(self, id: str) -> bool:
        self._refresh()
        return id in self._ids

    def add(self, id: str, expires: int, now: float) -> None:
        """From now on it is over; in the file, for other processes, before this returns. Raises
        OSError when it could not be written: then it is over in this process."""
        self._refresh()
        self._ids[id] = expires
        kept = sorted((at, one) for one, at in self._ids.items() if at > now)[-MOST:]
        self._ids = {one: at for at, one in kept}
        self._write(msgspec.json.encode(self._ids))

    def _write(self, raw: bytes) -> None:
        """Whole or not at all."""
        fresh = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        try:
            with open(descriptor, "wb") as file:
                file.write(raw)
            fresh.rename(self._path)
        except OSError:
            fresh.unlink()
            raise

    def _refresh(self) -> None:
        """During a reload two processes serve, and either may end a session."""
        try:
            found = self._path.stat()
        except OSError:
            return
        seen = (found.st_ino, found.st_mtime_ns)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._ids |= msgspec.json.decode(self._path.read_bytes(), type=dict[str, int])
        except (OSError, msgspec.MsgspecError):
            # Ours is as good: what is broken is written anew with the next log-out.
            return
