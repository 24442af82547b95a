"""Who asks: by the token, by a session's cookie, or as a proxy names them."""

import logging
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from qsuper.config import WebConfig
from qsuper.roles.web.gate.addresses import address
from qsuper.roles.web.gate.allowance import Allowance
from qsuper.roles.web.gate.keys import Keys
from qsuper.roles.web.gate.sessions import Session, Sessions
from qsuper.roles.web.gate.throttle import Throttle
from qsuper.scoreboard import clock

_USER_MOST = 64
_WRONG_MOST = 60
"""Wrong tokens that are written down in a minute."""

log = logging.getLogger("qsuper.web")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who may look."""

    session: Session | None
    """None for who gives the token with each request."""
    fresh: bool = False
    """The session has begun with this request: its cookie is still to be handed out."""

    @property
    def user(self) -> str:
        return self.session.user if self.session else ""


@dataclass(frozen=True, slots=True)
class Wait:
    """Somebody who has been wrong too often."""

    seconds: float


class Access:
    """Decides who is let in."""

    def __init__(self, config: WebConfig, keys: Keys, sessions: Sessions) -> None:
        self.sessions = sessions
        self.cookie = f"qsuper-{(config.listen or '').rpartition(':')[2]}"
        """Its name: browsers keep the cookies of all ports of a host in one place."""
        self._config = config
        self._keys = keys
        self._throttle = Throttle()
        self._wrong = Allowance(_WRONG_MOST)
        self._proxies = {address(each) for each in config.trusted_proxies} - {None}

    def visitor(self, request: HTTPConnection, now: float) -> Visitor | Wait | None:
        """Who asks; None for a stranger. `now` is the time of day."""
        token = bearer(request)
        if token is not None:
            return self.try_token(request, token)
        session = self._session(request, now)
        if self._config.trusted_header is None or not self._from_proxy(request):
            # A session that a proxy vouched for ends where no proxy does.
            return Visitor(session) if session and not session.user else None
        user = self._named(request, self._config.trusted_header)
        if not user:
            return Visitor(session) if session and not session.user else None
        if session and session.user == user:
            return Visitor(session)
        return Visitor(self.sessions.begin(user, now), fresh=True)

    def try_token(self, request: HTTPConnection, token: str) -> Visitor | Wait | None:
        """Who gives this token; mistakes are counted.

        The right one is let in at any time: it is too long to be guessed, and whoever knows it is
        not kept out by those who share their address and do not.
        """
        whence, now = self.address(request), clock()
        if self._keys.fits(token):
            self._throttle.right(whence)
            return Visitor(None)
        if wait := self._throttle.wait(whence, now):
            return Wait(wait)
        self._throttle.wrong(whence, now)
        if (end := self._wrong.take(now)) is not None:
            log.warning("a wrong token from %s%s", whence, end)
        return None

    def address(self, request: HTTPConnection) -> str:
        """Who is at the other end; behind a trusted proxy, who is at the other end of that."""
        peer = request.client.host if request.client else ""
        if not self._from_proxy(request):
            return peer
        for part in reversed(_parts(request, "x-forwarded-for")):
            found = address(part)
            if found is None:
                break
            if found not in self._proxies:
                return str(found)
        return peer

    def over_tls(self, request: HTTPConnection) -> bool:
        """Whether the browser speaks https, to the trusted proxy in between."""
        said = _parts(request, "x-forwarded-proto")
        return self._from_proxy(request) and said[-1].lower() == "https"

    def _from_proxy(self, request: HTTPConnection) -> bool:
        return address(request.client.host if request.client else "") in self._proxies

    @staticmethod
    def _named(request: HTTPConnection, header: str) -> str:
        """Whom the proxy names. Two names are none: one of them may be the visitor's own."""
        names = request.headers.getlist(header)
        user = names[0].strip() if len(names) == 1 else ""
        return user[:_USER_MOST] if user.isprintable() else ""

    def _session(self, request: HTTPConnection, now: float) -> Session | None:
        cookie = request.cookies.get(self.cookie)
        return self.sessions.read(cookie, now) if cookie else None


def bearer(request: HTTPConnection) -> str | None:
    """The token that is sent with the request. What else is said there is for a proxy, which may
    pass it on: None."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _parts(request: HTTPConnection, header: str) -> list[str]:
    """What each proxy has added, the last one's last: some add a line, some to the line."""
    return [part.strip() for part in ",".join(request.headers.getlist(header)).split(",")]
