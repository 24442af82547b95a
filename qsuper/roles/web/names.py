"""Under which names the dashboard may be reached: others are those of a page that was rebound."""

import re
from collections.abc import Mapping
from ipaddress import ip_address

from qsuper.config import WebConfig

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?", re.ASCII)
_LOCAL = ("localhost", "127.0.0.1", "::1")


class Names:
    """Those of the configuration, those of this host, and the address that was listened on."""

    def __init__(self, config: WebConfig) -> None:
        listen = (config.listen or "").rpartition(":")[0].strip("[]").lower()
        self._names = {*_LOCAL, listen, *(name.lower() for name in config.hosts)} - {""}

    def allows(self, host: str, local: str) -> bool:
        """Whether the header `Host` (or the host of an origin) is ours; `local`: the address at
        which the connection came in.

        A page whose name was made to lead here sends that name, never an address.
        """
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = match[1].strip("[]").rstrip(".").lower()
        return name in self._names or _same_address(name, local)


def _same_address(name: str, local: str) -> bool:
    try:
        return ip_address(name) == ip_address(local)
    except ValueError:
        return False


def origin_of(headers: Mapping[str, str]) -> str | None:
    """The host, with its port, from which a request says that it comes; None when it says
    nothing, and an empty text where it hides it."""
    origin = headers.get("origin")
    if origin is None:
        return None
    scheme, _, host = origin.partition("://")
    return host.lower() if scheme in ("http", "https") else ""
