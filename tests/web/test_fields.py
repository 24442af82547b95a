"""What was sent is what it must be, or it is refused."""

import pytest

from qsuper.roles.web.fields import BadField, Fields
from qsuper.states import State


@pytest.mark.parametrize("value", [1, "1", 2**63 - 1])
def test_an_id(value: object) -> None:
    assert Fields({"id": value}).id() == int(str(value))


@pytest.mark.parametrize(
    "value", [0, -1, 2**63, "", "x", "1 ", "+1", "٣", 1.0, True, None, [1], {}, "9" * 5000]
)
def test_no_id(value: object) -> None:
    with pytest.raises(BadField, match="the number of a job"):
        Fields({"id": value}).id()


def test_texts() -> None:
    assert Fields({"a": "x"}).text("a") == "x"
    assert Fields({"a": ""}).text("a") is None
    texts: list[object] = ["x" * 2001, "a\0b", 1, ["x"]]
    for bad in texts:
        with pytest.raises(BadField):
            Fields({"a": bad}).text("a")
    with pytest.raises(BadField, match="a is missing"):
        Fields({}).needed("a")


def test_flags() -> None:
    assert all(Fields({"a": value}).flag("a") for value in ("1", "on", "true", True, 1))
    assert not any(Fields({"a": value}).flag("a") for value in ("", "0", "off", False, None))
    with pytest.raises(BadField):
        Fields({"a": "perhaps"}).flag("a")


def test_moments_and_numbers() -> None:
    assert Fields({"a": "1.5"}).moment("a") == 1.5
    assert Fields({}).moment("a") is None
    moments: list[object] = ["nan", "inf", "-1", "1e99", "x", True, [], {}]
    for bad in moments:
        with pytest.raises(BadField):
            Fields({"a": bad}).moment("a")
    assert Fields({"a": "7"}).number("a", 1, 10) == 7
    assert Fields({}).number("a", 1, 10) == 1
    numbers: list[object] = ["0", "11", "x", 1.5, True]
    for bad in numbers:
        with pytest.raises(BadField):
            Fields({"a": bad}).number("a", 1, 10)


def test_states_and_workers() -> None:
    assert Fields({"state": "ready"}).state() is State.READY
    assert Fields({}).state() is None
    with pytest.raises(BadField, match="one of"):
        Fields({"state": "READY"}).state()
    assert Fields({"workers": "auto"}).workers() == "auto"
    assert Fields({"workers": "8"}).workers() == 8
    for bad in ("-1", "many", 1.5, True, None):
        with pytest.raises(BadField):
            Fields({"workers": bad}).workers()
