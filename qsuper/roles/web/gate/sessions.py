"""Sessions: what a cookie says of who has logged in, and which of them are over."""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

import msgspec
from msgspec import Struct

from qsuper.roles.web.gate.revoked import Revoked

LIFE = 12 * 3600
"""Seconds after which one has to log in again."""
_COOKIE_MOST = 1024


class Session(Struct, frozen=True):
    """One log-in."""

    id: str
    user: str
    """As the proxy names them; empty for who has given the token."""
    expires: int
    """Unix time."""


class Sessions:
    """Makes and reads cookies. Nothing of a session is kept here, but that it is over."""

    def __init__(self, key: bytes, revoked: Revoked) -> None:
        self._key = key
        self._revoked = revoked

    def begin(self, user: str, now: float) -> Session:
        return Session(secrets.token_urlsafe(18), user, int(now) + LIFE)

    def cookie(self, session: Session) -> str:
        """The session as the value of a cookie."""
        return self.seal("session", msgspec.json.encode(session))

    def read(self, cookie: str, now: float) -> Session | None:
        """The session of a cookie of ours that is neither over nor changed."""
        raw = self.unseal("session", cookie)
        if raw is None:
            return None
        try:
            session = msgspec.json.decode(raw, type=Session)
        except msgspec.MsgspecError:
            return None
        return None if self.over(session, now) else session

    def over(self, session: Session, now: float) -> bool:
        return session.expires <= now or session.id in self._revoked

    def end(self, session: Session, now: float) -> None:
        """Its cookie is good for nothing from now on, wherever it was copied to."""
        self._revoked.add(session.id, session.expires, now)

    def csrf(self, session: Session) -> str:
        """What each form of this session holds, and no page of another site can know."""
        return self._mac("csrf", session.id.encode())

    def fits(self, session: Session, csrf: str) -> bool:
        return hmac.compare_digest(self.csrf(session).encode(), csrf.encode("utf-8", "replace"))

    def seal(self, purpose: str, raw: bytes) -> str:
        """Text that can be handed out, and told from what somebody else has written."""
        return f"{urlsafe_b64encode(raw).decode()}.{self._mac(purpose, raw)}"

    def unseal(self, purpose: str, text: str) -> bytes | None:
        """What was sealed for this purpose; None for anything else."""
        body, _, mac = text.rpartition(".")
        if len(text) > _COOKIE_MOST or not text.isascii():
            return None
        try:
            raw = urlsafe_b64decode(body)
        except ValueError:
            return None
        return raw if hmac.compare_digest(self._mac(purpose, raw), mac) else None

    def _mac(self, purpose: str, raw: bytes) -> str:
        return hmac.new(self._key, f"{purpose}:".encode() + raw, sha256).hexdigest()
