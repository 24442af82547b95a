"""The daemon itself: its log, and its place among other nodes."""

import os

from msgspec import field

from qsuper.config import kinds
from qsuper.config.tables.table import Table


class LogConfig(Table, frozen=True):
    """`[log]`: one file a day for all processes."""

    dir: kinds.FilePath = "var/log"
    """Folder of the day-files; `-` writes to standard output instead."""
    keep_days: kinds.Days = 14
    """Days after which a day-file is removed; 0 keeps today's only."""
    format: kinds.LogFormat = "text"
    """`text` for people, `json` for machines."""
    level: kinds.LogLevel = "info"
    """Least urgent level that is written."""


class NodeConfig(Table, frozen=True):
    """`[node]`: this master among others that work on the same database."""

    name: kinds.NodeName = field(default_factory=lambda: os.uname().nodename)
    """For people; without it the host's name."""
    lease: kinds.UpToAnHour = 30.0
    """Seconds after which a silent node counts as lost."""
    alone_grace: kinds.SomeSeconds = 600.0
    """Seconds after which others rescue the jobs of a lost node that was alone."""
