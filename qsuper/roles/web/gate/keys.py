"""The token one logs in with, and the key that signs sessions: files of the state directory."""

import hmac
import os
import re
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from qsuper.config import Config
from qsuper.errors import QsuperError

TOKEN_FILE = "web.token"
KEY_FILE = "web.key"

_TOKEN = re.compile(r"[\x21-\x7e]{16,512}")
_KEY = re.compile(r"[0-9a-f]{64}")


class UnfitSecret(QsuperError):
    """A secret of the dashboard cannot be used."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What the dashboard keeps to itself."""

    token: str = field(repr=False)
    signing: bytes = field(repr=False)
    """Another one for each token: a new token ends all sessions."""

    def fits(self, token: str) -> bool:
        """Whether this is the token; how long that takes does not tell how much of it is right."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self.token.encode())


def read(config: Config) -> Keys:
    """The secrets, made where there are none; raises `UnfitSecret`."""
    folder = Path(config.state_dir)
    made = secrets.token_urlsafe(32)
    token = config.web.token or _read(folder / TOKEN_FILE, made, _TOKEN)
    key = _read(folder / KEY_FILE, secrets.token_hex(32), _KEY)
    return Keys(token, hmac.digest(bytes.fromhex(key), b"sessions of " + token.encode(), sha256))


def _read(path: Path, made: str, shape: re.Pattern[str]) -> str:
    """What the file holds; `made` where it was not there."""
    try:
        if not path.exists():
            _write(path, made)
        if path.stat().st_mode & stat.S_IROTH:
            raise UnfitSecret(f"everybody can read {path}: chmod 600 it, or remove it")
        found = path.read_text(errors="replace").strip()
    except OSError as error:
        raise UnfitSecret(f"cannot keep a secret in {path}: {error.strerror}") from error
    if shape.fullmatch(found) is None:
        raise UnfitSecret(
            f"{path} holds no secret of the dashboard: remove it, and it is made anew"
        )
    return found


def _write(path: Path, text: str) -> None:
    """Whole or not at all, and never over one that another process has just made."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        os.write(descriptor, text.encode() + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    with suppress(FileExistsError):
        os.link(fresh, path)
    fresh.unlink()
