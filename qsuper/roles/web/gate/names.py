"""Under which names the dashboard may be reached: others are those of a page that was rebound."""

import re
from collections.abc import Mapping

from qsuper.config import WebConfig
from qsuper.roles.web.gate.addresses import address

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?", re.ASCII)
_LOCAL = ("localhost", "127.0.0.1", "::1")


class Names:
    """Those of the configuration, those of this host, and the address that was listened on."""

    def __init__(self, config: WebConfig) -> None:
        listen = (config.listen or "").rpartition(":")[0]
        self._names = {_plain(name) for name in (*_LOCAL, listen, *config.hosts)} - {""}

    def allows(self, host: str, local: str) -> bool:
        """Whether the header `Host` (or the host of an origin) is ours; `local`: the address at
        which the connection came in.

        A page whose name was made to lead here sends that name, never an address.
        """
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = _plain(match[1])
        return name in self._names or (address(name) is not None and name == _plain(local))


def _plain(name: str) -> str:
    """A name or an address as it is compared."""
    bare = name.strip("[]").rstrip(".").lower()
    return str(address(bare) or bare)


def origin_of(headers: Mapping[str, str]) -> str | None:
    """The host, with its port, from which a request says that it comes; None when it says
    nothing, and an empty text where it hides it."""
    origin = headers.get("origin")
    if origin is None:
        return None
    scheme, _, host = origin.partition("://")
    return host.lower() if scheme in ("http", "https") else ""
