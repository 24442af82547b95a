"""Lets visitors in and out: who asks, and may they do that."""

import logging
import time
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from qsuper.roles.web.answers import Trouble, wants_json
from qsuper.roles.web.gate.access import Access, Visitor, Wait, bearer
from qsuper.roles.web.gate.sessions import LIFE

CSRF_HEADER = "x-csrf-token"
SAID_MOST = 600
"""Bytes of the words for the next page: a cookie holds no more."""

log = logging.getLogger("qsuper.web")


class Door:
    """Asked by every endpoint that is not for everybody."""

    def __init__(self, access: Access, *, read_only: bool) -> None:
        self._access = access
        self._sessions = access.sessions
        self.read_only = read_only

    def visitor(self, request: Request) -> Visitor:
        """Who looks; raises `Trouble` for a stranger."""
        found = self._access.visitor(request, time.time())
        if isinstance(found, Wait):
            raise too_often(found)
        if found is not None:
            return found
        if wants_json(request) or bearer(request) is not None:
            text = "The token is missing or wrong: send it as Authorization: Bearer TOKEN."
            raise Trouble(401, text, headers={"www-authenticate": "Bearer"})
        raise Trouble(303, "Log in first.", headers={"location": log_in_at(request)})

    def actor(self, request: Request, csrf: str) -> Visitor:
        """Who does something; raises `Trouble` also for who was made to by another page."""
        visitor = self.visitor(request)
        if visitor.session and (visitor.fresh or not self._sessions.fits(visitor.session, csrf)):
            raise Trouble(403, "The form is not of this session; load the page again and repeat.")
        if self.read_only:
            raise Trouble(403, "This dashboard shows everything and changes nothing.")
        return visitor

    def csrf(self, visitor: Visitor) -> str:
        return self._sessions.csrf(visitor.session) if visitor.session else ""

    def log_in(self, request: Request, token: str, back: str) -> Response | None:
        """Back to where one came from, with a session; None when that is not the token."""
        found = self._access.try_token(request, token)
        if isinstance(found, Wait):
            raise too_often(found)
        if found is None:
            return None
        answer = RedirectResponse(local(back), 303)
        self.welcome(request, answer, Visitor(self._sessions.begin("", time.time()), fresh=True))
        return answer

    def log_out(self, request: Request, csrf: str) -> str:
        """The session is over, for whoever has its cookie; returns why that might not last."""
        visitor = self.visitor(request)
        if visitor.session is None or not self._sessions.fits(visitor.session, csrf):
            raise Trouble(403, "The form is not of this session; load the page again and repeat.")
        try:
            self._sessions.end(visitor.session, time.time())
        except OSError as error:
            log.error("a log-out could not be written down: %s", error)
            return (
                "You are logged out, but that could not be written down: after a restart a copy of"
                " the cookie would be good again. The log says what is in the way."
            )
        return ""

    def forget(self, answer: Response) -> None:
        """Take the cookie of the session back."""
        answer.delete_cookie(self._access.cookie, httponly=True, samesite="strict")

    def welcome(self, request: Request, answer: Response, visitor: Visitor) -> None:
        """Hand the cookie of a session out that has just begun."""
        if visitor.fresh and visitor.session:
            self.hand_out(request, answer, "", self._sessions.cookie(visitor.session), LIFE)

    def say(self, request: Request, answer: Response, words: str) -> None:
        """Words for the next page, which somebody else's process may show."""
        raw = words.encode("utf-8", "replace")[:SAID_MOST]
        self.hand_out(request, answer, "-said", self._sessions.seal("said", raw), 60)

    def said(self, request: Request) -> str:
        """The words for this page."""
        raw = self._sessions.unseal("said", request.cookies.get(f"{self._access.cookie}-said", ""))
        return raw.decode("utf-8", "ignore") if raw else ""

    def hand_out(
        self, request: Request, answer: Response, suffix: str, text: str, age: int
    ) -> None:
        answer.set_cookie(
            self._access.cookie + suffix,
            text,
            max_age=age,
            httponly=True,
            samesite="strict",
            secure=self._access.over_tls(request),
        )

    def is_open_to(self, request: Request) -> bool:
        """Whether this visitor's session still lasts: streams outlive it otherwise."""
        return isinstance(self._access.visitor(request, time.time()), Visitor)


def too_often(wait: Wait) -> Trouble:
    seconds = max(1, round(wait.seconds))
    text = f"The token was wrong too often; try again in {seconds} s."
    return Trouble(429, text, headers={"retry-after": str(seconds)})


def log_in_at(request: Request) -> str:
    """The log-in, which leads back to this page; what was to be done is not done afterwards."""
    if request.method == "POST":
        return "/login"
    query = f"?{request.url.query}" if request.url.query else ""
    return f"/login?back={quote(request.url.path + query, safe='')}"


def local(path: str) -> str:
    """A path of this site; the overview for anything else."""
    fits = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if fits and len(path) < 2000 else "/"
