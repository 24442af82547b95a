"""What is believed of what proxies say, and what is handed out through them."""

from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response

from qsuper.config import WebConfig
from qsuper.roles.web.gate.access import Access
from qsuper.roles.web.gate.door import SAID_MOST, Door
from qsuper.roles.web.gate.keys import Keys
from qsuper.roles.web.gate.revoked import Revoked
from qsuper.roles.web.gate.sessions import Sessions

PROXY, INNER = "10.0.0.7", "10.0.0.8"


@pytest.fixture
def access(tmp_path: Path) -> Access:
    config = WebConfig(listen="127.0.0.1:8470", trusted_proxies=(PROXY, INNER))
    return Access(config, Keys("token", b"key"), Sessions(b"key", Revoked(tmp_path)))


def request(*headers: tuple[str, str], peer: str = PROXY) -> Request:
    raw = [(name.encode(), value.encode()) for name, value in headers]
    return Request({"type": "http", "client": (peer, 1), "headers": raw})


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        (["1.1.1.1"], "1.1.1.1"),
        (["6.6.6.6, 1.1.1.1"], "1.1.1.1"),
        (["6.6.6.6", "1.1.1.1"], "1.1.1.1"),
        (["6.6.6.6", f"1.1.1.1, {INNER}"], "1.1.1.1"),
        (["6.6.6.6", "1.1.1.1", INNER], "1.1.1.1"),
        (["6.6.6.6", "junk"], PROXY),
        ([], PROXY),
    ],
)
def test_a_visitor_is_where_the_nearest_trusted_proxy_saw_them(
    access: Access, lines: list[str], address: str
) -> None:
    asked = request(*(("x-forwarded-for", line) for line in lines))
    assert access.address(asked) == address


def test_who_is_no_proxy_says_nothing_of_others(access: Access) -> None:
    asked = request(("x-forwarded-for", "1.1.1.1"), ("x-forwarded-proto", "https"), peer="2.2.2.2")
    assert access.address(asked) == "2.2.2.2"
    assert not access.over_tls(asked)


@pytest.mark.parametrize(
    ("lines", "over_tls"),
    [(["https"], True), (["http", "HTTPS"], True), (["https", "http"], False), ([], False)],
)
def test_the_nearest_proxy_says_how_the_browser_speaks(
    access: Access, lines: list[str], *, over_tls: bool
) -> None:
    asked = request(*(("x-forwarded-proto", line) for line in lines))
    assert access.over_tls(asked) is over_tls


@pytest.mark.parametrize("words", ["short", "ж" * 700, "x" * 5000, "+é" * 400, "\ud800 odd"])
def test_words_for_the_next_page_reach_it_however_many_they_are(access: Access, words: str) -> None:
    door, answer = Door(access, read_only=False), Response()
    door.say(request(), answer, words)
    cookie = answer.headers["set-cookie"].partition(";")[0]
    said = door.said(request(("cookie", cookie)))
    whole = words.encode("utf-8", "replace")
    assert whole.startswith(said.encode())
    assert len(said.encode()) > min(len(whole), SAID_MOST) - 4
