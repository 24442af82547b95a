"""Scripts of one folder as tasks: a row names a file there, and nothing else."""

import random
from pathlib import Path

import pytest

from qsuper.config import Config, JobConfig, ScriptsConfig, TaskConfig, load
from qsuper.errors import AppError, ConfigError, UnknownTask
from qsuper.tasks import application
from qsuper.tasks.codecs import CODECS
from qsuper.tasks.configured import apply
from qsuper.tasks.programs.mistakes import mistakes
from qsuper.tasks.registry import Registry, Task
from tests.unit.cli import call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """`cron/` with scripts, beside files that are none of its."""
    cron = tmp_path / "cron"
    (cron / "sub").mkdir(parents=True)
    for name in ("send_msg.php", "sub/x.php", "dump.sh", "with space.sh", "ünïcode.php"):
        (cron / name).write_text("")
    for name in ("notes.txt", "no_end", ".php", "sub/y.pl"):
        (cron / name).write_text("")
    (tmp_path / "secret.php").write_text("")
    (cron / "out.php").symlink_to(tmp_path / "secret.php")
    (cron / "up").symlink_to(tmp_path)
    (cron / "alias.php").symlink_to(cron / "sub" / "x.php")
    (cron / "disguised.php").symlink_to(cron / "dump.sh")
    (cron / "loop.php").symlink_to(cron / "loop.php")
    (cron / "folder.php").mkdir()
    return cron


@pytest.fixture
def registry(folder: Path) -> Registry:
    scripts = ScriptsConfig(
        dir=str(folder),
        interpreters={".php": ("php", "-q"), ".sh": ("sh",)},
        codec="query",
        param="stdin",
    )
    settings = {"send_msg.php": TaskConfig(timeout=7.0, queue="mail")}
    registry = Registry()
    apply(registry, Config(scripts=scripts, tasks=settings, job=JobConfig(max_attempts=3)))
    return registry


def test_a_path_in_the_folder_is_a_task_that_its_interpreter_runs(
    registry: Registry, folder: Path
) -> None:
    for name in ("send_msg.php", "sub/x.php", "ünïcode.php"):
        task = registry[name]
        assert task.name == name
        assert task.program is not None
        assert task.program.argv == ("php", "-q", f"{folder}/{name}")
        assert task.program.cwd == str(folder)
        assert task.program.settings.param == "stdin"
        assert task.codec is CODECS["query"]
    for name in ("dump.sh", "with space.sh"):
        task = registry[name]
        assert task.program is not None
        assert task.program.argv == ("sh", f"{folder}/{name}")
    assert (registry["send_msg.php"].timeout, registry["send_msg.php"].queue) == (7.0, "mail")
    assert registry["sub/x.php"].timeout is None


def test_a_link_within_the_folder_runs_what_it_leads_to(registry: Registry, folder: Path) -> None:
    task = registry["alias.php"]
    assert task.program is not None
    assert task.program.argv[-1] == f"{folder}/sub/x.php"


REFUSED = [
    "",
    ".",
    "..",
    "/",
    "notes.txt",
    "no_end",
    ".php",
    "sub",
    "sub/y.pl",
    "gone.php",
    "folder.php",
    "loop.php",
    "out.php",
    "disguised.php",
    "up/secret.php",
    "../secret.php",
    "sub/../send_msg.php",
    "sub/../../secret.php",
    "./send_msg.php",
    "sub//x.php",
    "send_msg.php/",
    "send_msg.php ",
    " send_msg.php",
    "send_msg.PHP",
    "send_msg.php\n",
    "send_msg.php\0.sh",
    "\0",
    "send_msg\ud800.php",
    "dump.sh -c id.sh",
    "dump.sh;id.sh",
    "$(id).sh",
    "-c.sh",
    "a" * 300 + ".php",
    "a/" * 3000 + "x.php",
]


