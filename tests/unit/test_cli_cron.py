"""`qsuper cron`."""

import json
from pathlib import Path
from typing import Any

import pytest

from qsuper.store.backend import Statement
from qsuper.store.database import Database
from tests.unit.cli import call

APP = """
from qsuper import Queue

queue = Queue()

@queue.schedule("0 0 * * *", misfire="all")
@queue.task(queue="mail")
def sweep(): ...
"""
CONFIG = """
[[schedule]]
cron = "0 3 * * *"
task = "dump"
timezone = "Europe/Berlin"
param = "all"
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an application of one schedule, and a configuration of another."""
    name = f"app_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(APP)
    (tmp_path / "qsuper.toml").write_text(f'app = "{name}:queue"\n{CONFIG}')
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def set_back(folder: Path, days: int) -> None:
    connection = Database(f"sqlite:///{folder}/var/qsuper.db").connect()
    connection.run(Statement("UPDATE schedules SET since = {ago:ago}"), ago=days * 86_400.0)
    connection.close()


def listed(folder: Path) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in json.loads(call(folder, "cron", "list", "--json").out)}


def test_tick_says_in_one_line_what_it_did(shop: Path) -> None:
    assert call(shop, "cron", "tick").out == "2 schedules: 0 jobs made\n"
    set_back(shop, 2)
    answer = call(shop, "cron", "tick")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == "2 schedules: 3 jobs made; 1 due time without one (missed)\n"
    assert call(shop, "cron", "tick").out == "2 schedules: 0 jobs made\n"


def test_list_tells_what_is_next_and_what_was_last(shop: Path) -> None:
    assert [one["status"] for one in listed(shop).values()] == ["new", "new"]
    call(shop, "cron", "tick")
    set_back(shop, 2)
    call(shop, "cron", "tick")
    sweep, dump = listed(shop).values()
    assert (sweep["name"], sweep["task"], sweep["cron"]) == ("sweep", "sweep", "0 0 * * *")
    assert (sweep["status"], sweep["state"], sweep["missed"]) == ("active", "ready", 0)
    assert sweep["next"] - sweep["last"] == 86_400
    assert (dump["timezone"], dump["missed"]) == ("Europe/Berlin", 1)
    lines = call(shop, "cron", "list").out.splitlines()
    assert len(lines) == 3
    assert lines[0].split() == ["NAME", "NEXT", "IN", "LAST", "JOB", "STATE", "MISSED", "CRON"]
    assert lines[2].endswith("0 3 * * * Europe/Berlin")


def test_run_makes_one_job_that_is_no_due_times(shop: Path) -> None:
    answer = call(shop, "cron", "run", "dump")
    assert (answer.code, answer.out) == (0, "1\n")
    job = json.loads(call(shop, "show", "1", "--json").out)
    assert (job["task"], job["param"]) == ("dump", "all")
    call(shop, "cron", "tick")
    assert listed(shop)["dump"]["job"] is None


def test_a_paused_schedule_makes_none_and_nothing_is_made_up_for(shop: Path) -> None:
    call(shop, "cron", "tick")
    said = call(shop, "cron", "pause", "sweep").out
    assert said == "schedule sweep is paused; `qsuper cron resume sweep` lets it go on\n"
    set_back(shop, 3)
    told = call(shop, "cron", "tick").out
    assert told.endswith("2 due times without one (missed); 3 due times without one (paused)\n")
    assert (listed(shop)["sweep"]["status"], listed(shop)["sweep"]["next"]) == ("paused", None)
    assert call(shop, "cron", "resume", "sweep").out == "schedule sweep goes on\n"
    assert call(shop, "cron", "tick").out == "2 schedules: 0 jobs made\n"
    assert listed(shop)["sweep"]["status"] == "active"


def test_a_removed_schedule_stays_listed(shop: Path) -> None:
    call(shop, "cron", "tick")
    config = shop / "qsuper.toml"
    config.write_text(config.read_text().replace(CONFIG, ""))
    assert {name: one["status"] for name, one in listed(shop).items()} == {
        "sweep": "active",
        "dump": "removed",
    }
    assert call(shop, "cron", "tick").out == "1 schedule: 0 jobs made\n"


def test_where_there_are_none_the_list_says_how_to_make_one(tmp_path: Path) -> None:
    assert "make one with @queue.schedule" in call(tmp_path, "cron", "list").out
    assert call(tmp_path, "cron", "list", "--json").out == "[]\n"
    assert call(tmp_path, "cron", "tick").out == "0 schedules: 0 jobs made\n"


@pytest.mark.parametrize("verb", ["run", "pause", "resume"])
def test_a_schedule_that_is_not_there_is_said_with_what_was_meant(shop: Path, verb: str) -> None:
    answer = call(shop, "cron", verb, "swep")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == "qsuper: there is no schedule 'swep'; did you mean 'sweep'?\n"
    assert "known: sweep, dump" in call(shop, "cron", verb, "xyz").err


