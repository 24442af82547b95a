"""The schedules there are, and the jobs that they become."""

from collections.abc import Mapping
from typing import Any

from qsuper.config import Config, ScheduleConfig, TaskConfig
from qsuper.errors import ParamError, QsuperError
from qsuper.job import DEFAULT_QUEUE, NewJob
from qsuper.tasks.codecs import CODECS
from qsuper.tasks.registry import Registry, Task
from qsuper.tasks.schedule import Refused, Schedule, named


def schedules_of(config: Config, registry: Registry) -> list[Schedule]:
    """Those of the application and those of the configuration, each under its name; raises
    `ParamError` when one of them cannot be."""
    found, refused = sorted_out(config, registry)
    for one in refused:
        raise ParamError(f"the schedule {one.name!r}: {one.reason}")
    return list(found.values())


def sorted_out(config: Config, registry: Registry) -> tuple[dict[str, Schedule], list[Refused]]:
    """The same by name, and those that cannot be: a second one of a name, or one whose task could
    not take its param. They shall not hold up the others."""
    found, refused = named([*registry.schedules, *map(_configured, config.schedule)])
    for name, schedule in list(found.items()):
        try:
            job_for(schedule, None, 0.0, registry, config)
        except QsuperError as error:
            refused.append(Refused(found.pop(name), str(error)))
    return found, refused


def job_for(
    schedule: Schedule, due: int | None, now: float, registry: Registry, config: Config
) -> NewJob:
    """The job of a due time; of None, one that somebody wants now. Raises `ParamError`."""
    told: dict[str, Any] = {"name": schedule.name}
    at: float | None = None
    if due is not None:
        told["due"] = due
        at = due + schedule.lateness(due)
    task = registry.get(schedule.task)
    settings = config.tasks.get(schedule.task) or TaskConfig()
    wanted = task or settings
    param = _param(schedule.param, task, settings)
    most = config.job.max_param_bytes
    if param is not None and len(param.encode("utf-8", "surrogatepass")) > most:
        raise ParamError(
            f"its param is larger than {most} bytes (job.max_param_bytes): store the data"
            " elsewhere and pass where it is"
        )
    return NewJob(
        schedule.task,
        param,
        queue=wanted.queue or DEFAULT_QUEUE,
        priority=wanted.priority or 0,
        max_age=wanted.max_age,
        at=at if at is not None and at > now else None,
        headers={"schedule": told},
    )


def _configured(one: ScheduleConfig) -> Schedule:
    return Schedule(
        one.cron,
        one.task,
        name=one.name or "",
        param=one.param,
        timezone=one.timezone,
        jitter=one.jitter,
        misfire=one.misfire,
        grace=one.grace,
        overlap=one.overlap,
    )


def _param(
    param: Mapping[str, Any] | str | None, task: Task | None, settings: TaskConfig
) -> str | None:
    """As the column is to hold it, checked as far as the task is known here."""
    if isinstance(param, str):
        if task is not None:
            args, kwargs = task.codec.decode(param)
            task.bind(args, kwargs)
        return param
    if task is not None:
        return task.encode(**(param or {}))
    return None if param is None else CODECS[settings.codec or "json"].encode(param)
