"""Every kind of URL, every kind of refusal, and what a server says of itself."""

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import redis

from qsuper.errors import RedisError, RedisUnavailable
from qsuper.redis.server import Server, Version
from qsuper.redis.subscription import Subscription
from tests.servers import Redis
from tests.servers.program import find_program
from tests.servers.server import free_port


def works(url: str) -> None:
    """Both kinds of connections come about."""
    server = Server(url)
    with closing(server), closing(Subscription(server, [(0, b"SN*")])) as subscription:
        assert server.client().ping()
        assert subscription.barrier() == []


def test_a_url_by_tcp_and_one_by_unix_socket(redis_server: Redis) -> None:
    works(redis_server.url())
    works(redis_server.socket_url())
    works(redis_server.url(15))
    works(f"redis://127.0.0.1:{redis_server.port}")


def test_the_database_is_that_of_the_url_unless_one_is_named(
    redis_server: Redis, client: "redis.Redis"
) -> None:
    server = Server(redis_server.url(5))
    assert server.db == 5
    server.client().set("SN1", "x")
    assert server.client(0).get("SN1") is None
    assert server.client(5).get("SN1") == b"x"
    server.close()
    assert Server(f"redis://127.0.0.1:{redis_server.port}").db == 0


def test_a_password_and_a_user(own_redis: Callable[..., Redis]) -> None:
    here = own_redis()
    with redis.Redis.from_url(here.socket_url()) as client:
        client.execute_command("ACL", "SETUSER", "shop", "on", ">s3cret", "~*", "&*", "+@all")
        client.config_set("requirepass", "p@ss")
    works(here.url().replace("//", "//:p%40ss@"))
    works(here.url().replace("//", "//shop:s3cret@"))


@pytest.mark.parametrize("who", ["", ":wrong@", "shop:wrong@"])
def test_a_wrong_password_is_said_without_saying_it(
    who: str, own_redis: Callable[..., Redis]
) -> None:
    here = own_redis()
    with redis.Redis.from_url(here.socket_url()) as client:
        client.config_set("requirepass", "right")
    server = Server(here.url().replace("//", f"//{who}"))
    for ask in (server.connection, server.time):
        with pytest.raises(RedisUnavailable, match=r"set the password in redis\.url$") as caught:
            ask()
        assert "wrong@" not in str(caught.value)
    server.close()


@pytest.mark.parametrize("url", ["", "http://127.0.0.1/", "redis://127.0.0.1:port/", "127.0.0.1"])
def test_a_url_that_is_none_is_refused_in_one_line(url: str) -> None:
    with pytest.raises(RedisError) as caught:
        Server(url)
    assert len(str(caught.value).splitlines()) == 1


def test_nobody_there(tmp_path: Path) -> None:
    for url in (f"redis://127.0.0.1:{free_port()}/0", f"unix://{tmp_path}/none.sock"):
        with closing(Server(url)) as server:
            with pytest.raises(RedisUnavailable):
                server.connection()
            with pytest.raises(RedisUnavailable):
                server.time()


def test_a_database_that_there_is_not_is_no_outage(redis_server: Redis) -> None:
    server = Server(redis_server.url(99))
    for ask in (server.connection, server.time):
        with pytest.raises(RedisError, match="out of range") as caught:
            ask()
        assert not isinstance(caught.value, RedisUnavailable)
    server.close()


def test_what_the_url_says_of_time_outs_and_decoding_is_ours_to_say(redis_server: Redis) -> None:
    works(f"{redis_server.url()}?socket_timeout=0&decode_responses=true")
    works(f"{redis_server.url()}?health_check_interval=1&retry_on_timeout=true")


def test_its_version_and_its_clock(server: Server) -> None:
    found = server.check_version()
    assert found is not None
    assert found.number >= (7, 0)
    assert str(found).startswith(f"{found.name.capitalize()} ")
    assert abs(server.time() - time.time()) < 60


def test_a_server_that_hides_its_version_is_taken(user: Callable[..., Server]) -> None:
    assert user("~*", "+@all", "-info").check_version() is None


@pytest.mark.parametrize(
    ("info", "found", "is_too_old"),
    [
        ("redis_version:6.2.14", Version("redis", (6, 2, 14)), True),
        ("redis_version:7.0.0", Version("redis", (7, 0, 0)), False),
        ("redis_version:8.2.1", Version("redis", (8, 2, 1)), False),
        ("redis_version:255.255.255", Version("redis", (255, 255, 255)), False),
        ("redis_version:7.2.4\r\nvalkey_version:7.2.5", Version("valkey", (7, 2, 5)), False),
        ("redis_version:7.2.4\r\nvalkey_version:9.0.0", Version("valkey", (9, 0, 0)), False),
    ],
)
def test_a_version_is_read_and_one_that_is_too_old_is_refused(
    info: str, found: Version, is_too_old: bool
) -> None:
    with saying(info) as port, closing(Server(f"redis://127.0.0.1:{port}/0")) as server:
        assert server.version() == found
        if is_too_old:
            words = r"Redis 6\.2\.14 is too old to watch keys; it takes Redis 7\.0 or Valkey 7\.2$"
            with pytest.raises(RedisError, match=words):
                server.check_version()
        else:
            assert server.check_version() == found


@contextmanager
def saying(info: str) -> Iterator[int]:
    """A server of few words, on a port: INFO answers this, anything else OK."""
    listening = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        connection, _ = listening.accept()
        with connection, connection.makefile("rb") as lines:
            while line := lines.readline():
                words = []
                for _ in range(int(line[1:])):
                    lines.readline()
                    words.append(lines.readline().strip())
                text = f"{info}\r\n".encode()
                bulk = b"$%d\r\n%s\r\n" % (len(text), text)
                connection.sendall(bulk if words[0].upper() == b"INFO" else b"+OK\r\n")

    thread = threading.Thread(target=answer)
    thread.start()
    yield listening.getsockname()[1]
    thread.join(30)
    listening.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Signed by itself, for localhost: the certificate and its key."""
    folder = tmp_path_factory.mktemp("tls")
    paths = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            *(find_program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days"),
            *(
                "2",
                "-subj",
                "/CN=localhost",
                "-addext",
                "subjectAltName=DNS:localhost,IP:127.0.0.1",
            ),
            *("-out", str(paths[0]), "-keyout", str(paths[1])),
        ],
        check=True,
        capture_output=True,
    )
    return paths


def test_tls_with_a_certificate_of_ones_own(
    certificate: tuple[Path, Path], own_redis: Callable[..., Redis]
) -> None:
    port = free_port()
    own_redis(
        tls_port=port,
        tls_cert_file=certificate[0],
        tls_key_file=certificate[1],
        tls_ca_cert_file=certificate[0],
        tls_auth_clients="no",
    )
    url = f"rediss://127.0.0.1:{port}/0"
    works(f"{url}?ssl_ca_certs={certificate[0]}")
    works(f"{url}?ssl_cert_reqs=none&ssl_check_hostname=false")
    with closing(Server(url)) as server, pytest.raises(RedisUnavailable, match="certificate"):
        server.connection()
