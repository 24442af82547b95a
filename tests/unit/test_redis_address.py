from pathlib import Path

import pytest
import redis

from qsuper.config import Config, RedisConfig
from qsuper.errors import RedisError
from qsuper.redis.address import socket_path, url_of


def config(url: str | None, state_dir: Path | str = "/srv/shop/var") -> Config:
    return Config(state_dir=str(state_dir), redis=RedisConfig(url=url))


def test_without_redis_there_is_no_url() -> None:
    assert url_of(config(None)) is None


def test_a_url_is_taken_as_it_is() -> None:
    assert url_of(config("rediss://user:pass@host:6380/15")) == "rediss://user:pass@host:6380/15"


@pytest.mark.parametrize("folder", ["/srv/shop/var", "/srv/my shop/100%/a#b?c@d:e", "/srv/größe"])
def test_the_embedded_server_is_found_at_its_socket_whatever_the_folders_name(folder: str) -> None:
    url = url_of(config("embedded", folder))
    assert url is not None
    found = redis.ConnectionPool.from_url(url).connection_kwargs
    assert found["path"] == f"{folder}/redis.sock"


def test_a_relative_folder_is_one_of_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert socket_path(config("embedded", "var")) == tmp_path / "var" / "redis.sock"


def test_a_path_that_is_too_long_for_a_socket_is_one_clear_line() -> None:
    most = "/" + "x" * (107 - len("//redis.sock"))
    assert len(bytes(socket_path(config("embedded", most)))) == 107
    with pytest.raises(RedisError, match=r"too long for a unix socket .* name a shorter state_dir"):
        socket_path(config("embedded", most + "x"))
    with pytest.raises(RedisError):
        socket_path(config("embedded", "/" + "ß" * 60))
