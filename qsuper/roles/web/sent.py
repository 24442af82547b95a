"""What was sent with a request."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

from qsuper.roles.web.answers import Trouble


async def form(request: Request) -> dict[str, str]:
    """The fields of a form, the last one of a name; raises `Trouble`."""
    if _kind(request) != "application/x-www-form-urlencoded":
        raise Trouble(415, "A form is sent as application/x-www-form-urlencoded.")
    try:
        body = (await request.body()).decode()
        return dict(parse_qsl(body, keep_blank_values=True, max_num_fields=100, errors="strict"))
    except ValueError:
        raise Trouble(400, "That is not a form.") from None


async def json(request: Request) -> Mapping[str, Any]:
    """An object; raises `Trouble`."""
    if _kind(request) != "application/json":
        raise Trouble(415, "Send JSON, as application/json.")
    try:
        return msgspec.json.decode(await request.body() or b"{}", type=dict[str, Any])
    except (ValueError, RecursionError):
        raise Trouble(400, "That is not a JSON object.") from None


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
