"""What `qsuper doctor` finds on the host: folders, limits, who keeps qsuper alive, crontabs."""

import os
import resource
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from qsuper.cli.doctor import crontab, disks, folders, guard, limits, upkeep
from qsuper.cli.doctor.account import PROC, account, files_of_others
from qsuper.cli.doctor.case import Case
from qsuper.cli.doctor.finding import Finding, Level
from qsuper.cli.doctor.guard import Guard
from qsuper.cli.doctor.need import Need
from qsuper.cli.status import look
from qsuper.config import Config, load
from qsuper.master.account import Account
from qsuper.store import schema
from qsuper.store.backend import Statement
from qsuper.store.database import Database
from qsuper.tasks.registry import Registry
from tests.unit.cli import Node
from tests.unit.doctor import examined

TOP = Path(__file__).parents[2]
MB = 1024**2
SCHEDULE = (
    '[tasks.sweep]\nprogram = ["/bin/true"]\n[[schedule]]\ncron = "* * * * *"\ntask = "sweep"\n'
)
Program = Callable[[str, str], None]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Puts a program first on PATH: its name, and what it prints."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)

    def put(name: str, prints: str) -> None:
        (folder / f"{name}.txt").write_text(prints)
        file = folder / name
        file.write_text(f'#!/bin/sh\ncat "{folder}/{name}.txt"\n')
        file.chmod(0o755)

    return put


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host without crontabs and service files of its own."""
    monkeypatch.setattr(crontab, "TABLES", ())
    monkeypatch.setattr(guard, "SUPERVISOR_FILES", ())
    monkeypatch.setattr(guard, "SYSTEMD_FILES", ())


def case(text: str, folder: Path) -> Case:
    file = folder / "qsuper.toml"
    file.write_text(text)
    return Case(load(file, environ={}), Registry(), None)


def worst(findings: list[Finding]) -> Level:
    return max(one.level for one in findings)


def test_a_folder_that_everybody_may_write_is_said(tmp_path: Path) -> None:
    state = tmp_path / "var"
    state.mkdir(mode=0o700)
    words = "may be written by everybody"
    assert examined(tmp_path).level(words) is None
    state.chmod(0o777)
    found = examined(tmp_path)
    assert found.level(words) == "warn"
    assert found.mend(words) == f"chmod o-w {state}"


def test_a_folder_that_cannot_be_written_is_bad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert examined(tmp_path).level("cannot be written by this user") == "bad"


def test_root_among_the_files_of_another_user_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "var"
    state.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(disks, "owner", lambda path: "shop")
    real = Path.stat

    def owned(self: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        found = real(self, follow_symlinks=follow_symlinks)
        return os.stat_result([*found[:4], 1234, *found[5:]]) if self == state else found

    monkeypatch.setattr(Path, "stat", owned)
    assert examined(tmp_path).level("belongs to shop, and this is root") == "warn"


def test_a_state_dir_too_deep_for_a_socket_is_bad(tmp_path: Path) -> None:
    (tmp_path / "qsuper.toml").write_text(f'state_dir = "{"x" * 110}"\n')
    assert examined(tmp_path).level("the path of control.sock") == "bad"
    (tmp_path / "qsuper.toml").write_text('state_dir = "/v"\n')
    assert examined(tmp_path).level("the path of control.sock") is None


def test_a_state_dir_on_another_host_is_bad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text("22 1 0:9 / / rw shared:1 - nfs4 it rw\n")
    monkeypatch.setattr(disks, "MOUNTS", mounts)
    found = list(folders.folders(case("", tmp_path)))
    assert any("its locks and its shared memory are for one host" in one.says for one in found)


def test_files_that_the_daemons_account_cannot_write_are_bad(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir(mode=0o700)
    file = tmp_path / "qsuper.toml"
    file.write_text(f'user = "{os.geteuid()}"\ngroup = "{os.getegid()}"\n')
    assert examined(tmp_path).level("who can write its folders") == "ok"
    file.write_text('user = "nobody"\n')
    found = examined(tmp_path)
    assert found.level("1 path cannot be written by nobody") == "bad"
    assert found.mend("1 path cannot be written").startswith("chown -R nobody ")


def test_what_a_group_or_everybody_may_write_is_no_fault(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    stranger = Account(65000, 65000, frozenset({65000, file.stat().st_gid}), "x", "/")
    for mode, count in ((0o600, 1), (0o640, 1), (0o660, 0), (0o602, 0)):
        file.chmod(mode)
        assert files_of_others(tmp_path, stranger).count(file) == count


def test_a_user_that_does_not_exist_is_bad(tmp_path: Path) -> None:
    (tmp_path / "qsuper.toml").write_text('user = "nobody_knows"\n')
    assert examined(tmp_path).level("this host has no such account") == "bad"


@pytest.mark.parametrize(("uid", "level"), [(0, Level.WARN), (1000, Level.OK)])
def test_jobs_that_run_as_root_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uid: int, level: Level
) -> None:
    Node(tmp_path / "var").post()
    real = Path.stat

    def owned(self: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        found = real(self, follow_symlinks=follow_symlinks)
        return os.stat_result([*found[:4], uid, *found[5:]]) if self.parent == PROC else found

    shop = case("", tmp_path)
    running = replace(shop, picture=look(shop.config))
    monkeypatch.setattr(Path, "stat", owned)
    (found,) = account(running)
    assert found.level is level


@pytest.mark.parametrize(
    ("most", "level"),
    [(None, Level.OK), (1024, Level.OK), (200, Level.WARN), (50, Level.BAD)],
)
def test_the_limit_of_open_files_is_judged(most: int | None, level: Level) -> None:
    (found,) = limits.files(most, "of the daemon")
    assert found.level is level
    assert bool(found.mend) == (level > Level.OK)


@pytest.mark.parametrize(
    ("of_user", "of_cgroup", "level"),
    [(None, None, Level.OK), (4000, 30, Level.OK), (4000, 15, Level.WARN), (10, None, Level.BAD)],
)
def test_the_limit_of_processes_is_judged(
    tmp_path: Path, of_user: int | None, of_cgroup: int | None, level: Level
) -> None:
    (found,) = limits.room_for_processes(case("", tmp_path), of_user, "here", of_cgroup)
    assert found.level is level, found


def test_a_limit_of_memory_that_the_children_do_not_fit_into_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = psutil.virtual_memory()
    roomy = host._replace(total=8000 * MB, available=6000 * MB)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: roomy)
    four = case("", tmp_path)
    assert worst(list(limits.memory(four, 50 * MB))) is Level.WARN
    assert worst(list(limits.memory(four, 4000 * MB))) is Level.NOTE
    assert worst(list(limits.memory(four, None))) is Level.OK
    roomy = host._replace(total=8000 * MB, available=100 * MB)
    assert worst(list(limits.memory(four, None))) is Level.WARN


def test_the_limits_of_this_shell_and_of_a_process_are_the_kernels_own() -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = None if soft == resource.RLIM_INFINITY else soft
    for pid in (None, os.getpid()):
        assert limits.limit(pid, "Max open files", resource.RLIMIT_NOFILE) == wanted


@pytest.mark.parametrize(
    ("line", "file"),
    [
        ("0::/shop/qsuper", "shop/memory.max"),
        ("4:memory:/shop/qsuper", "memory/shop/qsuper/memory.limit_in_bytes"),
    ],
)
def test_the_smallest_limit_of_a_control_group_and_those_above_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, file: str
) -> None:
    proc = tmp_path / "proc" / "7"
    proc.mkdir(parents=True)
    (proc / "cgroup").write_text(f"9:name=systemd:/\n{line}\n")
    groups = tmp_path / "cgroup"
    monkeypatch.setattr(limits, "PROC", proc.parent)
    monkeypatch.setattr(limits, "CGROUPS", groups)
    assert limits.memory_limit(7) is None
    (groups / file).parent.mkdir(parents=True)
    (groups / file).write_text("max\n")
    assert limits.memory_limit(7) is None
    (groups / file).write_text(f"{512 * MB}\n")
    assert limits.memory_limit(7) == 512 * MB


def test_a_node_needs_what_its_children_take(tmp_path: Path) -> None:
    small = Need.of(case("[queues.default]\nworkers = 2\n", tmp_path))
    large = Need.of(case("[queues.default]\nworkers = { min = 1, max = 10 }\n", tmp_path))
    assert (large.least - small.least, large.most - small.most) == (8, 32)
    with_others = Need.of(case("[queues.default]\nworkers = 2\n", tmp_path), [5])
    assert with_others.least - small.least == 7


@pytest.mark.parametrize(
    ("changes", "words", "level"),
    [
        ({}, "starts it again, and waits 1m for it to stop", "ok"),
        ({"stopwaitsecs = 60": "stopwaitsecs = 20"}, "20s after TERM", "bad"),
        ({"stopwaitsecs = 60": ""}, "10s after TERM", "bad"),
        ({"stopasgroup = false": "stopasgroup = true"}, "to the children, too", "warn"),
        ({"autorestart = unexpected": "autorestart = false"}, "does not start", "warn"),
    ],
)
def test_the_file_of_supervisord_is_judged(
    tmp_path: Path, alone: None, changes: dict[str, str], words: str, level: str
) -> None:
    text = (TOP / "conf" / "supervisord.conf").read_text()
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after)
    (tmp_path / "supervisord.conf").write_text(text)
    assert examined(tmp_path).level(words) == level


UNIT = """
[Service]
ExecStart=/srv/shop/.venv/bin/qsuper run --wait
Restart=on-failure
KillMode=mixed
TimeoutStopSec=1min 30s
"""


@pytest.mark.parametrize(
    ("changes", "words", "level"),
    [
        ({}, "starts it again, and waits 1m 30s for it to stop", "ok"),
        ({"1min 30s": "infinity"}, "waits for ever", "ok"),
        ({"1min 30s": "30"}, "30s after TERM", "bad"),
        ({"KillMode=mixed": ""}, "to the children, too", "warn"),
        ({"Restart=on-failure": ""}, "does not start", "warn"),
    ],
)
def test_a_unit_of_systemd_is_judged(
    tmp_path: Path, alone: None, changes: dict[str, str], words: str, level: str
) -> None:
    text = UNIT
    for before, after in changes.items():
        text = text.replace(before, after)
    (tmp_path / "qsuper.service").write_text(text)
    assert examined(tmp_path).level(words) == level


def test_files_that_start_something_else_are_no_guards(tmp_path: Path, alone: None) -> None:
    (tmp_path / "supervisord.conf").write_text("[program:web]\ncommand = gunicorn shop\n")
    (tmp_path / "web.service").write_text("[Service]\nExecStart=/usr/bin/gunicorn\n")
    (tmp_path / "broken.service").write_text("no section\n")
    assert examined(tmp_path).level("no file of supervisord or systemd") == "note"


def test_a_unit_that_runs_is_asked_of_systemd(
    tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    proc = tmp_path / "proc" / "7"
    proc.mkdir(parents=True)
    (proc / "cgroup").write_text("0::/system.slice/qsuper.service\n")
    (proc / "environ").write_bytes(b"HOME=/\0")
    monkeypatch.setattr(guard, "PROC", proc.parent)
    program("systemctl", "TimeoutStopUSec=20s\nKillMode=mixed\nRestart=on-failure\n")
    (found,) = guard.of_daemon(7)
    assert found == Guard("systemd", "qsuper.service", 20.0, False, True)
    assert worst(list(upkeep.judge(found, Config()))) is Level.BAD
    (proc / "cgroup").write_text("0::/user.slice/user@0.service/app.slice\n")
    assert not list(guard.of_daemon(7))
    (proc / "cgroup").write_text("0::/user.slice/user@0.service/app.slice/qsuper.service\n")
    assert [one.where for one in guard.of_daemon(7)] == ["qsuper.service"]


def test_a_span_is_read_as_systemd_writes_it() -> None:
    assert guard.seconds("1min 30s") == 90
    assert guard.seconds("500ms") == 0.5
    assert guard.seconds("60") == 60
    assert guard.seconds("1m 30s") == guard.seconds("90seconds") == 90
    assert guard.seconds("2 minutes") == 120
    assert guard.seconds("5 m") == 300
    assert guard.seconds("infinity") is guard.seconds("0") is guard.seconds("soon 3 moons") is None


def test_a_task_longer_than_a_stop_waits_is_noted(tmp_path: Path) -> None:
    (tmp_path / "qsuper.toml").write_text(
        '[job]\ntimeout = 20\n[tasks.quick]\nprogram = ["/bin/true"]\n'
    )
    assert examined(tmp_path).level("each job may end within") == "ok"
    with (tmp_path / "qsuper.toml").open("a") as file:
        file.write('[tasks.slow]\nprogram = ["/bin/true"]\ntimeout = 0\n')
    found = examined(tmp_path)
    assert found.level("1 of 2 tasks may run longer") == "note"
    assert found.level("slow as long as it likes") == "note"


def test_schedules_that_nobody_makes_jobs_of_are_bad(
    tmp_path: Path, alone: None, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "no crontab seen here has `qsuper cron tick`"
    program("crontab", "# * * * * * qsuper cron tick\n")
    assert examined(tmp_path).level(words) is None, "without schedules none is needed"
    (tmp_path / "qsuper.toml").write_text(SCHEDULE)
    found = examined(tmp_path)
    assert found.level(words) == "bad"
    assert "conf/crontab.example" in found.mend(words)
    monkeypatch.setattr(psutil, "process_iter", lambda names: [])
    program("crontab", "* * * * * cd /srv/shop && qsuper cron tick >/dev/null\n")
    found = examined(tmp_path)
    assert found.level(words) is None
    assert found.level("makes the jobs of 1 schedule") == "ok"
    assert found.level("no cron runs") == "warn"


def test_a_crontab_of_the_system_counts(
    tmp_path: Path, alone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "qsuper.toml").write_text(SCHEDULE)
    shutil.copy(TOP / "conf" / "crontab.example", tmp_path / "shop")
    monkeypatch.setattr(crontab, "TABLES", (f"{tmp_path}/sho*", "/no/such/folder/*"))
    monkeypatch.setattr(crontab, "PROGRAMS", {psutil.Process().name()})
    found = examined(tmp_path)
    assert not found.wrong("crontab")
    assert found.level("nobody runs jobs here") is None


def test_another_node_that_lives_makes_them(tmp_path: Path, alone: None, store_url: str) -> None:
    (tmp_path / "qsuper.toml").write_text(SCHEDULE)
    database = Database(store_url)
    schema.upgrade(database)
    assert examined(tmp_path, store_url).wrong("crontab")
    connection = database.connect()
    connection.run(
        Statement(
            "INSERT INTO nodes (id, host, boot, lease_until, workers)"
            " VALUES ('n', 'h', 'b', {in:lease}, :workers)"
        ),
        lease=3600.0,
        workers="{}",
    )
    connection.close()
    assert not examined(tmp_path, store_url).wrong("crontab")


def test_what_is_degraded_is_said_and_a_fatal_child_is_bad(tmp_path: Path, alone: None) -> None:
    node = Node(tmp_path / "var")
    node.queue("default")
    node.child("default[0]", queue=0)
    node.post()
    node.count({"queue": "default", "states": {}, "oldest_ready": None})
    found = examined(tmp_path)
    assert found.level("runs, nothing is degraded") == "ok", found.findings
    assert found.level("nobody is seen who starts qsuper again") == "warn"
    node.child("scheduler", state="FATAL", last_exit="could not boot (exit 11)")
    node.post(messages=["the redis child is slow"])
    found = examined(tmp_path)
    assert found.level("scheduler is FATAL: could not boot (exit 11)") == "bad"
    assert found.level("the redis child is slow") == "warn"
    assert "qsuper restart scheduler" in found.mend("scheduler is FATAL")


def test_crontab_lines_beside_a_daemon_are_noted(
    tmp_path: Path, alone: None, program: Program
) -> None:
    node = Node(tmp_path / "var")
    node.post()
    words = "a daemon runs, and a crontab has `qsuper work` lines"
    program("crontab", "* * * * * qsuper cron tick\n")
    assert examined(tmp_path).level(words) is None
    program("crontab", "* * * * * qsuper work --slice 0/10\n")
    assert examined(tmp_path).level(words) == "note"


def test_no_daemon_is_no_mistake(tmp_path: Path, alone: None) -> None:
    assert examined(tmp_path).level("none runs here") == "ok"
