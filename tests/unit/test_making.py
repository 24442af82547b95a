"""What is written of a job is as the configuration wants it, whoever's its task is."""

from pathlib import Path

import pytest

from qsuper.client.making import Making
from qsuper.config import Config, ScriptsConfig, TaskConfig
from qsuper.errors import ParamError
from qsuper.tasks.registry import Registry, Task

ARGUMENTS = {"uid": 4, "uids": [6, 7]}
AS_QUERY = "uid=4&uids%5B0%5D=6&uids%5B1%5D=7"


def takes(uid: int, uids: list[int]) -> None: ...


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    registry.add(Task("send_msg", takes, queue="mail", priority=2))
    return registry


def making(registry: Registry, **tables: object) -> Making:
    return Making(registry, Config(**tables))  # type: ignore[arg-type]


def test_a_task_of_ones_own_is_written_as_it_says(registry: Registry) -> None:
    here = making(registry)
    job = here.job("send_msg", here.encode("send_msg", ARGUMENTS), {"priority": -1})
    assert (job.param, job.queue, job.priority) == ('{"uid":4,"uids":[6,7]}', "mail", -1)
    with pytest.raises(ParamError, match="missing a required argument"):
        here.encode("send_msg", {"uid": 4})


def test_the_configuration_goes_over_it(registry: Registry) -> None:
    settings = TaskConfig(queue="slow", codec="query", max_age=60.0)
    here = making(registry, tasks={"send_msg": settings})
    job = here.job("send_msg", here.encode("send_msg", ARGUMENTS), {})
    assert (job.param, job.queue, job.priority, job.max_age) == (AS_QUERY, "slow", 2, 60.0)


@pytest.mark.parametrize("program", [None, ("php", "send_msg.php")])
def test_a_task_of_another_program_is_written_as_the_configuration_says(
    program: tuple[str, ...] | None,
) -> None:
    settings = TaskConfig(program=program, queue="slow", codec="query", priority=3)
    here = making(Registry(), tasks={"remote": settings})
    job = here.job("remote", here.encode("remote", ARGUMENTS), {})
    assert (job.param, job.queue, job.priority) == (AS_QUERY, "slow", 3)


def test_a_script_of_the_folder_is_written_by_the_scripts_codec(tmp_path: Path) -> None:
    (tmp_path / "send_msg.php").write_text("")
    scripts = ScriptsConfig(dir=str(tmp_path), interpreters={".php": ("php",)}, codec="query")
    here = making(Registry(), scripts=scripts)
    assert here.encode("send_msg.php", ARGUMENTS) == AS_QUERY
    assert here.encode("other.php", ARGUMENTS) == '{"uid":4,"uids":[6,7]}'


@pytest.mark.parametrize("codec", ["query", "raw"])
@pytest.mark.parametrize("uids", [[], None])
def test_what_the_handler_could_not_take_once_it_is_read_again_is_refused(
    registry: Registry, codec: str, uids: object
) -> None:
    made = making(registry, tasks={"send_msg": TaskConfig(codec=codec)})  # type: ignore[arg-type]
    with pytest.raises(ParamError):
        made.encode("send_msg", {"uid": 4, "uids": uids})
