"""Who asks: by the token, by a session's cookie, or as a proxy names them."""

import logging
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from starlette.requests import HTTPConnection

from qsuper.config import WebConfig
from qsuper.roles.web.keys import Keys
from qsuper.roles.web.sessions import Session, Sessions
from qsuper.roles.web.throttle import Throttle
from qsuper.scoreboard import clock

_USER_MOST = 64

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
        self._proxies = {_address(each) for each in config.trusted_proxies} - {None}

    def visitor(self, request: HTTPConnection, now: float) -> Visitor | Wait | None:
        """Who asks; None for a stranger. `now` is the time of day."""
        given = request.headers.get("authorization", "")
        if given:
            scheme, _, token = given.partition(" ")
            if scheme.lower() != "bearer":
                return None
            return self.try_token(request, token.strip())
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
        """Who gives this token; mistakes are counted."""
        address, now = self.address(request), clock()
        if wait := self._throttle.wait(address, now):
            return Wait(wait)
        if self._keys.fits(token):
            self._throttle.right(address)
            return Visitor(None)
        self._throttle.wrong(address, now)
        log.warning("a wrong token from %s", address)
        return None

    def address(self, request: HTTPConnection) -> str:
        """Who is at the other end; behind a trusted proxy, who is at the other end of that."""
        peer = request.client.host if request.client else ""
        if not self._from_proxy(request):
            return peer
        for part in reversed(request.headers.get("x-forwarded-for", "").split(",")):
            address = _address(part.strip())
            if address is None:
                break
            if address not in self._proxies:
                return str(address)
        return peer

    def over_tls(self, request: HTTPConnection) -> bool:
        """Whether the browser speaks https, to the trusted proxy in between."""
        said = request.headers.get("x-forwarded-proto", "")
        return self._from_proxy(request) and said.lower() == "https"

    def _from_proxy(self, request: HTTPConnection) -> bool:
        return _address(request.client.host if request.client else "") in self._proxies

    @staticmethod
    def _named(request: HTTPConnection, header: str) -> str:
        """Whom the proxy names. Two names are none: one of them may be the visitor's own."""
        names = request.headers.getlist(header)
        user = names[0].strip() if len(names) == 1 else ""
        return user[:_USER_MOST] if user.isprintable() else ""

    def _session(self, request: HTTPConnection, now: float) -> Session | None:
        cookie = request.cookies.get(self.cookie)
        return self.sessions.read(cookie, now) if cookie else None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address, one way of writing it being as good as another; None for what is none."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
