import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from qsuper.store.backend import Statement
from qsuper.store.database import Database
from tests.unit.cli import call

APP = """
from qsuper import Queue

queue = Queue()

@queue.task(queue="mail", priority=-3)
def send_msg(uid: int) -> None: ...
"""


def set_status(folder: Path, job_id: int, status: int) -> None:
    connection = Database(f"sqlite:///{folder}/var/qsuper.db").connect()
    connection.run(Statement("UPDATE queue SET status = :s WHERE id = :id"), s=status, id=job_id)
    connection.close()


def test_add_makes_the_tables_and_prints_the_id(tmp_path: Path) -> None:
    answer = call(tmp_path, "add", "send_msg", '{"uid": 4}')
    assert (answer.code, answer.out, answer.err) == (0, "1\n", "")
    assert json.loads(call(tmp_path, "show", "1", "--json").out)["param"] == '{"uid": 4}'


def test_add_takes_every_option_and_the_param_from_standard_input(tmp_path: Path) -> None:
    answer = call(
        tmp_path,
        *shlex.split("add resize --param-file - --queue pics --priority -7 --delay 90s"),
        *shlex.split("--name pic:4 --max-attempts 3 --timeout 2m --json"),
        stdin='[1, "é"]'.encode(),
    )
    assert json.loads(answer.out) == {"id": 1, "state": "scheduled"}
    job = json.loads(call(tmp_path, "show", "1", "--json").out)
    assert (job["queue"], job["task"], job["param"]) == ("pics", "resize", '[1, "é"]')
    assert (job["priority"], job["name"], job["max_attempts"]) == (-7, "pic:4", 3)
    assert 80 < job["run_at"] - job["ctime"] <= 91


@pytest.mark.parametrize(
    ("arguments", "stdin", "words"),
    [
        (("task", "{bad"), b"", "the param is not JSON"),
        (("task", "--param-file", "-"), b"a\xffb", "the param is not UTF-8"),
        (("task", '"\udcff"'), b"", "the param is not UTF-8"),
        (("task", "--name", "n" * 256), b"", "a job's name is 1 to 255 bytes"),
        (("task", json.dumps("x" * 5_000_000)), b"", "job.max_param_bytes"),
    ],
    ids=["not JSON", "not UTF-8 in a file", "not UTF-8", "a name too long", "too large"],
)
def test_a_job_that_cannot_be_is_refused(
    arguments: tuple[str, ...], stdin: bytes, words: str, tmp_path: Path
) -> None:
    answer = call(tmp_path, "add", *arguments, stdin=stdin)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("qsuper: ")
    assert words in answer.err
    assert answer.err.count("\n") == 1
    assert json.loads(call(tmp_path, "jobs", "--json").out) == []


def test_the_applications_tasks_are_checked_and_a_slip_is_pointed_out(tmp_path: Path) -> None:
    (tmp_path / "shop_of_add.py").write_text(APP)
    (tmp_path / "qsuper.toml").write_text('app = "shop_of_add:queue"\n')

    def add(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "qsuper", "add", *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)

    wrong = add("send_msg", '{"uids": 4}')
    assert wrong.returncode == 1
    assert "send_msg(uid: int)" in wrong.stderr
    slip = add("send_mgs", '{"uid": 4}')
    assert (slip.returncode, slip.stdout) == (0, "1\n")
    assert "did you mean send_msg?" in slip.stderr
    right = add("send_msg", '{"uid": 4}')
    assert (right.returncode, right.stdout, right.stderr) == (0, "2\n", "")
    job = json.loads(call(tmp_path, "show", "2", "--json").out)
    assert (job["queue"], job["priority"]) == ("mail", -3)


def test_an_application_that_is_not_there_is_said_and_the_job_is_added(tmp_path: Path) -> None:
    answer = call(tmp_path, "add", "task", QSUPER_APP="no_such_shop:queue")
    assert (answer.code, answer.out) == (0, "1\n")
    assert answer.err.startswith("note: ")


