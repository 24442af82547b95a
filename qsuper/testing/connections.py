"""A database whose connections end with the test that opened them."""

from qsuper.config import StoreConfig
from qsuper.store.database import Connection, Database


class ClosingDatabase(Database):
    """Remembers what it has opened, in whichever thread."""

    def __init__(self, store: StoreConfig) -> None:
        super().__init__(
            store.url, connect_timeout=store.connect_timeout, read_timeout=store.read_timeout
        )
        self._opened: list[Connection] = []

    def connect(self) -> Connection:
        return self._noted(super().connect())

    def connect_plain(self) -> Connection:
        return self._noted(super().connect_plain())

    def close(self) -> None:
        """Close every connection."""
        while self._opened:
            self._opened.pop().close()

    def _noted(self, connection: Connection) -> Connection:
        self._opened.append(connection)
        return connection
