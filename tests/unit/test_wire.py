"""The control socket's language, and the small client that speaks it."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from qsuper.errors import NotRunning, WireError
from qsuper.wire import (
    LINE_MOST,
    LineBuffer,
    Refused,
    Request,
    call,
    decode_request,
    encode,
    ok,
    refused,
)


def test_lines_are_cut_wherever_the_stream_was_cut() -> None:
    stream = 'ä\n{"b": 1}\n\nrest'.encode()
    for size in range(1, len(stream) + 1):
        buffer = LineBuffer()
        pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
        assert [line for piece in pieces for line in buffer.feed(piece)] == ["ä", '{"b": 1}', ""]


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"\xff\n", "not UTF-8"), (b"a\0b\n", "NUL"), (b"x" * LINE_MOST, "longer than 65536 bytes")],
)
def test_junk_on_the_line_is_an_error(data: bytes, words: str) -> None:
    with pytest.raises(WireError, match=words):
        LineBuffer().feed(data)


def test_an_overlong_line_is_refused_before_its_end_and_the_longest_is_not() -> None:
    buffer = LineBuffer()
    assert buffer.feed(b"x" * (LINE_MOST - 1)) == []
    assert buffer.feed(b"\n") == ["x" * (LINE_MOST - 1)]
    buffer.feed(b"x" * (LINE_MOST - 1))
    with pytest.raises(WireError):
        buffer.feed(b"x")


def test_a_request_survives_the_way() -> None:
    request = Request("scale", {"queue": "mail", "workers": 4})
    (line,) = LineBuffer().feed(encode(request))
    assert decode_request(line) == request
    assert decode_request('{"verb": "status"}') == Request("status", {})


@pytest.mark.parametrize(
    "line",
    [
        "",
        "GET / HTTP/1.1",
        "[]",
        "{}",
        "null",
        '{"verb": 3}',
        '{"verb": ""}',
        '{"verb": "Rm -rf"}',
        '{"verb": "a", "args": []}',
        '{"verb": "a", "more": 1}',
        '{"verb": "a", "args": {"n": NaN}}',
        '{"verb": "a", "args": {"n": ' + "9" * 5000 + "}}",
        '{"verb": "a", "args": {"n": ' + "[" * 60000,
        "\udcff",
    ],
)
def test_whatever_is_no_request_is_one_clear_error(line: str) -> None:
    with pytest.raises(WireError, match=r'^The line is not a request; send \{"verb"'):
        decode_request(line)


def test_what_cannot_be_sent_is_refused_at_the_sender() -> None:
    assert len(encode("x" * (LINE_MOST - 3))) == LINE_MOST
    with pytest.raises(WireError, match="at most 65536"):
        encode("x" * (LINE_MOST - 2))
    with pytest.raises(WireError, match="not UTF-8"):
        encode({"task": "\udcff"})
    assert encode(refused("\udcff")) == b'{"ok":false,"error":"\\\\udcff"}\n'


@contextmanager
def master(path: Path, *answer: bytes, hold: bool = False) -> Iterator[list[bytes]]:
    """A listener that reads one line, sends the pieces and hangs up; or holds on and is silent."""
    heard: list[bytes] = []
    finished = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            heard.append(connection.makefile("rb").readline())
            for piece in answer:
                connection.sendall(piece)
            if hold:
                finished.wait(30)

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield heard
        finally:
            finished.set()
            thread.join(30)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("control.sock")


def test_a_call_sends_its_request_and_returns_the_fields(path: Path) -> None:
    answer = encode(ok(workers=4))
    with master(path, answer[:3], answer[3:]) as heard:
        assert call(path, "scale", {"workers": 4}) == {"workers": 4}
    assert decode_request(heard[0].decode()) == Request("scale", {"workers": 4})


def test_a_refusal_raises_the_masters_own_words(path: Path) -> None:
    with master(path, encode(refused("no queue mial"))), pytest.raises(Refused, match="mial"):
        call(path, "scale")


def test_nothing_that_listens_is_not_running(path: Path) -> None:
    with pytest.raises(NotRunning):
        call(path, "status")
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    with pytest.raises(NotRunning):
        call(path, "status")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "without an answer"),
        (b'{"ok": tr', "without an answer"),
        (b"HTTP/1.1 400\r\n", "not one of a qsuper master"),
        (b"\xff\n", "not UTF-8"),
    ],
)
def test_an_answer_that_is_none_is_one_clear_error(path: Path, answer: bytes, words: str) -> None:
    with master(path, answer), pytest.raises(WireError, match=words):
        call(path, "status")


def test_a_master_that_is_silent_or_dribbles_is_waited_for_only_so_long(path: Path) -> None:
    with master(path, b'{"ok"', hold=True), pytest.raises(WireError, match=r"within 0\.05 s"):
        call(path, "status", timeout=0.05)


def test_a_path_too_long_for_a_socket_says_what_to_change(tmp_path: Path) -> None:
    with pytest.raises(WireError, match="choose a shorter state_dir"):
        call(tmp_path / ("x" * 107), "status")


def test_a_call_leaves_no_descriptor_behind(path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(NotRunning):
        call(path, "status")
    assert len(os.listdir("/proc/self/fd")) == before
