"""What becomes a job when a watched key expires, and what the job is told of it."""

import base64
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from qsuper.config import Config, TaskConfig
from qsuper.errors import ParamError
from qsuper.job import DEFAULT_QUEUE, NewJob
from qsuper.tasks.codecs import CODECS
from qsuper.tasks.registry import Registry, Task
from qsuper.tasks.watch import Watch

OBSERVED, PRESUMED = "observed", "presumed"
"""Observed: Redis said that the key expired. Presumed: it was gone and nothing told why."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """A key that is gone."""

    db: int
    name: bytes
    value: bytes | None
    """Its last value; None when it was no string, was too long, or was never seen."""
    kind: str
    """`string`, `hash`, …; `string of 104857600 bytes` for one too long; `unknown`."""
    deadline: int | None
    """Unix time in ms at which it was to expire; None when it was never seen alive."""
    how: str
    """`OBSERVED` or `PRESUMED`."""

    def facts(self) -> dict[str, Any]:
        """Everything a job may be told, by the name of the argument that takes it."""
        return {
            "key": _text(self.name),
            "value": None if self.value is None else _text(self.value),
            "kind": self.kind,
            "how": self.how,
            "db": self.db,
            "deadline": None if self.deadline is None else self.deadline / 1000,
            "key_base64": base64.b64encode(self.name).decode(),
            "value_base64": None if self.value is None else base64.b64encode(self.value).decode(),
        }


def _text(raw: bytes) -> str:
    """As text; what is not UTF-8 in it as `\\xff`."""
    return raw.decode("utf-8", "backslashreplace")


FACTS = ("key", "value", "kind", "how", "db", "deadline", "key_base64", "value_base64")
_ALWAYS = ("key", "value")
"""What a task of another program is told: one that is not known here."""
_IN_HEADERS = ("how", "kind", "db", "deadline")


def watches_of(config: Config, registry: Registry) -> list[Watch]:
    """Those of the application and those of the configuration, each once; raises `ParamError`
    when a task could not take what a watch tells it."""
    found = [*registry.watches]
    found += [Watch(one.pattern, one.task, one.db) for one in config.watch]
    for watch in found:
        if task := registry.get(watch.task):
            check_task(task)
    return list(dict.fromkeys(found))


def check_task(task: Task) -> None:
    """Raise `ParamError` unless the task can be called with what a watch tells."""
    for parameter in task.signature.parameters.values():
        wanted = parameter.default is parameter.empty and parameter.kind in (
            parameter.POSITIONAL_ONLY,
            parameter.POSITIONAL_OR_KEYWORD,
            parameter.KEYWORD_ONLY,
        )
        if wanted and (parameter.name not in FACTS or parameter.kind is parameter.POSITIONAL_ONLY):
            raise ParamError(
                f"{task.name}{task.signature} cannot take an expired key: a watch passes, by name,"
                f" what the task names of {', '.join(FACTS)}"
            )
    task.encode(**dict.fromkeys(_named(task.signature), ""))


def job_for(expiry: Expiry, watch: Watch, registry: Registry, config: Config) -> NewJob:
    """The job of one watch; `headers` says what the param may not."""
    task = registry.get(watch.task)
    facts = expiry.facts()
    headers = {"watch": {"pattern": watch.pattern} | {name: facts[name] for name in _IN_HEADERS}}
    always = {name: facts[name] for name in _ALWAYS}
    if task is None:
        settings = config.tasks.get(watch.task) or TaskConfig()
        codec = CODECS[settings.codec or "json"]
        return NewJob(
            watch.task,
            _or_json(lambda: codec.encode(always), always),
            queue=settings.queue or DEFAULT_QUEUE,
            priority=settings.priority or 0,
            max_age=settings.max_age,
            headers=headers,
        )
    told = {name: facts[name] for name in _named(task.signature)}
    return NewJob(
        watch.task,
        _or_json(lambda: task.encode(**told), always),
        queue=task.queue,
        priority=task.priority,
        max_age=task.max_age,
        headers=headers,
    )


def _or_json(encode: Callable[[], str | None], always: dict[str, Any]) -> str | None:
    """A param; as JSON where its codec cannot write it: the worker shall say so, where it is
    seen."""
    try:
        return encode()
    except ParamError:
        return CODECS["json"].encode(always)


def _named(signature: inspect.Signature) -> Iterator[str]:
    """The facts that a signature takes; all of them where it takes anything."""
    kinds = {parameter.kind for parameter in signature.parameters.values()}
    if inspect.Parameter.VAR_KEYWORD in kinds:
        return iter(FACTS)
    return (name for name in FACTS if name in signature.parameters)
