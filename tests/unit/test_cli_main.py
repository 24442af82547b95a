import json
import subprocess
import sys
from pathlib import Path

import pytest

from qsuper.cli.commands import COMMANDS
from tests.unit.cli import call

VERBS = [verb for group in COMMANDS.values() for verb in group]

MISUSES = (
    ("blub",),
    ("--blub",),
    ("status", "--blub"),
    ("status", "extra"),
    ("scale",),
    ("scale", "-1"),
    ("scale", "x"),
    ("scale", "1e9"),
    ("scale", "501"),
    ("scale", "9" * 5000),
    ("scale", "mail="),
    ("scale", "=3"),
    ("scale", "mail=x"),
    ("restart",),
    ("stop", "--timeout", "soon"),
    ("pause", "a b"),
    ("add",),
    ("add", "two words"),
    ("add", "task", "--priority", "40000"),
    ("add", "task", "--delay", "-1"),
    ("add", "task", "--delay", "nan"),
    ("add", "task", "--delay", "9e99"),
    ("add", "task", "--max-attempts", "0"),
    ("add", "task", "--queue", "ä"),
    ("add", "task", "--param-file", "not-there"),
    ("add", "task", "{}", "--param-file", "-"),
    ("jobs", "--state", "sleeping"),
    ("jobs", "-n", "0"),
    ("jobs", "--before", "x"),
    ("show",),
    ("show", "0"),
    ("show", "9" * 5000),
    ("show", "١"),
    ("retry",),
    ("cancel",),
    ("cancel", "1", "--name", "n"),
    ("work",),
    ("work", "--slice", "10/10"),
    ("work", "--slice", "1"),
    ("work", "--slice", "0/1", "--limit", "0"),
    ("db", "downgrade"),
    ("db", "prune", "--keep-days", "-1"),
)


@pytest.mark.parametrize("arguments", MISUSES, ids=" ".join)
def test_a_misuse_is_one_line_that_names_the_help_and_exit_code_2(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    answer = call(tmp_path, *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("qsuper: ")
    assert answer.err.count("\n") == 1
    assert "--help`" in answer.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("scale", "3"),
        ("scale", "+1"),
        ("pause",),
        ("resume",),
        ("reload",),
        ("restart", "scheduler"),
        ("stop",),
    ],
    ids=" ".join,
)
def test_an_order_to_a_daemon_that_does_not_run_says_so(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    answer = call(tmp_path, *arguments)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith(f"qsuper: not running in {tmp_path / 'var'}")
    assert answer.err.count("\n") == 1


def test_each_mistake_of_the_configuration_is_a_line(tmp_path: Path) -> None:
    (tmp_path / "qsuper.toml").write_text("app = 3\n[quues.mail]\n")
    answer = call(tmp_path, "run")
    assert (answer.code, answer.out) == (1, "")
    assert [line.partition(" qsuper.toml: ")[0] for line in answer.err.splitlines()] == [
        "qsuper:",
        "qsuper:",
    ]


def test_a_bug_of_ours_is_a_line_too_and_a_traceback_when_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("oh\nno")

    monkeypatch.setattr("qsuper.config.load", broken)
    answer = call(tmp_path, "jobs")
    assert answer.code == 1
    assert answer.err.count("\n") == 1
    assert "ZeroDivisionError: oh no" in answer.err
    with pytest.raises(ZeroDivisionError):
        call(tmp_path, "jobs", QSUPER_DEBUG="1")


def test_an_interrupt_is_exit_code_130_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("qsuper.config.load", interrupted)
    answer = call(tmp_path, "jobs")
    assert answer.code == 130
    assert answer.err.strip() == ""


def test_a_reader_that_has_had_enough_is_not_complained_about(tmp_path: Path) -> None:
    command = f"{sys.executable} -m qsuper --help | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stderr == ""


def in_shell(folder: Path, command: str) -> "subprocess.CompletedProcess[str]":
    """`qsuper COMMAND` as a shell runs it, redirections included."""
    return subprocess.run(
        ["bash", "-c", f"exec {sys.executable} -m qsuper {command}"],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_failure(closed: str, tmp_path: Path) -> None:
    for number, words in enumerate(("add task", "jobs", "cancel --all", "db prune"), 1):
        done = in_shell(tmp_path, f"{words} {closed}")
        assert (number, done.returncode, done.stderr) == (number, 0, "")
        if ">&-" not in closed.replace("2>&-", ""):
            assert done.stdout
    (job,) = json.loads(call(tmp_path, "jobs", "--json").out)
    assert job["state"] == "cancelled"


def test_a_group_without_standard_input_has_no_jobs(tmp_path: Path) -> None:
    done = in_shell(tmp_path, "group report <&-")
    assert done.returncode == 1
    assert "there were no jobs" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("jobs", "--state", "x" * 5000),
        ("jobs", "--state", "x " * 2500),
        ("jobs", "--state=" + "x" * 5000),
        ("jobs", "--state", "\x1b'" * 2500),
        ("jobs", "--" + "x" * 5000),
        ("jobs", "--" + "x" * 5000 + "=" + "y" * 5000),
        ("jobs", "x" * 5000),
        ("x" * 5000,),
    ],
    ids=lambda arguments: f"{arguments[0]:.4} {arguments[-1]:.9}",
)
def test_what_was_typed_is_not_repeated_at_length(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    answer = call(tmp_path, *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert "…" in answer.err
    assert len(answer.err) < 400
    if "--state" in arguments:
        assert "'ready'" in answer.err, "what it could have been is still told"


@pytest.mark.parametrize(
    "arguments",
    [
        ("jobs", "--name"),
        ("jobs", "--error"),
        ("jobs", "--queue"),
        ("jobs", "--task"),
        ("retry", "--error"),
        ("cancel", "--error"),
        ("cancel", "--name"),
        ("cancel", "--since"),
        ("cancel", "--until"),
        ("add", "task", "--name"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("text", ["", "\udcff"], ids=["empty", "no UTF-8"])
def test_text_that_is_none_chooses_nothing(
    arguments: tuple[str, ...], text: str, tmp_path: Path
) -> None:
    answer = call(tmp_path, *arguments, text)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"qsuper: Invalid value for '{arguments[-1]}': ")
    assert answer.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_help_names_every_verb(tmp_path: Path) -> None:
    answer = call(tmp_path, "--help")
    assert answer.code == 0
    assert [verb for verb in VERBS if f"\n  {verb} " not in answer.out] == []
    assert call(tmp_path).out == answer.out


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "demo"])
def test_each_verb_has_a_help_of_its_own(verb: str, tmp_path: Path) -> None:
    answer = call(tmp_path, verb, "--help")
    assert answer.code == 0
    assert answer.out.startswith(f"Usage: qsuper {verb} ")


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (["--help"], {"msgspec", "sqlalchemy", "rich", "tomllib", "qsuper.config"}),
        (["status"], {"sqlalchemy", "pymysql", "rich", "redis", "qsuper.master", "qsuper.store"}),
    ],
)
def test_a_quick_verb_imports_nothing_slow(
    arguments: list[str], absent: set[str], tmp_path: Path
) -> None:
    program = f"import sys; from qsuper.cli import main; main({arguments}); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    loaded = set(done.stdout.split())
    assert "click" in loaded
    assert loaded & absent == set()
