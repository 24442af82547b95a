"""Limits and rates as they are declared and configured, and how they are named."""

from typing import Any

import pytest

from qsuper import Limit, Queue
from qsuper.config import Config, TaskConfig
from qsuper.errors import AppError, ParamError, QsuperError
from qsuper.tasks.configured import configured
from qsuper.tasks.limit import NAME_MOST, is_own, name_of, rate_name, read_limit, starts
from qsuper.tasks.registry import Task

UID = Limit(3, by="uid")


def send(uid: int, text: str = "") -> None:
    """A task."""


@pytest.mark.parametrize(
    ("declared", "limit"),
    [(3, Limit(3)), ((3, "uid"), UID), (UID, UID), ([3, "uid"], UID)],
)
def test_a_limit_is_declared_in_three_ways(declared: object, limit: Limit) -> None:
    assert read_limit("send", declared) == limit


@pytest.mark.parametrize("wrong", [0, -1, True, 10_001, 2.5, "3", (3,), (3, 4), (0, "uid"), None])
def test_what_is_no_limit_is_refused(wrong: object) -> None:
    with pytest.raises(ParamError, match="limit"):
        read_limit("send", wrong)


@pytest.mark.parametrize(
    ("declared", "a_second"), [(10, 10), (0.5, 0.5), ("600/m", 10), ("20 / h", 20 / 3600), ("5", 5)]
)
def test_a_rate_is_starts_a_second_or_in_another_time(declared: object, a_second: float) -> None:
    assert starts("send", declared) == pytest.approx(a_second)


@pytest.mark.parametrize(
    "wrong", [0, -1, True, 1001, float("nan"), float("inf"), "10/w", "/m", "nan", None, (1, 2)]
)
def test_what_is_no_rate_is_refused(wrong: object) -> None:
    with pytest.raises(ParamError, match="rate"):
        starts("send", wrong)


def test_a_task_declares_both() -> None:
    queue = Queue("sqlite:///none.db", config=Config())
    task = queue.task(limit=(3, "uid"), rate="600/m")(send).task
    assert (task.limit, task.rate) == (UID, 10.0)


def test_a_limit_by_what_is_no_argument_is_refused() -> None:
    queue = Queue("sqlite:///none.db", config=Config())
    with pytest.raises(QsuperError, match="send has no argument 'user'"):
        queue.task(limit=(3, "user"))(send)


def test_rates_and_limits_cannot_be_taken_for_each_other() -> None:
    for name in ("rate", "rate:send"):
        with pytest.raises(ParamError, match="named"):
            read_limit(name, 3)


@pytest.mark.parametrize(
    ("own", "settings", "limit"),
    [
        (None, {"limit": 5}, Limit(5)),
        (None, {"limit": 3, "limit_by": "uid"}, UID),
        (Limit(9), {"limit_by": "uid"}, Limit(9, by="uid")),
        (UID, {"limit": 5}, Limit(5, by="uid")),
        (UID, {}, UID),
    ],
)
def test_the_configuration_goes_over_the_task(
    own: Limit | None, settings: dict[str, Any], limit: Limit
) -> None:
    config = Config(tasks={"send": TaskConfig(**settings)})
    assert configured(Task("send", send, limit=own), config).limit == limit


def test_a_rate_in_the_configuration_goes_over_the_tasks() -> None:
    config = Config(tasks={"send": TaskConfig(rate=2.5)})
    assert configured(Task("send", send, rate=10.0), config).rate == 2.5


@pytest.mark.parametrize("settings", [{"limit_by": "uid"}, {"limit": 3, "limit_by": "user"}])
def test_a_limit_that_cannot_be_is_said(settings: dict[str, Any]) -> None:
    with pytest.raises(AppError, match="limit_by"):
        configured(Task("send", send), Config(tasks={"send": TaskConfig(**settings)}))


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"uid": 4}, "send:uid=4"),
        ({"uid": "4"}, "send:uid=4"),
        ({"uid": None}, "send:uid=null"),
        ({}, "send:uid=null"),
        ({"uid": True}, "send:uid=true"),
        ({"uid": {"b": 1, "a": [2]}}, 'send:uid={"a": [2], "b": 1}'),
        ({"uid": "\udcff\0"}, "send:uid=\\udcff\\0"),
    ],
)
def test_a_limit_by_an_argument_is_named_after_its_value(
    arguments: dict[str, object], name: str
) -> None:
    assert name_of(UID, "send", arguments) == name
    assert is_own(name, "send", UID)


def test_a_limit_of_the_whole_task_has_its_name() -> None:
    assert name_of(Limit(3), "send", {"uid": 4}) == "send"
    assert is_own("send", "send", Limit(3))
    assert not is_own("send", "send", UID)
    assert not is_own("send:uid=4", "send", Limit(3))
    assert not is_own("send:user=4", "send", UID)
    assert not is_own("send", "send", None)


def test_long_names_end_with_a_digest() -> None:
    one, two = (name_of(UID, "send", {"uid": "x" * 500 + end}) for end in "ab")
    assert one != two
    assert len(one) == len(two) == NAME_MOST
    assert is_own(one, "send", UID)
    assert len(rate_name("t" * 190)) == NAME_MOST


def test_the_arguments_of_a_param_that_does_not_fit_are_none() -> None:
    task = Task("send", send)
    assert task.arguments('{"uid": 4}') == {"uid": 4}
    for param in ('{"user": 4}', "{", None, b"\xff"):
        assert task.arguments(param) == {}
