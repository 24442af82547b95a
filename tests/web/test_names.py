"""Under which names the dashboard may be reached."""

import pytest

from qsuper.config import WebConfig
from qsuper.roles.web.names import Names, origin_of

NAMES = Names(WebConfig(listen="0.0.0.0:8470", hosts=("Qsuper.Example.com",)))


@pytest.mark.parametrize(
    "host",
    ["qsuper.example.com", "QSUPER.example.COM.", "qsuper.example.com:443", "192.168.1.9:8470"],
)
def test_ours(host: str) -> None:
    assert NAMES.allows(host, "192.168.1.9")


@pytest.mark.parametrize(
    "host",
    [
        "",
        "example.com",
        "xqsuper.example.com",
        "qsuper.example.com:port",
        "qsuper.example.com/",
        "qsuper.example.com localhost",
        "192.168.1.10",
        "192.168.1.9.evil.example",
        "3232235785",
    ],
)
def test_not_ours(host: str) -> None:
    assert not NAMES.allows(host, "192.168.1.9")


def test_an_address_may_be_written_in_several_ways() -> None:
    names = Names(WebConfig(listen="[::]:8470"))
    assert names.allows("[0:0::1]:8470", "::1")
    assert not names.allows("[fe80::2]", "fe80::1")


@pytest.mark.parametrize(
    ("origin", "host"),
    [("https://A.example:8443", "a.example:8443"), ("null", ""), ("chrome-extension://x", "")],
)
def test_where_a_request_says_it_comes_from(origin: str, host: str) -> None:
    assert origin_of({"origin": origin}) == host
    assert origin_of({}) is None