def test_jobs_are_listed_newest_first_and_filtered(tmp_path: Path) -> None:
    for task, queue in (("a", "default"), ("b", "mail"), ("a", "mail"), ("c", "mail")):
        call(tmp_path, "add", task, "--queue", queue)
    set_status(tmp_path, 3, 3)

    def ids(*arguments: str) -> list[int]:
        return [job["id"] for job in json.loads(call(tmp_path, "jobs", "--json", *arguments).out)]

    assert ids() == [4, 3, 2, 1]
    assert ids("-n", "2") == [4, 3]
    assert ids("-n", "2", "--before", "3") == [2, 1]
    assert ids("--queue", "mail") == [4, 3, 2]
    assert ids("--task", "a") == [3, 1]
    assert ids("--dead") == ids("--state", "dead") == [3]
    lines = call(tmp_path, "jobs", "-n", "2").out.splitlines()
    assert lines[0].split() == ["ID", "STATE", "QUEUE", "TASK", "PRIO", "ATTEMPT", "SINCE", "NAME"]
    assert [line.split()[1] for line in lines[1:3]] == ["ready", "dead"]
    assert lines[3] == "more, if any: --before 3"


def test_retry_tells_of_each_job_and_fails_if_one_could_not_be(tmp_path: Path) -> None:
    for _ in range(2):
        call(tmp_path, "add", "task")
    set_status(tmp_path, 1, 3)
    answer = call(tmp_path, "retry", "1", "2", "3")
    assert answer.code == 1
    assert answer.out == "job 1 was dead and will run again\n"
    assert answer.err.splitlines() == [
        "job 2 is ready: only finished jobs can be retried",
        "job 3 is not there",
    ]
    set_status(tmp_path, 1, 1)
    assert call(tmp_path, "retry", "1").code == 0


def test_cancel_goes_by_id_or_by_name_and_leaves_running_jobs(tmp_path: Path) -> None:
    call(tmp_path, "add", "task")
    call(tmp_path, "add", "task", "--name", "order:SN1")
    call(tmp_path, "add", "task")
    set_status(tmp_path, 3, 2)
    answer = call(tmp_path, "cancel", "1", "3")
    assert (answer.code, answer.out) == (1, "job 1 is cancelled\n")
    assert answer.err == "job 3 is running: it runs already\n"
    assert call(tmp_path, "cancel", "--name", "order:SN1").out == "order:SN1 is cancelled\n"
    answer = call(tmp_path, "cancel", "--name", "order:SN1")
    assert (answer.code, answer.err) == (1, "qsuper: no live job is named 'order:SN1'\n")


def test_only_a_queue_that_somebody_knows_can_be_paused(tmp_path: Path) -> None:
    call(tmp_path, "add", "task", "--queue", "mail")
    assert call(tmp_path, "pause", "mail").code == 0
    assert call(tmp_path, "resume", "mail").code == 0
    answer = call(tmp_path, "pause", "mial")
    assert answer.code == 1
    assert answer.err == "qsuper: there is no queue 'mial'; known: default, mail\n"


def test_prune_deletes_what_is_finished(tmp_path: Path) -> None:
    for _ in range(2):
        call(tmp_path, "add", "task")
    set_status(tmp_path, 1, 1)
    assert call(tmp_path, "db", "prune").out == "0 finished jobs deleted\n"
    assert call(tmp_path, "db", "prune", "--keep-days", "0").out == "1 finished jobs deleted\n"


def test_upgrade_says_from_where_to_where(tmp_path: Path) -> None:
    assert call(tmp_path, "db", "upgrade").out == "the tables went from nothing to 0004\n"
    assert "already" in call(tmp_path, "db", "upgrade").out


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (
            "mysql+pymysql://root:secret@127.0.0.1:1/shop",
            "root:***@127.0.0.1:1/shop: Can't connect",
        ),
        ("postgresql://root@127.0.0.1/shop", "store.url must begin with"),
        ("sqlite:///junk.db", "file is not a database"),
        ("sqlite:///junk.db/qsuper.db", "junk.db"),
    ],
)
@pytest.mark.parametrize(
    "verb", [("jobs",), ("add", "task"), ("db", "upgrade"), ("check",)], ids=" ".join
)
def test_a_database_that_cannot_be_used_is_a_line_without_its_password(
    verb: tuple[str, ...], url: str, words: str, tmp_path: Path
) -> None:
    (tmp_path / "junk.db").write_text("this is no database, whatever its name says\n" * 50)
    answer = call(tmp_path, *verb, QSUPER_STORE__URL=url)
    assert answer.code == 1
    assert words in answer.out + answer.err
    assert "secret" not in answer.out + answer.err
    assert answer.err.count("\n") == (0 if verb == ("check",) else 1)
