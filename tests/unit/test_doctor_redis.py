"""What `qsuper doctor` finds in a Redis: on servers that are set so, and on one that is not."""

from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from qsuper.cli.doctor import redis as subject
from qsuper.cli.doctor.finding import Level
from qsuper.redis.examining import Seen
from tests.servers import Redis
from tests.unit.doctor import Examined, examined

HEALTHY: dict[str, object] = {"appendonly": "yes", "notify_keyspace_events": "Kg$xe"}
SICK: list[tuple[dict[str, object], str, str]] = [
    ({"appendonly": "no"}, "Redis keeps nothing over a restart", "note"),
    (
        {"maxmemory": "100mb", "maxmemory_policy": "volatile-ttl"},
        "maxmemory-policy is volatile-ttl",
        "note",
    ),
    (
        {"maxmemory": "100mb", "maxmemory_policy": "allkeys-lru"},
        "maxmemory-policy is allkeys-lru",
        "note",
    ),
    ({"maxmemory": "500kb"}, "at 100% new keys are refused", "warn"),
    (
        {"maxmemory": "500kb", "maxmemory_policy": "volatile-lru"},
        "at 100% keys are being evicted",
        "warn",
    ),
    (
        {"client_output_buffer_limit": "pubsub 1mb 1mb 10"},
        "client-output-buffer-limit pubsub is 1048576",
        "warn",
    ),
    ({"notify_keyspace_events": "Ex"}, "the listener will add", "ok"),
]
"""Options, what is said then, and how bad it is."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration that watches keys of database 0."""
    (tmp_path / "qsuper.toml").write_text(
        '[[watch]]\npattern = "SN*:1"\ntask = "cancel"\n[tasks.cancel]\nprogram = ["/bin/true"]\n'
    )
    return tmp_path


def of(url: str, folder: Path) -> Examined:
    return examined(folder, redis=url)


def client_of(server: Redis) -> "redis.Redis":
    return redis.Redis.from_url(server.url())


def test_a_healthy_server_has_no_finding(own_redis: Callable[..., Redis], folder: Path) -> None:
    found = of(own_redis(**HEALTHY).url(), folder)
    assert not found.wrong("redis", "clocks")
    assert found.level("redis://127.0.0.1") == "ok"
    assert found.level("neither a replica nor of a cluster") == "ok"
    assert found.level("Redis keeps its keys over a restart") == "ok"
    assert found.level("maxmemory-policy is noeviction") == "ok"
    assert found.level("client-output-buffer-limit pubsub is 33554432") == "ok"
    assert found.level("Redis' clock is this host's") == "ok"
    for _, words, _ in SICK:
        assert found.level(words) is None


@pytest.mark.parametrize(("options", "words", "level"), SICK)
def test_a_setting_that_hurts_is_said(
    own_redis: Callable[..., Redis],
    folder: Path,
    options: dict[str, object],
    words: str,
    level: str,
) -> None:
    assert of(own_redis(**HEALTHY | options).url(), folder).level(words) == level


def test_a_replica_is_bad(own_redis: Callable[..., Redis], folder: Path) -> None:
    primary = own_redis()
    replica = own_redis(replicaof=f"127.0.0.1 {primary.port}")
    found = of(replica.url(), folder)
    assert found.level("the server is a replica") == "bad"
    assert "primary" in found.mend("the server is a replica")


def test_a_server_of_a_cluster_is_bad(own_redis: Callable[..., Redis], folder: Path) -> None:
    assert of(own_redis(cluster_enabled="yes").url(), folder).level("of a cluster: each") == "bad"


def test_a_server_without_config_and_info_is_told_of_what_it_allows(
    own_redis: Callable[..., Redis], folder: Path
) -> None:
    server = own_redis()
    with client_of(server) as client:
        client.execute_command("ACL", "SETUSER", "default", "-config", "-info", "-scan")
    found = of(server.url(), folder)
    assert found.level("CONFIG GET is forbidden") == "note"
    assert not found.wrong("redis")


def test_keys_of_others_among_the_watched_ones_are_said(
    own_redis: Callable[..., Redis], folder: Path
) -> None:
    server = own_redis(**HEALTHY)
    words = "database 0 is shared"
    with client_of(server) as client:
        for number in range(150):
            client.set(f"SN{number}:1", "", ex=3600)
        assert of(server.url(), folder).level(words) is None
        for number in range(500):
            client.set(f"cache:{number}", "")
    assert of(server.url(), folder).level(words) == "note"


def test_a_disk_that_redis_cannot_write_is_bad() -> None:
    for what in ("rdb_last_bgsave_status", "aof_last_write_status"):
        (found,) = subject.persistence(Seen({what: "err"}, {"appendonly": "yes"}))
        assert found.level is Level.BAD
        (found,) = subject.persistence(Seen({what: "ok"}, {"appendonly": "yes"}))
        assert found.level is Level.OK


def test_a_server_that_is_away_is_said_once(folder: Path) -> None:
    found = of("redis://127.0.0.1:1/0", folder)
    (said,) = found.wrong("redis")
    assert said.startswith("redis://127.0.0.1:1/0: ")
    assert found.level("Redis' clock") is None


def test_a_server_that_is_frozen_does_not_hold_up_the_rest(
    own_redis: Callable[..., Redis], folder: Path
) -> None:
    server = own_redis()
    server.freeze()
    try:
        found = of(server.url(), folder)
    finally:
        server.thaw()
    assert len(found.wrong("redis")) == 1
    assert found.level("open files") == "ok"


def test_a_watch_that_cannot_be_is_said_once(own_redis: Callable[..., Redis], folder: Path) -> None:
    (folder / "doctor_watch_app.py").write_text(
        "from qsuper import Queue\nqueue = Queue()\n\n@queue.task\ndef cancel(n): ...\n"
    )
    (folder / "qsuper.toml").write_text(
        'app = "doctor_watch_app:queue"\n[[watch]]\npattern = "SN*:1"\ntask = "cancel"\n'
    )
    (said,) = of(own_redis().url(), folder).wrong("redis")
    assert "cannot take an expired key" in said


def test_without_redis_nothing_is_amiss(tmp_path: Path) -> None:
    assert examined(tmp_path).level("none configured (redis.url)") == "ok"
