"""Answers that are no page: JSON, and refusals in plain words."""

import http
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from qsuper.encoding import to_json
from qsuper.roles.web.showing.rendering import render


class Trouble(Exception):
    """A request that is refused, and how that is said."""

    def __init__(
        self,
        status: int,
        text: str,
        *,
        closes: bool = False,
        headers: dict[str, str] | None = None,
    ) -> None:
        """`closes`: nothing more is heard from this connection."""
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = dict(headers or {}) | ({"connection": "close"} if closes else {})

    @property
    def title(self) -> str:
        return http.HTTPStatus(self.status).phrase


def json_answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A value as JSON."""
    return Response(to_json(value), status, headers, "application/json")


def wants_json(request: Request) -> bool:
    """Whether it is a program that asks."""
    return request.url.path.startswith(("/api/", "/metrics", "/events"))


def answer(request: Request, trouble: Trouble) -> Response:
    """The refusal, as who asks can read it."""
    if wants_json(request):
        return json_answer({"error": trouble.text}, trouble.status, trouble.headers)
    page = render("error.html", status=trouble.status, title=trouble.title, text=trouble.text)
    return HTMLResponse(page, trouble.status, trouble.headers)


async def refuse(trouble: Trouble, scope: Scope, receive: Receive, send: Send) -> None:
    await answer(Request(scope), trouble)(scope, receive, send)
