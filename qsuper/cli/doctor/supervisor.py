"""A supervisord that runs, asked over its socket what it was configured to do."""

import http.client
import socket
import xmlrpc.client
from typing import Any


def programs(url: str, *, timeout: float) -> list[dict[str, Any]]:
    """The settings of its programs; none when it does not answer within `timeout` seconds, or
    wants a password."""
    path = url.removeprefix("unix://")
    if path == url:
        server = xmlrpc.client.ServerProxy(f"{url}/RPC2", transport=_Transport(None, timeout))
    else:
        server = xmlrpc.client.ServerProxy("http://-/RPC2", transport=_Transport(path, timeout))
    try:
        found: Any = server.supervisor.getAllConfigInfo()
    except (xmlrpc.client.Error, http.client.HTTPException, OSError):
        return []
    return list(found) if isinstance(found, list) else []


class _Transport(xmlrpc.client.Transport):
    """One that does not wait for ever, and may go by a unix socket."""

    def __init__(self, path: str | None, timeout: float) -> None:
        super().__init__()
        self._path = path
        self._timeout = timeout

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        if self._path is not None:
            return _UnixConnection(self._path, self._timeout)
        return http.client.HTTPConnection(str(host), timeout=self._timeout)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
