"""What a job is told of a key, and which tasks can be told it."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from qsuper import Queue
from qsuper.config import Config, TaskConfig, WatchConfig
from qsuper.errors import ParamError
from qsuper.tasks.codecs import CODECS
from qsuper.tasks.expiry import FACTS, Expiry, check_task, job_for, watches_of
from qsuper.tasks.registry import Registry, Task
from qsuper.tasks.watch import Watch

WATCH = Watch("SN*:1", "expired", 15)
EXPIRY = Expiry(15, b"SN1:1", b"unpaid", "string", 1_800_000_000_123, "observed")
ALL = {
    "key": "SN1:1",
    "value": "unpaid",
    "kind": "string",
    "how": "observed",
    "db": 15,
    "deadline": 1_800_000_000.123,
    "key_base64": base64.b64encode(b"SN1:1").decode(),
    "value_base64": base64.b64encode(b"unpaid").decode(),
}


def takes_key(key: str) -> None: ...
def takes_both(value: str, key: str) -> None: ...
def takes_options(key: str, *, how: str, more: int = 1) -> None: ...
def takes_nothing() -> None: ...
def takes_anything(**facts: Any) -> None: ...
def takes_the_rest(*, key: str, **facts: Any) -> None: ...
def wants_more(key: str, order: int) -> None: ...
def wants_by_place(key: str, /) -> None: ...
def wants_places(*keys: str) -> None: ...


def registry(handler: Callable[..., Any], **options: Any) -> Registry:
    found = Registry()
    found.add(Task("expired", handler, **options))
    return found


def param(handler: Callable[..., Any], expiry: Expiry = EXPIRY) -> Any:
    text = job_for(expiry, WATCH, registry(handler), Config()).param
    return None if text is None else json.loads(text)


@pytest.mark.parametrize(
    ("handler", "names"),
    [
        (takes_key, {"key"}),
        (takes_both, {"key", "value"}),
        (takes_options, {"key", "how"}),
        (takes_anything, set(FACTS)),
        (takes_the_rest, set(FACTS)),
    ],
)
def test_a_task_is_told_what_it_names(handler: Callable[..., Any], names: set[str]) -> None:
    check_task(Task("expired", handler))
    assert param(handler) == {name: ALL[name] for name in names}


def test_a_task_that_names_nothing_is_told_nothing() -> None:
    check_task(Task("expired", takes_nothing))
    assert param(takes_nothing) is None
    check_task(Task("expired", wants_places))
    assert param(wants_places) is None


@pytest.mark.parametrize("handler", [wants_more, wants_by_place])
def test_a_task_that_cannot_be_told_a_key_is_refused(handler: Callable[..., Any]) -> None:
    task = Task("expired", handler)
    with pytest.raises(ParamError, match=r"^expired\(key.*\).* cannot take an expired key: .*db, "):
        check_task(task)
    with pytest.raises(ParamError, match="cannot take an expired key"):
        watches_of(Config(watch=(WatchConfig("SN*", "expired"),)), registry(handler))


def test_a_queue_refuses_such_a_watch_where_it_is_declared() -> None:
    queue = Queue("sqlite:///never.db")
    with pytest.raises(ParamError, match="cannot take an expired key"):
        queue.watch("SN*:1")(wants_more)
    assert not queue.registry.watches


def test_headers_say_what_the_param_may_not() -> None:
    job = job_for(EXPIRY, WATCH, registry(takes_nothing), Config())
    assert job.headers == {
        "watch": {"pattern": "SN*:1", **{name: ALL[name] for name in ("how", "kind", "db")}}
        | {"deadline": ALL["deadline"]}
    }


def test_any_bytes_are_told_as_text_and_exactly() -> None:
    every = bytes(range(256))
    told = param(takes_anything, Expiry(0, every, every, "string", None, "presumed"))
    assert base64.b64decode(told["key_base64"]) == every
    assert base64.b64decode(told["value_base64"]) == every
    assert told["key"].startswith("\0\1")
    assert told["key"].endswith(r"\xfe\xff")
    assert told["deadline"] is None


def test_a_value_that_is_not_known_is_none_in_both_forms() -> None:
    told = param(takes_anything, Expiry(0, b"k", None, "hash", 1, "observed"))
    assert (told["value"], told["value_base64"], told["kind"]) == (None, None, "hash")


def test_the_job_is_as_its_task_wants_it() -> None:
    tasks = registry(takes_key, queue="mail", priority=-5)
    job = job_for(EXPIRY, WATCH, tasks, Config())
    assert (job.task, job.queue, job.priority, job.name) == ("expired", "mail", -5, None)


def test_a_task_of_another_program_is_told_key_and_value() -> None:
    job = job_for(EXPIRY, WATCH, Registry(), Config())
    assert json.loads(job.param or "") == {"key": "SN1:1", "value": "unpaid"}
    assert job.queue == "default"
    settings = Config(tasks={"expired": TaskConfig(queue="mail", priority=3)})
    job = job_for(EXPIRY, WATCH, Registry(), settings)
    assert (job.queue, job.priority) == ("mail", 3)


def test_what_a_codec_cannot_write_becomes_a_job_that_says_so_when_it_runs() -> None:
    def takes_value(value: str) -> None: ...

    tasks = registry(takes_value, codec=CODECS["raw"])
    assert job_for(EXPIRY, WATCH, tasks, Config()).param == "unpaid"
    unknown = Expiry(0, b"k", None, "hash", 1, "observed")
    job = job_for(unknown, WATCH, tasks, Config())
    assert json.loads(job.param or "") == {"key": "k", "value": None}


def test_the_same_watch_declared_twice_is_one() -> None:
    tasks = registry(takes_key)
    tasks.watches += [WATCH, Watch("SN*:2", "expired")]
    config = Config(
        watch=(WatchConfig("SN*:1", "expired", 15), WatchConfig("SN*:1", "expired", 14))
    )
    found = watches_of(config, tasks)
    assert found == [WATCH, Watch("SN*:2", "expired"), Watch("SN*:1", "expired", 14)]


@pytest.mark.parametrize(
    ("pattern", "db"), [("", 0), (b"SN", 0), (None, 0), ("SN*", -1), ("SN*", True), ("SN*", "15")]
)
def test_a_watch_that_is_none_is_refused(pattern: Any, db: Any) -> None:
    with pytest.raises(ParamError, match=r"^(a watch wants a pattern|db is the number)"):
        Watch(pattern, "expired", db)


@pytest.mark.parametrize(
    ("pattern", "everything"), [("*", True), ("**", True), ("*:1", False), ("?*", False)]
)
def test_a_watch_on_everything_is_known_as_one(pattern: str, everything: bool) -> None:
    assert Watch(pattern, "expired").is_everything is everything
