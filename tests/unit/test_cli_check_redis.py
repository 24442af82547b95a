"""`qsuper check` says of Redis what would go wrong with it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from qsuper.redis.server import Server, Version
from tests.servers import Redis
from tests.unit.cli import call

APP = """
from qsuper import Queue

queue = Queue()


@queue.watch("SN*:1", db=15)
def order_expired(key, value):
    ...
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An application that watches keys of database 15."""
    (tmp_path / "check_redis_app.py").write_text(APP)
    (tmp_path / "qsuper.toml").write_text('app = "check_redis_app:queue"\n')
    return tmp_path


def watch(folder: Path, pattern: str, task: str) -> None:
    with (folder / "qsuper.toml").open("a") as file:
        file.write(f'[[watch]]\npattern = "{pattern}"\ntask = "{task}"\n')


def said(folder: Path, url: str | None) -> tuple[int, list[str]]:
    """The exit code, and what is said of Redis."""
    answer = call(folder, "check", QSUPER_REDIS__URL=url) if url else call(folder, "check")
    assert not answer.err
    name = "redis".ljust(10)
    lines = answer.out.splitlines()
    return answer.code, [line.removeprefix(name) for line in lines if line.startswith(name)]


def test_without_redis_and_watches_nothing_is_amiss(tmp_path: Path) -> None:
    assert said(tmp_path, None) == (0, ["ok: none configured (redis.url), no key can be watched"])


def test_watches_without_redis_are_a_mistake(folder: Path) -> None:
    code, lines = said(folder, None)
    assert (code, lines) == (1, ["'SN*:1' (db 15) cannot be watched without Redis: set redis.url"])


def test_the_embedded_server_is_named(folder: Path) -> None:
    code, lines = said(folder, "embedded")
    assert code == 0
    assert lines[0].startswith("ok: embedded: Valkey ")
    assert lines[0].endswith(str(folder / "var" / "redis.sock"))
    assert not (folder / "var").exists(), "nothing is made by a check"


def test_a_folder_too_deep_for_the_embedded_servers_socket_is_said(tmp_path: Path) -> None:
    (tmp_path / "qsuper.toml").write_text(f'state_dir = "{"x" * 100}"\n')
    code, (line,) = said(tmp_path, "embedded")
    assert code == 1
    assert line.endswith("name a shorter state_dir")


def test_a_server_that_fits_is_told_with_what_will_be_added(
    folder: Path, own_redis: Callable[..., Redis]
) -> None:
    server = own_redis(notify_keyspace_events="Ex")
    code, lines = said(folder, server.url())
    assert code == 0
    assert lines[0].startswith(f"ok: {server.url()}: Redis ")
    assert lines[1:] == [
        'ok: notify-keyspace-events is "xE", the listener will add "Kg$e"',
        "ok: watches 'SN*:1' (db 15)",
    ]
    with redis.Redis.from_url(server.url()) as client:
        flags = client.config_get("notify-keyspace-events")
    assert set(flags["notify-keyspace-events"]) == set("Ex"), "a check has changed it"


def test_what_deserves_a_word_is_no_failure(folder: Path, own_redis: Callable[..., Redis]) -> None:
    server = own_redis(maxmemory_policy="allkeys-lru", notify_keyspace_events="KEA")
    watch(folder, "**", "sweep")
    code, lines = said(folder, server.url())
    assert code == 0
    notes = [line for line in lines if line.startswith("note: ")]
    assert len(notes) == 3
    assert "maxmemory-policy is allkeys-lru" in notes[0]
    assert "'**' is every key there is" in notes[1]
    assert "'sweep', a task that is not known here" in notes[2]


def test_config_forbidden_says_what_to_set(folder: Path, own_redis: Callable[..., Redis]) -> None:
    server = own_redis()
    with redis.Redis.from_url(server.url()) as client:
        client.execute_command("ACL", "SETUSER", "default", "-config")
    code, lines = said(folder, server.url())
    assert code == 0
    assert any(
        'note: CONFIG is forbidden: set notify-keyspace-events "Kg$xe"' in one for one in lines
    )


def test_a_database_that_does_not_exist_is_said(
    folder: Path, own_redis: Callable[..., Redis]
) -> None:
    server = own_redis(databases=4)
    code, lines = said(folder, server.url())
    assert code == 1
    assert "'SN*:1' (db 15) cannot be watched: there is no such database" in lines[-1]
    code, lines = said(folder, server.url(4))
    assert (code, lines) == (1, [f"{server.url(4)}: the server has no database 4"])


def test_a_wrong_password_is_one_line_that_does_not_show_it(
    folder: Path, own_redis: Callable[..., Redis]
) -> None:
    server = own_redis()
    with redis.Redis.from_url(server.url()) as client:
        client.config_set("requirepass", "right")
    code, (line,) = said(folder, f"redis://:wr0ng@127.0.0.1:{server.port}/0")
    assert code == 1
    assert line.startswith(f"redis://:***@127.0.0.1:{server.port}/0: ")
    assert line.endswith("set the password in redis.url")
    assert "wr0ng" not in line
    code, (line,) = said(folder, server.url())
    assert code == 1
    assert "Authentication required" in line


@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1:1/0", "unix:///no/such/redis.sock", "rediss://127.0.0.1:1/0"]
)
def test_a_server_that_is_away_is_one_line(url: str, folder: Path) -> None:
    code, lines = said(folder, url)
    assert code == 1
    assert len(lines) == 1
    assert lines[0].startswith(f"{url}: ")


def test_a_server_that_is_too_old_is_one_line(
    folder: Path, redis_server: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Server, "version", lambda self: Version("redis", (6, 2, 14)))
    code, (line,) = said(folder, redis_server.url())
    assert code == 1
    assert "Redis 6.2.14 is too old to watch keys" in line


@pytest.mark.parametrize(
    ("rights", "words"),
    [
        ("~* resetchannels +@all", "may not listen to keys: grant it &__keyspace@15__:SN*:1"),
        ("~* &* +@all -pexpiretime", "docs/watching.md has the ACL it takes"),
        ("~cache:* &* +@all", "docs/watching.md has the ACL it takes"),
    ],
)
def test_what_the_listener_may_not_do_is_said(
    folder: Path, own_redis: Callable[..., Redis], rights: str, words: str
) -> None:
    server = own_redis()
    with redis.Redis.from_url(server.url()) as client:
        client.execute_command("ACL", "SETUSER", "shop", "on", ">secret", *rights.split())
    code, lines = said(folder, server.url().replace("//", "//shop:secret@"))
    assert code == 1
    assert words in lines[-1]


def test_an_argument_of_the_url_that_is_none_is_said(
    folder: Path, own_redis: Callable[..., Redis]
) -> None:
    code, lines = said(folder, f"{own_redis().url()}?foo=bar")
    assert code == 1
    assert "'foo'; take it out of redis.url" in lines[-1]
