"""Who the daemon is: started by root it becomes its user for good, and nobody else ever does.

These run as root and as anybody: who is not root can become himself only.
"""

import json
import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import pytest

from qsuper.errors import ConfigError, QsuperError
from qsuper.master import account
from tests.acceptance.daemon import Daemon
from tests.acceptance.readable_python import prefix
from tests.servers.program import find_program

ROOT = os.geteuid() == 0
WHO = pwd.getpwnam("nobody") if ROOT else pwd.getpwuid(os.geteuid())
ALL_GROUPS = frozenset(os.getgrouplist(WHO.pw_name, WHO.pw_gid))
GROUPS = ALL_GROUPS if ROOT else frozenset(os.getgroups())
APP = """
import json
import os
from pathlib import Path
from qsuper import Queue

queue = Queue()


@queue.task
def who() -> None:
    found = {
        "uids": os.getresuid(),
        "gids": os.getresgid(),
        "groups": os.getgroups(),
        "names": [os.environ.get(name) for name in ("USER", "LOGNAME", "HOME")],
    }
    try:
        os.setuid(0)
        found["root again"] = True
    except PermissionError:
        found["root again"] = False
    Path("var/who.new").write_text(json.dumps(found))
    os.rename("var/who.new", "var/who")
"""


class Barred(Daemon):
    """One that can become another user wherever the interpreter lives."""

    starter: tuple[str, ...] = ()
    """Who starts it, in setpriv's words."""

    def command(self, *words: str) -> list[str]:
        before = [*prefix(self.folder / "aside"), *self.starter] if ROOT else []
        return [*before, *super().command(*words)]


@pytest.fixture
def daemon(folder: Path) -> Iterator[Barred]:
    """A daemon whose folder is its starter's, and whose database is where it makes it."""
    folder.chmod(0o755)
    (folder / "aside").mkdir()
    (folder / "app.py").write_text(APP)
    daemon = Barred(folder, f"sqlite:///{folder}/var/qsuper.db")
    yield daemon
    daemon.clean_up()


