"""Where the jobs are, and the keys that are watched."""

from qsuper.config import kinds
from qsuper.config.redact import redact_url
from qsuper.config.tables.table import Table


class StoreConfig(Table, frozen=True):
    """`[store]`: the database that holds the jobs."""

    url: kinds.StoreUrl = "sqlite:///var/qsuper.db"
    """SQLAlchemy URL; without it a SQLite file `qsuper.db` in `state_dir`."""
    connect_timeout: kinds.UpToAnHour = 5.0
    """Seconds to wait for a connection."""
    read_timeout: kinds.UpToAnHour = 30.0
    """Seconds to wait for the answer to one statement."""

    def __repr__(self) -> str:
        return f"StoreConfig(url={redact_url(self.url)!r})"


class RedisConfig(Table, frozen=True):
    """`[redis]`: where watched keys live; without it there is no listener."""

    url: kinds.RedisUrl | None = None
    """URL of Redis or Valkey with its database number, `embedded`, or none."""

    def __repr__(self) -> str:
        return f"RedisConfig(url={None if self.url is None else redact_url(self.url)!r})"