@pytest.mark.parametrize("name", REFUSED, ids=range(len(REFUSED)))
def test_what_names_no_script_of_the_folder_is_unknown(registry: Registry, name: str) -> None:
    assert registry.get(name) is None
    with pytest.raises(UnknownTask):
        registry[name]


def test_an_absolute_path_is_unknown_even_into_the_folder(registry: Registry, folder: Path) -> None:
    assert registry.get(f"{folder}/send_msg.php") is None
    assert registry.get("/bin/sh") is None


def test_no_name_whatever_runs_anything_else(registry: Registry, folder: Path) -> None:
    """200,000 names made of what is dangerous: none raises, none gets out."""
    pieces = ["..", ".", "/", "//", "sub", "up", "cron", "send_msg", "x", "out", "secret", ".php"]
    pieces += [".sh", "\0", "\n", " ", ";", "|", "$(id)", "`", "~", "*", "\\", "%2e", "\ud800", "é"]
    pieces += [str(folder), "send_msg.php", "sub/x.php", "alias.php", "dump.sh"]
    allowed = {f"{folder}/{name}" for name in ("send_msg.php", "sub/x.php", "dump.sh")}
    chance = random.Random(20)
    found = 0
    for _ in range(200_000):
        name = "".join(chance.choices(pieces, k=chance.randint(1, 6)))
        task = registry.get(name)
        if task is not None:
            found += 1
            assert task.program is not None
            *interpreter, path = task.program.argv
            assert path in allowed
            assert interpreter == (["sh"] if path.endswith(".sh") else ["php", "-q"])
            assert ".." not in name.split("/")
    assert found > 100


def test_a_folder_that_is_a_link_may_be_swapped_by_a_deploy(tmp_path: Path) -> None:
    for release in ("one", "two"):
        (tmp_path / release).mkdir()
        (tmp_path / release / "job.sh").write_text("")
    current = tmp_path / "current"
    current.symlink_to(tmp_path / "one")
    scripts = ScriptsConfig(dir=str(current), interpreters={".sh": ("sh",)})
    registry = Registry()
    apply(registry, Config(scripts=scripts))
    for release in ("one", "two"):
        current.unlink()
        current.symlink_to(tmp_path / release)
        task = registry["job.sh"]
        assert task.program is not None
        assert task.program.argv == ("sh", f"{tmp_path}/{release}/job.sh")


def test_a_program_of_the_configuration_is_a_task_like_any_other() -> None:
    resize = TaskConfig(program=("resize", "-v"), cwd="/srv", timeout=9.0, codec="raw", priority=-1)
    config = Config(tasks={"resize": resize})
    registry = application.load(config)
    task = registry["resize"]
    assert task.program is not None
    assert (task.program.argv, task.program.cwd) == (("resize", "-v"), "/srv")
    assert (task.timeout, task.priority, task.codec) == (9.0, -1, CODECS["raw"])
    assert task.backoff == config.job.backoff
    assert task.encode(text="a b") == "a b"
    apply(registry, config)
    assert registry["resize"].program == task.program


def test_a_name_that_the_application_has_too_is_a_mistake() -> None:
    registry = Registry()
    registry.add(Task("resize", lambda size: size))
    with pytest.raises(AppError, match=r"\[tasks.resize\] program: the application has a task"):
        apply(registry, Config(tasks={"resize": TaskConfig(program=("resize",))}))


