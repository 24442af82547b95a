"""`notify-keyspace-events`: ours are added, others' are kept."""

from collections.abc import Callable

import pytest
import redis

from qsuper.errors import RedisError, RedisUnavailable
from qsuper.redis import flags
from qsuper.redis.server import Server


@pytest.mark.parametrize(
    ("present", "missing"),
    [
        ("", "Kg$xe"),
        ("Kg$xe", ""),
        ("xe$gK", ""),
        ("Ex", "Kg$e"),
        ("KEA", ""),
        ("A", "K"),
        ("AKE", ""),
        ("g$lshzxeKEtmdn", ""),
        ("KEm", "g$xe"),
    ],
)
def test_what_is_missing_is_known(present: str, missing: str) -> None:
    assert flags.missing(present) == missing


@pytest.mark.parametrize("present", ["", "Ex", "KEA", "Elm", "Kg$xe", "Kx"])
def test_missing_flags_are_added_and_none_is_taken_away(
    present: str, server: Server, client: "redis.Redis"
) -> None:
    client.config_set(flags.SETTING, present)
    before = flags.read(server)
    added = flags.add_missing(server)
    assert added == flags.missing(present)
    after = flags.read(server)
    assert flags.missing(after) == ""
    assert set(before) <= set(after) | (set("g$lshzxetd") if "A" in after else set())
    assert flags.add_missing(server) == ""


def test_a_user_who_may_not_configure_is_told_so(user: Callable[..., Server]) -> None:
    server = user("~*", "&*", "+@all", "-config")
    with pytest.raises(RedisError, match=r"[Nn]o permissions.*config") as caught:
        flags.add_missing(server)
    assert not isinstance(caught.value, RedisUnavailable)
