"""A real daemon with its dashboard, and a visitor who sends exactly what the test says."""

import json
import re
import socket
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.acceptance.daemon import PATIENCE, Daemon
from tests.acceptance.rows import Rows

TOKEN = "the-token-of-the-tests"
FORM = "application/x-www-form-urlencoded"

_CSRF = re.compile(r'name="csrf" value="([0-9a-f]+)"')


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Visitor:
    """Keeps cookies as a browser does; everything else is said with each request."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        /,
        **headers: str,
    ) -> Answer:
        """One request on a connection of its own; `x_forwarded_for=…` is that header."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies and "cookie" not in named:
            named["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            connection.request(method, path, body, named)
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        for cookie in answer.headers.get_all("set-cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
        return answer

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, None, **headers)

    def post(self, path: str, fields: Mapping[str, object] = {}, **headers: str) -> Answer:
        """A form, as a browser sends it."""
        headers = {"content_type": FORM, **headers}
        return self.send("POST", path, urlencode(fields).encode(), **headers)

    def call(self, path: str, value: object = {}, **headers: str) -> Answer:
        """A JSON endpoint, with the token."""
        headers = {
            "content_type": "application/json",
            "authorization": f"Bearer {TOKEN}",
            **headers,
        }
        return self.send("POST", path, json.dumps(value).encode(), **headers)

    def read(self, path: str) -> Any:
        """The JSON behind an address, asked for with the token."""
        answer = self.get(path, authorization=f"Bearer {TOKEN}")
        assert answer.status == 200, answer.text
        return answer.json

    def log_in(self, token: str = TOKEN, **headers: str) -> Answer:
        return self.post("/login", {"token": token, "back": "/queues"}, **headers)

    def csrf(self) -> str:
        """What the forms of this session hold."""
        page = self.get("/queues").text
        found = _CSRF.search(page)
        assert found, page
        return found[1]


class Dashboard:
    """One daemon that serves one."""

    def __init__(self, folder: Path, rows: Rows) -> None:
        self.rows = rows
        self.daemon = Daemon(folder, rows.url)
        self.port = free_port()

    def configure(self, *, web: Mapping[str, Any] = {}, **tables: Any) -> None:
        """Write the configuration; what is given goes over what every test wants."""
        listen = {"listen": f"127.0.0.1:{self.port}", "token": TOKEN}
        self.daemon.write_config(
            **{"queues": {"default": {"workers": 1}}, **tables, "web": listen | dict(web)}
        )

    def start(self, *, web: Mapping[str, Any] = {}, **tables: Any) -> None:
        """Start it, and wait until it answers."""
        self.configure(web=web, **tables)
        self.daemon.start()
        self.wait_until_it_answers()

    def wait_until_it_answers(self) -> None:
        self.daemon.wait_until(self.answers, "the dashboard answers")

    def answers(self) -> bool:
        try:
            return self.visitor().get("/healthz").status == 200
        except OSError:
            return False

    def visitor(self) -> Visitor:
        return Visitor(self.port)

    def member(self) -> Visitor:
        """Somebody who has logged in."""
        visitor = self.visitor()
        answer = visitor.log_in()
        assert answer.status == 303, answer.text
        return visitor

    def raw(self) -> socket.socket:
        """A bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)


def free_port() -> int:
    """One that nobody listens at in this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
