"""The dashboard."""

from qsuper.config import kinds
from qsuper.config.tables.table import Table


class WebConfig(Table, frozen=True):
    """`[web]`: dashboard, JSON and metrics; without `listen` there are none."""

    listen: kinds.Listen | None = None
    """`host:port` to listen on, or none."""
    token: kinds.Token | None = None
    """What one logs in with; without it the file `web.token` in `state_dir`, made at the start."""
    trusted_header: kinds.HeaderName | None = None
    """Header in which a proxy names who has logged in there; without it only the token counts."""
    trusted_proxies: kinds.Addresses = ("127.0.0.1", "::1")
    """Addresses from which that header is believed."""
    hosts: kinds.HostNames = ()
    """Names under which it is reached, besides `localhost` and the address it listens on."""
    read_only: bool = False
    """Whether it shows everything and changes nothing."""
    public_metrics: bool = False
    """Whether `/metrics` answers without a token."""

    def __post_init__(self) -> None:
        if self.listen is not None and int(self.listen.rpartition(":")[2]) > 65535:
            raise ValueError(f"listen = {self.listen!r}: a port is at most 65535")

    def __repr__(self) -> str:
        return f"WebConfig(listen={self.listen!r}, read_only={self.read_only})"
