"""Under which names the dashboard may be reached."""

import msgspec
import pytest

from qsuper.config import WebConfig
from qsuper.roles.web.gate.names import Names, origin_of

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


def test_who_listens_at_every_address_is_reached_by_those_of_either_kind() -> None:
    names = Names(WebConfig(listen="[::]:8470"))
    assert names.allows("192.168.1.9:8470", "::ffff:192.168.1.9")
    assert names.allows("[::ffff:192.168.1.9]:8470", "::ffff:192.168.1.9")
    assert not names.allows("192.168.1.10:8470", "::ffff:192.168.1.9")


def test_a_name_in_the_configuration_may_be_an_address() -> None:
    config = msgspec.convert({"hosts": ["fd00::0:7", "10.0.0.7"]}, WebConfig)
    names = Names(config)
    assert names.allows("[fd00::7]:443", "127.0.0.1")
    assert names.allows("10.0.0.7", "127.0.0.1")
    assert not names.allows("[fd00::8]", "127.0.0.1")
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"hosts": ["qsuper.example.com:443"]}, WebConfig)


@pytest.mark.parametrize(
    ("origin", "host"),
    [("https://A.example:8443", "a.example:8443"), ("null", ""), ("chrome-extension://x", "")],
)
def test_where_a_request_says_it_comes_from(origin: str, host: str) -> None:
    assert origin_of({"origin": origin}) == host
    assert origin_of({}) is None
