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


def record(folder: Path, job_id: int, error: str, **columns: object) -> None:
    """A job dies of `error`."""
    set_status(folder, job_id, 3)
    values = {"job_id": job_id, "claims": 0, "attempt": 1, "outcome": "dead", "error": error}
    values |= columns
    names, bound = ", ".join(values), ", ".join(f":{name}" for name in values)
    connection = Database(f"sqlite:///{folder}/var/qsuper.db").connect()
    connection.run(Statement(f"INSERT INTO attempts ({names}) VALUES ({bound})"), **values)
    connection.close()


def test_below_a_dead_job_stands_why_it_died_in_one_line_that_fits(tmp_path: Path) -> None:
    call(tmp_path, "add", "task")
    call(tmp_path, "add", "task")
    record(tmp_path, 1, "ValueError: no\n  such\x1b[2J recipient " + "x" * 200)
    lines = call(tmp_path, "jobs").out.splitlines()
    assert [line.split()[0] for line in lines] == ["ID", "2", "1", "ValueError:"]
    assert lines[3].startswith("    ValueError: no such\\x1b[2J recipient xxx")
    assert len(lines[3]) == 80
    assert lines[3].endswith("…")
    dead = call(tmp_path, "jobs", "--dead").out.splitlines()
    assert [line.split()[:3] for line in dead[1:]] == [line.split()[:3] for line in lines[2:]]
    (told,) = json.loads(call(tmp_path, "jobs", "--dead", "--json").out)
    assert told["error"].startswith("ValueError: no\n  such")


def test_jobs_are_chosen_by_name_error_and_time(tmp_path: Path) -> None:
    call(tmp_path, "add", "task", "--name", "SN1")
    call(tmp_path, "add", "task")
    record(tmp_path, 2, "boom")

    def ids(*arguments: str) -> list[int]:
        return [job["id"] for job in json.loads(call(tmp_path, "jobs", "--json", *arguments).out)]

    assert ids("--name", "SN1") == [1]
    assert ids("--error", "oo") == [2]
    assert ids("--since", "1h") == ids("--since", "2026-01-02T10:00") == [2, 1]
    assert ids("--until", "1h") == ids("--until", "2026-01-02") == []


@pytest.mark.parametrize("text", ["90", "yesterday", "", "2026-13-01", "-1h", "20261120", "1e9h"])
def test_what_is_no_moment_is_a_usage_error(text: str, tmp_path: Path) -> None:
    answer = call(tmp_path, "jobs", "--since", text)
    assert (answer.code, answer.out) == (2, "")
    assert "is no moment: write 2h or 3d (ago), 2026-11-20 or 2026-11-20T10:00" in answer.err
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize("lines", [b"", b"\n \n"], ids=["nothing", "blank lines"])
def test_a_group_of_no_lines_is_refused_and_adds_nothing(lines: bytes, tmp_path: Path) -> None:
    answer = call(tmp_path, "group", "report", stdin=lines)
    assert (answer.code, answer.out) == (1, "")
    assert "there were no jobs, so report was not added" in answer.err
    assert json.loads(call(tmp_path, "jobs", "--json").out) == []
    assert call(tmp_path, "group", "report", stdin=b"page 1\n").out == "1\n"


def test_the_dead_are_grouped_by_task_and_error(tmp_path: Path) -> None:
    for job_id, task, error in (
        (1, "a", "boom"),
        (2, "b", "boom"),
        (3, "a", "boom"),
        (4, "a", "x"),
    ):
        call(tmp_path, "add", task)
        record(tmp_path, job_id, error)
    lines = call(tmp_path, "jobs", "--dead", "--group").out.splitlines()
    assert lines[0].split() == ["COUNT", "TASK", "LAST", "ID", "ERROR"]
    assert [line.split()[:2] for line in lines[1:]] == [["2", "a"], ["1", "b"], ["1", "a"]]
    assert lines[1].split()[-2:] == ["3", "boom"]
    first, rest = call(tmp_path, "jobs", "--group", "-n", "1").out.splitlines()[1:]
    assert [first.split()[0], *first.split()[-2:]] == ["2", "3", "boom"]
    assert rest == "and 2 jobs of 2 more kinds: -n shows more"
    kinds = json.loads(call(tmp_path, "jobs", "--group", "--task", "b", "--json").out)
    assert [(kind["count"], kind["error"], kind["job_id"]) for kind in kinds] == [(1, "boom", 2)]
    assert call(tmp_path, "jobs", "--group", "--before", "3").code == 2
    call(tmp_path, "add", "c")
    waiting = call(tmp_path, "jobs", "--group", "--state", "ready").out.splitlines()[1:]
    assert [line.split()[:2] for line in waiting] == [["1", "c"]]


def test_show_tells_what_a_failed_attempt_printed_and_what_is_rare(tmp_path: Path) -> None:
    call(tmp_path, "add", "task", "--timeout", "90s")
    plain = call(tmp_path, "show", "1").out
    assert "timeout       1m 30s\n" in plain
    for rare in ("resume_state", "held_by", "cancel", "max_age", "being ended"):
        assert rare not in plain
    output = "\n".join(f"line {number}\x07" for number in range(30))
    record(tmp_path, 1, "boom", traceback="Traceback", output=output)
    connection = Database(f"sqlite:///{tmp_path}/var/qsuper.db").connect()
    connection.run(
        Statement("UPDATE queue SET state = :state, cancel = 1, held_by = 'x'"), state="s" * 5000
    )
    connection.close()
    text = call(tmp_path, "show", "1").out
    lines = text.splitlines()
    assert "  | Traceback" in lines
    assert "  > … 10 lines before these: --json has them" in lines
    assert lines[-1] == "  > line 29\\x07"
    assert "  > line 9\\x07" not in lines
    assert "it is being ended" in text
    (state,) = (line for line in lines if line.startswith("resume_state"))
    assert len(state) < 2100
    told = json.loads(call(tmp_path, "show", "1", "--json").out)
    assert told["resume_state"] == "s" * 5000
    assert (told["state"], told["attempts"][0]["output"]) == ("dead", output)


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
    assert call(tmp_path, "db", "upgrade").out == "the tables went from nothing to 0005\n"
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
