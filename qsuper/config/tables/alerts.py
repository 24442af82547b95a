"""Who is told when something is wrong."""

from qsuper.config import kinds
from qsuper.config.redact import redact_url
from qsuper.config.tables.table import Table


class AlertsConfig(Table, frozen=True):
    """`[alerts]`: who is told what is wrong; without `command` and `webhook` nobody is."""

    command: kinds.Program | None = None
    """Program that gets the alert as JSON on its standard input."""
    webhook: kinds.WebUrl | None = None
    """URL to which the alert is sent as JSON by POST."""
    timeout: kinds.UpToAnHour = 10.0
    """Seconds the command or the webhook may take."""
    oldest_ready: kinds.SomeSeconds = 300.0
    """Seconds of waiting of the oldest ready job of a queue that are too long."""
    dead: kinds.JobCount = 10
    """Jobs that died within `dead_within` that are too many; 0 = never."""
    dead_within: kinds.SomeSeconds = 600.0
    """Seconds over which dead jobs are counted."""
    away: kinds.Wait = 30.0
    """Seconds the database or Redis may be away, or a child FATAL, before somebody is told."""
    quiet: kinds.SomeSeconds = 60.0
    """Seconds for which all must be well again before that is told: what flaps is told once."""
    cron_tick: kinds.Seconds = 0.0
    """Seconds without a `qsuper cron tick` that are too long; 0 = none is expected."""

    def __repr__(self) -> str:
        url = None if self.webhook is None else redact_url(self.webhook)
        return f"AlertsConfig(command={self.command!r}, webhook={url!r})"