def ids(pid: int) -> dict[str, set[int]]:
    """What the kernel says of a process: Uid, Gid, Groups."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return {name: {int(one) for one in fields[name].split()} for name in ("Uid", "Gid", "Groups")}


def as_its_user(daemon: Daemon, **tables: object) -> None:
    daemon.write_config(app="app:queue", user=WHO.pw_name, **tables)


def refused(daemon: Daemon) -> str:
    """Why `qsuper run` does not start: one line."""
    done = daemon.cli("run")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    return line


def test_all_processes_are_the_users_and_can_be_root_no_more(daemon: Daemon) -> None:
    as_its_user(daemon)
    daemon.start()
    for pid in [daemon.pid, *(record.pid for record in daemon.records())]:
        assert ids(pid) == {"Uid": {WHO.pw_uid}, "Gid": {WHO.pw_gid}, "Groups": set(GROUPS)}
    assert daemon.cli("add", "who").returncode == 0
    told = daemon.state / "who"
    daemon.wait_until(told.exists, "a job has looked at itself")
    found = json.loads(told.read_text())
    assert set(found["uids"]) == {WHO.pw_uid}
    assert set(found["gids"]) == {WHO.pw_gid}
    assert set(found["groups"]) == set(GROUPS)
    assert not found["root again"]
    if ROOT:
        assert found["names"] == [WHO.pw_name, WHO.pw_name, WHO.pw_dir]
    assert daemon.stop() == 0


def test_folders_and_what_is_in_them_are_made_for_the_user(daemon: Daemon) -> None:
    daemon.state = daemon.folder / "deep" / "var"
    daemon.url = f"sqlite:///{daemon.state}/qsuper.db"
    as_its_user(
        daemon,
        state_dir="deep/var",
        log={"dir": "logs/of/qsuper"},
        store={"url": daemon.url},
    )
    daemon.start()
    made = [daemon.folder / "deep", daemon.folder / "logs"]
    made += [path for top in made for path in top.rglob("*")]
    assert daemon.state / "qsuper.db" in made
    assert any(path.suffix == ".log" for path in made)
    assert {path.lstat().st_uid for path in made} == {WHO.pw_uid}
    assert daemon.state.stat().st_mode & 0o077 == 0
    assert daemon.stop() == 0


def test_a_folder_of_another_is_left_to_him(daemon: Daemon) -> None:
    """What root has made once is not given away behind its back."""
    as_its_user(daemon)
    daemon.state.mkdir(mode=0o700)
    if ROOT:
        line = refused(daemon)
        assert str(daemon.state) in line
        assert daemon.state.stat().st_uid == 0
    else:
        daemon.start()
        assert daemon.stop() == 0


def test_what_a_killed_master_has_left_is_found_by_the_next(daemon: Daemon) -> None:
    as_its_user(daemon)
    daemon.start()
    worker = daemon.workers()[0].pid
    # The kernel gives /proc of a process that has changed its user to root, unless told otherwise.
    assert Path(f"/proc/{worker}/environ").stat().st_uid == WHO.pw_uid
    daemon.kill_master()
    daemon.start()
    assert not daemon.log().count("waiting for what a master that died has left")
    assert daemon.stop() == 0


def test_only_root_becomes_another(daemon: Barred) -> None:
    other = "nobody" if WHO.pw_name != "nobody" else "root"
    daemon.write_config(user="root" if ROOT else other)
    ids = (f"--reuid={WHO.pw_uid}", f"--regid={WHO.pw_gid}", "--clear-groups")
    daemon.starter = (find_program("setpriv"), *ids)
    line = refused(daemon)
    assert "only root can become user" in line
    assert "start it as root or as" in line


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"user": "no-such-user"}, "user = 'no-such-user': this host has no such account"),
        ({"user": WHO.pw_name, "group": "no-such-group"}, "group = 'no-such-group': this host has"),
        ({"user": "3999999"}, "has no account, and so no group; set group, too"),
        ({"group": "root"}, "group = 'root' needs a user"),
    ],
)
def test_an_account_that_cannot_be_is_refused(
    daemon: Daemon, config: dict[str, str], words: str
) -> None:
    daemon.write_config(**config)
    assert words in refused(daemon)
    assert not daemon.state.exists(), "nothing was made before"


def test_root_is_warned_once_when_nobody_has_said_that_it_should_be(daemon: Daemon) -> None:
    daemon.write_config(app="app:queue")
    daemon.start()
    assert daemon.stop() == 0
    assert daemon.log().count("jobs run as root") == int(ROOT)


def test_a_user_that_was_named_is_no_reason_to_warn(daemon: Daemon) -> None:
    as_its_user(daemon)
    daemon.start()
    assert daemon.stop() == 0
    assert "jobs run as root" not in daemon.log()


def test_a_reload_changes_no_user(daemon: Daemon) -> None:
    as_its_user(daemon)
    daemon.config.chmod(0o644)
    daemon.start()
    daemon.write_config(app="app:queue", user="root" if WHO.pw_name != "root" else "nobody")
    refusal = daemon.cli("reload")
    assert refusal.returncode == 1
    assert "user and group cannot change in a reload" in refusal.stderr
    assert daemon.stop() == 0


def test_that_nothing_was_given_up_is_noticed() -> None:
    """A negative control: this process is another than the account that is looked for."""
    other = next(entry for entry in pwd.getpwall() if entry.pw_uid not in (0, os.geteuid()))
    with pytest.raises(QsuperError, match="the rights of root could not be given up"):
        account._verify(account.find(other.pw_name, None))


def test_accounts_are_found_by_name_and_by_number() -> None:
    by_name = account.find(WHO.pw_name, None)
    assert by_name == account.find(str(WHO.pw_uid), str(WHO.pw_gid))
    assert by_name.groups == ALL_GROUPS
    nameless = account.find("3999999", "3999998")
    assert (nameless.uid, nameless.gid) == (3999999, 3999998)
    assert nameless.groups == frozenset({3999998})
    with pytest.raises(ConfigError):
        account.find("3999999", None)