def add(folder: Path, **keys: object) -> None:
    """One more [[schedule]]."""
    config = folder / "qsuper.toml"
    lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    config.write_text("\n".join([config.read_text(), "[[schedule]]", *lines, ""]))


BAD = [
    (
        {"cron": "* * * * *", "task": "x", "name": "sweep"},
        "sweep",
        "two schedules are named 'sweep': give one of them name=...",
    ),
    (
        {"cron": "* * * * *", "task": "sweep", "name": "odd", "param": '{"n": 1}'},
        "odd",
        "sweep() cannot take this param: got an unexpected keyword argument 'n'",
    ),
    (
        {"cron": "* * * * *", "task": "x", "name": "large", "param": "x" * 3000},
        "large",
        "its param is larger than 2048 bytes (job.max_param_bytes): store the data elsewhere and"
        " pass where it is",
    ),
]


@pytest.mark.parametrize(("keys", "name", "reason"), BAD, ids=[name for _, name, _ in BAD])
def test_one_that_cannot_be_is_said_and_the_others_go_on(
    shop: Path, keys: dict[str, object], name: str, reason: str
) -> None:
    config = shop / "qsuper.toml"
    config.write_text(config.read_text() + "[job]\nmax_param_bytes = 2048\n")
    assert call(shop, "check").out.count("schedules ok: sweep, dump\n") == 1
    call(shop, "cron", "tick")
    add(shop, **keys)
    set_back(shop, 2)
    answer = call(shop, "cron", "tick")
    assert answer.out == "2 schedules: 3 jobs made; 1 due time without one (missed)\n"
    assert (answer.code, answer.err) == (1, f"qsuper: the schedule {name!r}: {reason}\n")
    shown = json.loads(call(shop, "cron", "list", "--json").out)
    assert [(one["name"], one["error"]) for one in shown if one["status"] == "failed"] == [
        (name, reason)
    ]
    assert [one["name"] for one in shown if one["next"] is not None] == ["sweep", "dump"]
    lines = call(shop, "cron", "list").out.splitlines()
    assert lines[-1] == f"{name} makes no jobs: {reason}"
    checked = call(shop, "check")
    assert checked.code == 1
    assert f"\nschedules {name}: {reason}\n" in checked.out


def test_where_there_are_no_schedules_check_says_nothing_of_them(tmp_path: Path) -> None:
    assert "\nschedules" not in call(tmp_path, "check").out


def test_running_one_that_cannot_be_says_why(shop: Path) -> None:
    keys, name, reason = BAD[1]
    add(shop, **keys)
    for verb in ("run", "pause"):
        answer = call(shop, "cron", verb, name)
        assert (answer.code, answer.err) == (1, f"qsuper: the schedule {name!r}: {reason}\n")


def test_a_schedule_that_only_other_hosts_know_can_be_paused(shop: Path) -> None:
    call(shop, "cron", "tick")
    config = shop / "qsuper.toml"
    there = config.read_text()
    config.write_text(there.replace(CONFIG, ""))
    assert call(shop, "cron", "pause", "dump").code == 0
    config.write_text(there)
    assert listed(shop)["dump"]["status"] == "paused"
    config.write_text(there.replace(CONFIG, ""))
    set_back(shop, 3)
    assert call(shop, "cron", "resume", "dump").code == 0
    config.write_text(there)
    dump = listed(shop)["dump"]
    assert (dump["status"], dump["paused"]) == ("active", 3)
    assert "did you mean 'dump'?" in call(shop, "cron", "pause", "dumb").err


def test_a_schedule_can_be_paused_while_the_application_is_broken(shop: Path) -> None:
    call(shop, "cron", "tick")
    config = shop / "qsuper.toml"
    there = config.read_text()
    config.write_text('app = "nowhere.to:queue"')
    assert call(shop, "cron", "pause", "sweep").code == 0
    answer = call(shop, "cron", "pause", "swep")
    assert (answer.code, answer.out) == (1, "")
    assert "importing nowhere.to failed" in answer.err
    config.write_text(there)
    assert listed(shop)["sweep"]["status"] == "paused"


def test_mistakes_in_the_file_are_told_with_all_others(shop: Path) -> None:
    (shop / "qsuper.toml").write_text(
        '[[schedule]]\ncron = "0 0 30 2 *"\ntask = "a b"\ntimezone = "Mars"\nmisfire = "never"\n'
        'overlap = 3\ngrace = 1\nname = " a"\nparam = 4\njitter = "2d"\n'
    )
    answer = call(shop, "cron", "list")
    assert answer.code == 1
    keys = [line.split("[[schedule]] 1 ")[1].split(":")[0] for line in answer.err.splitlines()]
    named = ["cron", "task", "timezone", "misfire", "overlap", "grace", "name", "param", "jitter"]
    assert keys == named


def test_an_application_that_cannot_be_imported_fails_loudly(shop: Path) -> None:
    (shop / "qsuper.toml").write_text('app = "nowhere.to:queue"')
    answer = call(shop, "cron", "tick")
    assert (answer.code, answer.out) == (1, "")
    assert "importing nowhere.to failed" in answer.err
