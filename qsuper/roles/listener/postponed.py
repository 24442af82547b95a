"""Changes of keys that are touched all the time: written once a second, not each time."""

from qsuper.roles.listener.plan import Case
from qsuper.store.ledger import Entry, Key

EVERY = 1.0
"""Seconds: what a crash of the listener can make it forget. A first arming, or an earlier
deadline, is never put off."""


class Postponed:
    """What was seen last of keys whose row was written a moment ago."""

    def __init__(self) -> None:
        self._written: dict[Key, float] = {}
        self._entries: dict[Key, Entry] = {}
        self._next = 0.0

    def __len__(self) -> int:
        return len(self._entries)

    def of(self, key: Key) -> Entry | None:
        return self._entries.get(key)

    def may_write(self, case: Case, entry: Entry, now: float) -> bool:
        """Whether it is to be written at once; then it counts as written."""
        row = case.row
        known = row.entry.deadline if row is not None and row.armed and not case.ends else None
        if known is None or entry.deadline < known or case.key not in self._written:
            self._written[case.key] = now
            return True
        return False

    def put(self, entry: Entry) -> None:
        self._entries[entry.key] = entry

    def drop(self, key: Key) -> None:
        """It is known better now."""
        self._entries.pop(key, None)

    def take_due(self, now: float) -> list[Entry]:
        """What has waited long enough."""
        if now < self._next:
            return []
        self._next = now + EVERY
        self._written = {key: at for key, at in self._written.items() if now - at < EVERY}
        return self.take_all()

    def take_all(self) -> list[Entry]:
        entries, self._entries = list(self._entries.values()), {}
        return entries

    def rest(self, now: float) -> float:
        return max(0.0, self._next - now) if self._entries else EVERY
