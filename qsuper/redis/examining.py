"""What `qsuper doctor` asks of a Redis: it reads, and changes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qsuper.errors import RedisError, RedisUnavailable
from qsuper.redis.server import Server

SETTINGS = ("maxmemory-policy", "client-output-buffer-limit", "save", "appendonly")
SAMPLE = 1000
"""Keys that are looked at of a database."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A server as it is now."""

    info: Mapping[str, Any]
    """As INFO has it; empty where it is forbidden."""
    settings: Mapping[str, str]
    """As CONFIG GET has them; empty where it is forbidden."""


def look(server: Server) -> Seen:
    """Raises `RedisUnavailable`."""
    settings: dict[str, str] = {}
    info: dict[str, Any] = {}
    try:
        with server.words():
            for name in SETTINGS:
                settings |= {
                    _text(k): _text(v) for k, v in server.client().config_get(name).items()
                }
    except RedisUnavailable:
        raise
    except RedisError:
        settings.clear()
    try:
        with server.words():
            info = dict(server.client().info())
    except RedisUnavailable:
        raise
    except RedisError:
        pass
    return Seen(info, settings)


def sample(server: Server, db: int) -> Sequence[bytes]:
    """Some keys of a database, about `SAMPLE`; none where SCAN is forbidden."""
    try:
        with server.words():
            _, keys = server.client(db).scan(count=SAMPLE)
    except RedisUnavailable:
        raise
    except RedisError:
        return []
    return list(keys)


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
