"""Where Redis is."""

from pathlib import Path
from urllib.parse import quote

from qsuper.config import Config
from qsuper.errors import RedisError

EMBEDDED = "embedded"
SOCKET_FILE = "redis.sock"
LOG_FILE = "redis.log"
_PATH_BYTES_MOST = 107
"""What a unix socket's address has room for."""


def url_of(config: Config) -> str | None:
    """The URL under which Redis is reached, or None where there is none."""
    if config.redis.url == EMBEDDED:
        return f"unix://{quote(str(socket_path(config)))}"
    return config.redis.url


def socket_path(config: Config) -> Path:
    """The socket of the embedded server; raises `RedisError` when its path is too long."""
    path = Path(config.state_dir).absolute() / SOCKET_FILE
    if len(bytes(path)) > _PATH_BYTES_MOST:
        raise RedisError(
            f"{path} is too long for a unix socket ({_PATH_BYTES_MOST} bytes at most);"
            " name a shorter state_dir"
        )
    return path