def test_what_cannot_run_is_told_before_anything_does(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    config = Config(
        tasks={
            "fine": TaskConfig(program=("sh", "-c", "true"), cwd=str(tmp_path)),
            "absent": TaskConfig(program=("no-such-program",), cwd=str(tmp_path)),
            "plain": TaskConfig(program=("./plain",), cwd=str(tmp_path)),
            "nowhere": TaskConfig(program=("sh",), cwd=str(tmp_path / "gone")),
            "pathless": TaskConfig(program=("sh",), cwd=str(tmp_path), env=(f"PATH={tmp_path}",)),
        },
        scripts=ScriptsConfig(
            dir=str(tmp_path), interpreters={".sh": ("sh",), ".x": ("no-such-interpreter",)}
        ),
    )
    found = list(mistakes(application.load(config), config))
    assert [line.partition(":")[0] for line in found] == [
        "absent",
        "plain",
        "nowhere",
        "pathless",
        '[scripts] ".x"',
    ]
    assert not list(mistakes(application.load(Config()), Config()))


def test_check_names_the_programs_of_a_configuration_without_an_application(
    tmp_path: Path,
) -> None:
    (tmp_path / "cron").mkdir()
    file = tmp_path / "qsuper.toml"
    file.write_text("[tasks.b]\nprogram = ['sh']\n[tasks.a]\nprogram = ['sh']\n")
    lines = call(tmp_path, "check").out.splitlines()
    assert "app       ok: none configured (app), programs only" in lines
    assert "programs  ok: a, b" in lines
    file.write_text("[scripts]\ndir = 'cron'\ninterpreters = { '.sh' = ['sh'], '.x' = ['sh'] }")
    assert f"programs  ok: .sh, .x in {tmp_path}/cron" in call(tmp_path, "check").out
    file.write_text("[tasks.a]\nprogram = ['./absent']")
    answer = call(tmp_path, "check")
    assert answer.code == 1
    assert f"programs  a: {tmp_path}/absent is no file; put" in answer.out
    file.write_text("")
    assert "\nprograms" not in call(tmp_path, "check").out


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[scripts]\ndir = 'cron'", '[scripts]: interpreters is missing; write { ".php" ='),
        ("[scripts]\ninterpreters = ['php']", "[scripts] interpreters: must be a"),
        ("[scripts]\ninterpreters = { php = ['php'] }", "[scripts] interpreters: must be a table"),
        ("[scripts]\ninterpreters = { '.php' = [] }", "[scripts] interpreters: must be a table"),
        ("[tasks.a]\nparam = 'stdin'", "[tasks.a]: param: for programs only; write program"),
        ("[tasks.a]\nprogram = ['a']\nparam = 'file'", '[tasks.a] param: must be "argument" or'),
        ("[tasks.a]\nprogram = ['a']\nenv = 'PATH'", "[tasks.a] env: must be a list of names"),
        ("[tasks.a]\nprogram = ['a']\nenv = ['*']", "[tasks.a] env: must be a list of names"),
        ("[tasks.a]\nprogram = ['a']\nenv = ['A B']", "[tasks.a] env: must be a list of names"),
        ("[tasks.a]\nprogram = ['a']\nrlimits = 3", "[tasks.a.rlimits]: must be a table, not 3"),
        ("[tasks.a]\nprogram = ['a']\nrlimits = { cpu = 0 }", "[tasks.a.rlimits] cpu: must be at"),
        ("[tasks.a]\nprogram = ['a']\nrlimits = { ram = 1 }", "[tasks.a.rlimits] ram: unknown key"),
    ],
)
def test_a_mistake_names_its_place_and_the_mend(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "qsuper.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(file, environ={})
    (line,) = caught.value.problems
    assert expected in line


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "qsuper.toml"
    file.write_text(
        """
        [scripts]
        dir = "cron"
        interpreters = { ".php" = ["php", "-q"] }
        [tasks.resize]
        program = ["resize"]
        env = ["PATH", "LC_*", "STAGE=live"]
        rlimits = { memory = "512MB", cpu = "90s", files = 64 }
        """
    )
    config = load(file, environ={})
    assert config.scripts.dir == f"{tmp_path}/cron"
    assert config.scripts.interpreters == {".php": ("php", "-q")}
    resize = config.tasks["resize"]
    assert resize.env == ("PATH", "LC_*", "STAGE=live")
    assert (resize.rlimits.memory, resize.rlimits.cpu, resize.rlimits.files) == (1 << 29, 90.0, 64)
