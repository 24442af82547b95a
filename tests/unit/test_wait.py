import pytest

from tests.wait import wait_for


def test_waiting_returns_what_the_condition_answered() -> None:
    answers = iter([None, "", "there"])
    assert wait_for(lambda: next(answers), timeout=30) == "there"


def test_waiting_in_vain_fails_with_the_message() -> None:
    with pytest.raises(AssertionError, match=r"not within 0 s: the moon is full"):
        wait_for(lambda: False, timeout=0, message="the moon is full")


def test_what_the_condition_raises_is_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        wait_for(lambda: 1 / 0)
