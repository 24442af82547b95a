"""The control socket's language: JSON lines of at most 64 KB, a request and its reply."""

import re
import socket
import time
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from qsuper.errors import NotRunning, QsuperError, WireError

LINE_MOST = 64 * 1024
"""Bytes of the longest line, its end included."""
PATH_MOST = 107
"""Bytes of the longest path a unix socket may have."""

_VERB = re.compile(r"[a-z][a-z0-9_-]{0,31}", re.ASCII)


class Refused(QsuperError):
    """The master refused the request."""


class Request(Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked of the master."""

    verb: str
    args: dict[str, Any] = {}


_requests = msgspec.json.Decoder(Request)
_replies = msgspec.json.Decoder(dict[str, Any])


class LineBuffer:
    """Cuts a stream of bytes into lines. After an error the connection is good for nothing."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines that are complete now, without their ends; WireError for junk."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        if any(len(line) >= LINE_MOST for line in (*whole, self._rest)):
            self._rest = b""
            raise WireError(f"The line is longer than {LINE_MOST} bytes; send less at once.")
        return [_text(line) for line in whole]


def encode(message: object) -> bytes:
    """The message as one line; WireError if it is too long or no UTF-8."""
    try:
        line = msgspec.json.encode(message) + b"\n"
    except UnicodeEncodeError:
        raise WireError("The message holds text that is not UTF-8; write it in UTF-8.") from None
    if len(line) > LINE_MOST:
        raise WireError(f"The message takes {len(line)} bytes; at most {LINE_MOST} can be sent.")
    return line


def decode_request(line: str) -> Request:
    """The request a line holds; WireError says what a request looks like."""
    try:
        request = _requests.decode(line)
    # UnicodeEncodeError, a number beyond 64 bits and every other junk are ValueErrors.
    except (ValueError, RecursionError):
        request = None
    if request is None or _VERB.fullmatch(request.verb) is None:
        raise WireError('The line is not a request; send {"verb": "status", "args": {}}.')
    return request


def ok(**fields: Any) -> dict[str, Any]:
    """The reply to a request that was granted."""
    return {"ok": True, **fields}


def refused(message: str) -> dict[str, Any]:
    """The reply to a request that was not, with one line that says why."""
    return {"ok": False, "error": message.encode("utf-8", "backslashreplace").decode()}


def call(
    path: Path | str, verb: str, args: dict[str, Any] | None = None, timeout: float = 5.0
) -> dict[str, Any]:
    """Ask the master that listens at `path`; the fields of its reply, within `timeout` seconds.

    Raises NotRunning when nothing listens, Refused with the master's own words, and WireError when
    it does not answer in time or what answers is no master.
    """
    line = encode(Request(verb, args or {}))
    deadline = time.monotonic() + timeout
    try:
        with _connected(path, timeout) as connection:
            connection.sendall(line)
            answer = _first_line(connection, deadline)
    except TimeoutError:
        raise WireError(
            f"The master did not answer within {timeout:g} s; look at its log, or try again."
        ) from None
    except OSError as error:
        raise WireError(f"The master broke off ({error.strerror}); try again.") from None
    return _fields(answer)


def _text(line: bytes) -> str:
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise WireError("The line is not UTF-8; send JSON in UTF-8.") from None
    if "\0" in text:
        raise WireError("The line holds a NUL byte; send JSON in UTF-8.")
    return text


def _connected(path: Path | str, timeout: float) -> socket.socket:
    if len(str(path).encode("utf-8", "surrogateescape")) > PATH_MOST:
        raise WireError(
            f"The socket's path is longer than {PATH_MOST} bytes; choose a shorter state_dir."
        )
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout)
        connection.connect(str(path))
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        connection.close()
        raise NotRunning from None
    except PermissionError:
        connection.close()
        raise WireError(
            f"{path} is another user's; run this as the user that runs qsuper."
        ) from None
    except OSError:
        connection.close()
        raise
    return connection


def _first_line(connection: socket.socket, deadline: float) -> str:
    buffer = LineBuffer()
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        data = connection.recv(LINE_MOST)
        if not data:
            raise WireError("The master ended the connection without an answer; try again.")
        if lines := buffer.feed(data):
            return lines[0]


def _fields(answer: str) -> dict[str, Any]:
    try:
        reply = _replies.decode(answer)
    except (ValueError, RecursionError):
        raise WireError("The answer is not one of a qsuper master; look at state_dir.") from None
    granted = reply.pop("ok", None)
    if granted is not True:
        raise Refused(str(reply.get("error") or "") or None)
    return reply
