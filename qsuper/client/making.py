"""From a task, a param and options to the job that is to be written."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, cast

from qsuper.client.moments import in_seconds
from qsuper.client.options import Options
from qsuper.config import Config, TaskConfig
from qsuper.errors import ParamError
from qsuper.job import NewJob
from qsuper.tasks import tracing
from qsuper.tasks.codecs import CODECS
from qsuper.tasks.configured import apply, configured
from qsuper.tasks.registry import Registry, Task


class Making:
    """By what an application has registered, and what its configuration wants."""

    def __init__(self, registry: Registry, config: Config) -> None:
        self._registry = registry
        self._config = config
        self._configured: dict[str, tuple[Task, Task]] = {}

    @cached_property
    def _programs(self) -> Registry:
        """The tasks that the configuration makes: programs, and scripts of a folder."""
        registry = Registry()
        apply(registry, self._config)
        return registry

    def known(self, task: str) -> Task | None:
        """The task as the configuration wants it; None when it is not registered here."""
        found = self._registry.get(task)
        if found is None:
            return self._programs.get(task)
        before, after = self._configured.get(task, (None, found))
        if before is not found:
            after = configured(found, self._config)
            self._configured[task] = (found, after)
        return after

    def encode(self, task: str, param: Mapping[str, Any] | None) -> str | None:
        """Named arguments as the column is to hold them; raises `ParamError`."""
        return self.encoder(task)(param)

    def encoder(self, task: str) -> Callable[[Mapping[str, Any] | None], str | None]:
        """The same for many params of one task."""
        encode = self._encode_of(task)

        def checked(param: Mapping[str, Any] | None) -> str | None:
            if param is not None and not isinstance(param, Mapping):
                raise ParamError(
                    f"param is a mapping of named arguments, not {type(param).__name__}"
                )
            return self.sized(task, encode(param or {}))

        return checked

    def _encode_of(self, task: str) -> Callable[[Mapping[str, Any]], str | None]:
        if (known := self.known(task)) is not None:
            return known.encode_named
        settings = self._config.tasks.get(task) or TaskConfig()
        return CODECS[settings.codec or "json"].encode

    def sized(self, task: str, param: str | None) -> str | None:
        """The param, unless it is too large; raises `ParamError`."""
        most = self._config.job.max_param_bytes
        # No character takes more than four bytes.
        if param is None or 4 * len(param) <= most:
            return param
        if len(param.encode("utf-8", "surrogatepass")) > most:
            raise ParamError(
                f"the param of {task} is larger than {most} bytes (job.max_param_bytes): store the"
                " data elsewhere and pass where it is"
            )
        return param

    def check(self, task: str, param: str | None) -> None:
        """Raise `ParamError` unless a task that is registered here can take the param."""
        if (known := self.known(task)) is not None:
            args, kwargs = known.codec.decode(param)
            known.check(args, kwargs)

    def job(self, task: str, param: str | None, options: Options) -> NewJob:
        """The job; what the options leave out is as its task says. Raises `ParamError`."""
        self.sized(task, param)
        wanted = in_seconds({**self._usual(task), **options})
        if trace := tracing.headers():
            wanted["headers"] = {**trace, **(wanted.get("headers") or {})}
        return NewJob(task, param, **wanted)

    def _usual(self, task: str) -> Options:
        if (known := self.known(task)) is not None:
            usual = {"queue": known.queue, "priority": known.priority, "max_age": known.max_age}
        else:
            settings = self._config.tasks.get(task) or TaskConfig()
            names = ("queue", "priority", "max_age")
            usual = {name: getattr(settings, name) for name in names}
        return cast(Options, {name: value for name, value in usual.items() if value is not None})
