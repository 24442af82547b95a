"""The socket on which the dashboard is reached."""

import errno
import os
import socket
from contextlib import suppress

import psutil

from qsuper.errors import QsuperError
from qsuper.place import Place


class CannotListen(QsuperError):
    """The address of the dashboard cannot be had."""


def listen(place: Place) -> socket.socket:
    """A socket that can listen at `web.listen`; raises `CannotListen`.

    During a reload it shares the port with the process that it is to replace, and with no other:
    the kernel would deal the visitors of two daemons out between them.
    """
    given = place.config.web.listen or ""
    host, _, port = given.rpartition(":")
    try:
        shared = _held_by_another_of_ours(place, int(port))
        return _bind(host.strip("[]"), int(port), shared=shared)
    except OSError as error:
        mend = (
            "another program listens there: stop it, or choose another web.listen"
            if error.errno == errno.EADDRINUSE
            else "choose another web.listen"
        )
        raise CannotListen(f"cannot listen at {given} ({error.strerror}): {mend}") from error


def _bind(host: str, port: int, *, shared: bool) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    if not shared:
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def _held_by_another_of_ours(place: Place, port: int) -> bool:
    """Whether the child that this one replaces has the port."""
    for record in place.board.records():
        if record.role != place.record.role or not record.pid or record.pid == os.getpid():
            continue
        with suppress(psutil.Error):
            for one in psutil.Process(record.pid).net_connections("tcp"):
                if one.status == psutil.CONN_LISTEN and one.laddr.port == port:
                    return True
    return False
