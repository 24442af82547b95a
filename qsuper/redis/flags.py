"""`notify-keyspace-events`: the flags without which Redis tells nobody what happens to keys."""

from qsuper.redis.server import Server

SETTING = "notify-keyspace-events"
NEEDED = "Kg$xe"
"""By key; generic, string, expired and evicted events."""
_ALL = set("g$lshzxetd")
"""What the flag A stands for."""


def missing(flags: str) -> str:
    """The needed flags that are not among these."""
    present = set(flags) | (_ALL if "A" in flags else set())
    return "".join(flag for flag in NEEDED if flag not in present)


def read(server: Server) -> str:
    """The flags that are set; raises `RedisError` where CONFIG is forbidden."""
    with server.words():
        found = server.client().config_get(SETTING)
    return "".join(_text(value) for value in found.values())


def add_missing(server: Server) -> str:
    """Add the needed flags to those that are set, and take none away; returns what was missing.

    Raises `RedisError` where CONFIG is forbidden.
    """
    present = read(server)
    wanted = missing(present)
    if wanted:
        with server.words():
            server.client().config_set(SETTING, present + wanted)
    return wanted


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
