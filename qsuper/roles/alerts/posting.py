"""Posts one message to a webhook: a program of its own, ended from outside when it takes too long.

Reads `{"url": …, "timeout": …, "body": …}` on its standard input, and says on standard error what
went wrong. Follows no redirect and asks no proxy: what is configured is where it goes.
"""

import base64
import http.client
import json
import ssl
import sys
from typing import Any
from urllib.parse import unquote, urlsplit

_FINE = range(200, 300)


def post(url: str, body: str, timeout: float) -> int:
    """The status of the answer; raises OSError or `HTTPException`."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, parts.port, timeout=timeout, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=timeout)
    headers = {"Content-Type": "application/json", "User-Agent": "qsuper"}
    if parts.username is not None:
        account = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(account.encode()).decode()
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", target, body.encode(), headers)
        return connection.getresponse().status
    finally:
        connection.close()


def main() -> int:
    """0 when it was taken."""
    given: dict[str, Any] = json.load(sys.stdin)
    try:
        status = post(given["url"], given["body"], given["timeout"])
    except (OSError, ValueError, http.client.HTTPException) as error:
        print(str(error) or type(error).__name__, file=sys.stderr)
        return 1
    if status in _FINE:
        return 0
    meaning = http.client.responses.get(status, "")
    print(f"it answered {status} {meaning}".strip(), file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
