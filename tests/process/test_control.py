"""The control socket: whoever is at the other end, the master goes on."""

import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from qsuper.wire import Refused
from tests.process.harness import Node
from tests.wait import wait_for


@pytest.fixture
def running(node: Node) -> Iterator[Node]:
    node.start()
    yield node
    # Whatever was done to it, it answers and its children live.
    assert node.ask("hello")["stopping"] is False
    assert node.running() == 2


def connect(node: Node) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # Connected while it blocks: with a time-out a full backlog would be an error at once.
    connection.connect(str(node.state / "control.sock"))
    connection.settimeout(30)
    return connection


def answer(node: Node, sent: bytes) -> bytes:
    """All that comes back until the master hangs up."""
    with connect(node) as connection:
        connection.sendall(sent)
        received = b""
        while data := connection.recv(65536):
            received += data
    return received


def test_the_socket_and_its_folder_are_their_owners_alone(running: Node) -> None:
    assert stat.S_IMODE((running.state / "control.sock").stat().st_mode) == 0o600
    assert stat.S_IMODE(running.state.stat().st_mode) == 0o700


def test_hello_says_who_answers(running: Node) -> None:
    hello = running.ask("hello")
    assert hello["pid"] == running.board_master()
    assert hello["nonce"] == running.board().header.nonce
    assert hello["node"] == (running.state / "node").read_text().strip()


@pytest.mark.parametrize(
    "junk",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00\xff\xfe\n",
        b"\n",
        b"[" * 60000 + b"\n",
        b'{"verb": 7}\n',
        b"x" * 200_000,
    ],
)
def test_junk_gets_one_line_and_is_hung_up_on(running: Node, junk: bytes) -> None:
    try:
        assert answer(running, junk).startswith(b'{"ok":false,"error":"')
    except (ConnectionResetError, BrokenPipeError):
        assert len(junk) > 65536


@pytest.mark.parametrize(
    ("verb", "args", "words"),
    [
        ("selfdestruct", {}, "unknown verb 'selfdestruct'; known: hello, scale"),
        ("restart", {}, "restart needs the name"),
        ("restart", {"name": 3}, "name is a name, not '3'"),
        ("stop", {"now": "yes"}, "now is true or false"),
        ("pause", {"queue": "mail"}, "unknown argument 'queue'"),
        ("scale", {"workers": 2, "queue": ["mail"]}, "queue is a name"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    running: Node, verb: str, args: dict[str, object], words: str
) -> None:
    with pytest.raises(Refused, match=words):
        running.ask(verb, **args)


def test_two_hundred_silent_clients_keep_nobody_out(running: Node) -> None:
    with ExitStack() as stack:
        for _ in range(200):
            connection = stack.enter_context(connect(running))
            with suppress(BrokenPipeError):  # parted with already
                connection.sendall(b'{"verb": "hel')
        assert running.ask("hello")


def test_a_client_that_reads_nothing_is_parted_with(running: Node) -> None:
    with connect(running) as connection:
        connection.settimeout(0.2)
        parted = False
        try:
            for _ in range(2000):
                connection.sendall(b'{"verb": "hello"}\n' * 100)
        except OSError:
            parted = True
        assert parted
        assert running.ask("hello")


def test_many_requests_of_one_client_are_answered_in_turn(running: Node) -> None:
    with connect(running) as connection:
        connection.sendall(b'{"verb": "hello"}\n' * 5)
        received = b""

        def five() -> bool:
            nonlocal received
            received += connection.recv(65536)
            return received.count(b"\n") == 5

        wait_for(five)


def test_the_socket_of_a_dead_master_is_replaced(node: Node) -> None:
    master = node.start()
    master.kill()
    master.wait()
    assert (node.state / "control.sock").exists()
    following = node.start()
    assert node.ask("hello")["pid"] == following.pid
