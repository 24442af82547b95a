"""The addresses of the dashboard, and what is behind each."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from qsuper.errors import NoSuchJob, NotRunning, QsuperError, StoreError, WireError
from qsuper.picture import Picture
from qsuper.roles.web import health, metrics, sent, static
from qsuper.roles.web.actions import ACTIONS, Action
from qsuper.roles.web.answers import Trouble, json_answer
from qsuper.roles.web.fields import BadField, Fields
from qsuper.roles.web.gate.door import CSRF_HEADER, Door, local
from qsuper.roles.web.page import NoSuchPage, Page
from qsuper.roles.web.pages import PAGES
from qsuper.roles.web.reading import READINGS, Reading
from qsuper.roles.web.serving.events import Events
from qsuper.roles.web.serving.lookout import Lookout
from qsuper.roles.web.serving.once import Once
from qsuper.roles.web.serving.pool import Pool
from qsuper.roles.web.serving.streaming import EventStream
from qsuper.roles.web.showing.rendering import render
from qsuper.roles.web.site import Site

_STATUS: tuple[tuple[type[QsuperError], int], ...] = (
    (BadField, 400),
    (NoSuchJob, 404),
    (NoSuchPage, 404),
    (NotRunning, 503),
    (StoreError, 503),
    (WireError, 503),
    (QsuperError, 409),
)
"""How an error is told: the first that fits."""
_OWN_FIELDS = ("csrf", "back")
_GOOD, _BAD = "+", "-"

Endpoint = Callable[[Request], Awaitable[Response]]


class App:
    """ASGI: one dashboard."""

    def __init__(
        self,
        site: Site,
        door: Door,
        pool: Pool,
        quick: Pool,
        lookout: Lookout,
        events: Events,
    ) -> None:
        """`quick` does what needs no database, and is asked for by those who may come in."""
        self._site = site
        self._door = door
        self._pool = pool
        self._quick = quick
        self._lookout = lookout
        # Everybody may ask for them where they are public, which is to leave room for pages.
        self._metrics = Once(quick, metrics.render)
        self._events = events
        self._router: ASGIApp = Router(self._routes(), redirect_slashes=False, default=_nothing)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._router(scope, receive, send)

    def _routes(self) -> list[BaseRoute]:
        routes = [
            Route("/login", self.log_in_page, methods=["GET"]),
            Route("/login", self.log_in, methods=["POST"]),
            Route("/logout", self.log_out, methods=["POST"]),
            Route("/events", self.events, methods=["GET"]),
            Route("/healthz", self.healthz, methods=["GET"]),
            Route("/readyz", self.readyz, methods=["GET"]),
            Route("/metrics", self.metrics, methods=["GET"]),
            Route("/static/{name}", self.file, methods=["GET"]),
        ]
        routes += [Route(page.path, self._page(page), methods=["GET"]) for page in PAGES]
        routes += [
            Route(path, self._reading(reading), methods=["GET"])
            for path, reading in READINGS.items()
        ]
        for action in ACTIONS:
            routes.append(Route(f"/do/{action.name}", self._form(action), methods=["POST"]))
            routes.append(Route(f"/api/{action.name}", self._call(action), methods=["POST"]))
        return list(routes)

    async def log_in_page(self, request: Request) -> Response:
        return _log_in_form(request.query_params.get("back", "/"))

    async def log_in(self, request: Request) -> Response:
        fields = await sent.form(request)
        back = fields.get("back", "/")
        try:
            answer = self._door.log_in(request, fields.get("token", "").strip(), back)
        except Trouble as trouble:
            return _log_in_form(back, trouble.text, trouble.status, trouble.headers)
        return answer or _log_in_form(back, "That is not the token.", 403)

    async def log_out(self, request: Request) -> Response:
        trouble = self._door.log_out(request, (await sent.form(request)).get("csrf", ""))
        answer = _log_in_form("/", trouble) if trouble else RedirectResponse("/login", 303)
        self._door.forget(answer)
        return answer

    async def events(self, request: Request) -> Response:
        self._door.visitor(request)
        fields = Fields(request.query_params)
        try:
            job = fields.id("job") if fields.text("job") else None
        except BadField as error:
            raise Trouble(400, str(error)) from None
        return EventStream(self._events, job, lambda: self._door.is_open_to(request))

    async def healthz(self, _request: Request) -> Response:
        wrong = health.lives(await self._look())
        return PlainTextResponse(f"{wrong or 'ok'}\n", 503 if wrong else 200)

    async def readyz(self, _request: Request) -> Response:
        wrong = health.hindrances(await self._look())
        return PlainTextResponse(
            "".join(f"{one}\n" for one in wrong or ["ok"]), 503 if wrong else 200
        )

    async def metrics(self, request: Request) -> Response:
        if not self._site.config.web.public_metrics:
            self._door.visitor(request)
        picture = await self._look()
        if isinstance(picture, QsuperError):
            raise Trouble(503, str(picture))
        body, kind = await self._metrics.run(picture)
        return Response(body, headers={"content-type": kind})

    async def file(self, request: Request) -> Response:
        found = static.table().get(request.path_params["name"])
        if found is None:
            raise Trouble(404, "There is no such file.")
        headers = {"content-type": found.type, "etag": found.tag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == found.tag:
            return Response(None, 304, headers)
        return Response(found.body, headers=headers)

    def _page(self, page: Page) -> Endpoint:
        async def show(request: Request) -> Response:
            visitor = self._door.visitor(request)
            pool, csrf = self._pool if page.stored else self._quick, self._door.csrf(visitor)
            text = await _told(pool, self._render, page, request, csrf, visitor.user)
            answer = HTMLResponse(text)
            self._door.welcome(request, answer, visitor)
            if self._door.said(request):
                self._door.hand_out(request, answer, "-said", "", 0)
            return answer

        return show

    def _render(self, page: Page, request: Request, csrf: str, user: str) -> str:
        """In a thread: rows are read, and large pages take their time."""
        said = self._door.said(request)
        query = f"?{request.url.query}" if request.url.query else ""
        frame = {
            "csrf": csrf,
            "user": user,
            "read_only": self._door.read_only,
            "said": [(said.startswith(_GOOD), said[1:])] if said else [],
            "nav": [one for one in PAGES if one.name],
            "page": page,
            "here": request.url.path + query,
            "now": time.time(),
        }
        return render(
            page.template, **frame, **page.load(self._site, _path(request), _query(request))
        )

    def _reading(self, reading: Reading) -> Endpoint:
        async def read(request: Request) -> Response:
            self._door.visitor(request)
            fields = Fields(_query(request) | _path(request))
            pool = self._pool if reading.stored else self._quick
            return json_answer(await _told(pool, reading.read, self._site, fields))

        return read

    def _form(self, action: Action) -> Endpoint:
        async def do(request: Request) -> Response:
            fields = await sent.form(request)
            self._door.actor(request, fields.get("csrf", ""))
            given = {name: value for name, value in fields.items() if name not in _OWN_FIELDS}
            try:
                words = _GOOD + (await self._pool.run(action.do, self._site, given)).text
            except QsuperError as error:
                words = f"{_BAD}{error}"
            answer = RedirectResponse(local(fields.get("back", "/")), 303)
            self._door.say(request, answer, words)
            return answer

        return do

    def _call(self, action: Action) -> Endpoint:
        async def do(request: Request) -> Response:
            self._door.actor(request, request.headers.get(CSRF_HEADER, ""))
            given = await sent.json(request)
            done = await _told(self._pool, action.do, self._site, given)
            return json_answer({"ok": True, "text": done.text, **done.numbers})

        return do

    async def _look(self) -> Picture | QsuperError:
        try:
            return await self._lookout.picture()
        except QsuperError as error:
            return error


async def _told(pool: Pool, work: Callable[..., Any], *args: Any) -> Any:
    """What comes of it in a thread; errors that are expected are told."""
    try:
        return await pool.run(work, *args)
    except QsuperError as error:
        status = next(number for kind, number in _STATUS if isinstance(error, kind))
        raise Trouble(status, str(error)) from error


async def _nothing(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise Trouble(404, "There is no such page.")


def _path(request: Request) -> dict[str, str]:
    return {name: str(value) for name, value in request.path_params.items()}


def _query(request: Request) -> dict[str, str]:
    return dict(request.query_params)


def _log_in_form(
    back: str, trouble: str = "", status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return HTMLResponse(render("login.html", back=local(back), trouble=trouble), status, headers)
