"""What people put into Redis, and what they ask for: one clear line, and the rest goes on."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from qsuper.states import State
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.keys.watching import WATCHED, Watching, worst
from tests.acceptance.rows import Rows
from tests.servers import Redis

MEGABYTE = 1 << 20
CROWD = 100_000
MEANWHILE = 50
"""Keys that fall due while the crowd is written down."""
ANY_BYTES = bytes(range(256))


@pytest.fixture
def here(folder: Path, redis_server: Redis) -> Iterator[Watching]:
    """Over SQLite and the shared Redis, nothing started."""
    redis_server.empty()
    rows = Rows(f"sqlite:///{folder}/qsuper.db")
    watching = Watching(Daemon(folder, rows.url), rows, redis_server)
    watching.configure()
    yield watching
    watching.daemon.clean_up()
    watching.close()


def test_a_database_that_there_is_not_is_said_and_the_other_watches_are_kept(
    here: Watching,
) -> None:
    here.configure((WATCHED, 0), ("XX*", 99))
    here.start()
    here.says("'XX*' of database 99 cannot be watched", "DB index is out of range")
    here.put(["SN1:1"], 200)
    here.wait_for_jobs(["SN1:1"])
    assert len(here.lines("of database 99 cannot be watched")) == 1


def test_a_pattern_that_matches_everything_is_warned_of_and_obeyed(here: Watching) -> None:
    here.configure(("*", 0))
    here.start()
    here.client.set("for ever", "x")
    here.put(["anything", "at all"], 200)
    here.wait_for_jobs(["anything", "at all"])
    (line,) = here.lines("a watch on '*'")
    assert "every key with a time to live is looked at" in line


def test_a_key_of_any_bytes_with_a_value_of_any_bytes(here: Watching) -> None:
    here.start()
    name = b"SN" + ANY_BYTES + b":1"
    here.client.set(name, ANY_BYTES, px=200)
    here.daemon.wait_until(lambda: here.rows.count(State.DONE) == 1, "its job is done")
    (told,) = here.jobs()
    assert base64.b64decode(told.key_base64) == name
    assert base64.b64decode(told.value_base64 or "") == ANY_BYTES
    assert told.key.endswith(r"\xfe\xff:1")
    assert told.value is not None
    assert told.value.startswith("\0\1\2")


def test_keys_that_are_too_long_are_left_alone_and_it_is_said_once(here: Watching) -> None:
    here.start()
    longest = "SN" + "x" * (8192 - 4) + ":1"
    here.put([f"SN{number}{'x' * 8192}:1" for number in range(3)], 200)
    here.put([longest], 200)
    here.wait_for_jobs([longest])
    (line,) = here.lines("is not watched")
    assert re.search(r"a key of 8197 bytes is not watched: 8192 are the most", line)


def test_a_value_of_a_hundred_megabytes_is_measured_not_fetched(
    here: Watching, figures: Figures
) -> None:
    here.start()
    size = 100 * MEGABYTE
    sent, before = sent_by(here), here.process().memory_info().rss
    here.client.setrange("SN1:1", size - 1, b"x")
    here.client.pexpire("SN1:1", 3000)
    here.client.set("SN2:1", "y" * 65_536, px=3000)
    told = {one.key: one for one in here.wait_for_jobs(["SN1:1", "SN2:1"])}
    assert (told["SN1:1"].value, told["SN1:1"].kind) == (None, f"string of {size} bytes")
    assert told["SN2:1"].value == "y" * 65_536
    fetched = sent_by(here) - sent
    figures(
        fetched_mb=fetched / MEGABYTE,
        listener_mb=here.process().memory_info().rss / MEGABYTE,
        grown_mb=(here.process().memory_info().rss - before) / MEGABYTE,
    )
    assert fetched < 10 * MEGABYTE


def test_a_hash_and_a_list_become_jobs_without_a_value(here: Watching) -> None:
    here.start()
    pipeline = here.client.pipeline()
    pipeline.hset("SN1:1", mapping={"status": "unpaid"})
    pipeline.rpush("SN2:1", "a", "b")
    pipeline.pexpire("SN1:1", 300)
    pipeline.pexpire("SN2:1", 300)
    pipeline.execute()
    jobs = here.wait_for_jobs(["SN1:1", "SN2:1"])
    assert {(told.key, told.kind, told.value, told.how) for told in jobs} == {
        ("SN1:1", "hash", None, "observed"),
        ("SN2:1", "list", None, "observed"),
    }


def test_a_hundred_thousand_keys_armed_in_a_burst_and_others_due_meanwhile(
    here: Watching, figures: Figures
) -> None:
    here.start()
    listener = here.process()
    crowd = [f"SN9{number:06}:1" for number in range(CROWD)]
    due = [f"SN{number}:1" for number in range(1, MEANWHILE + 1)]
    before = here.listener().beat
    for part in range(10):
        here.put(crowd[part::10])
        here.put(due[part::10], 100 + 200 * part)
    jobs = here.wait_for_jobs(due)
    here.daemon.wait_until(lambda: here.count_armed() >= CROWD, "all are written down")
    assert here.armed() == set(crowd)
    figures(
        keys=CROWD,
        written_after_s=here.listener().beat - before,
        due_meanwhile=MEANWHILE,
        never_seen_alive=sum(told.lateness is None for told in jobs),
        worst_of_the_others_s=worst(jobs),
        listener_mb=listener.memory_info().rss / MEGABYTE,
    )
    assert not here.lines("tried again until it answers")
    here.is_well()


APP = """
from qsuper import Queue
queue = Queue()

@queue.task
def wants_more(key, order): ...

@queue.task
def hello(): ...
"""


def test_a_task_that_cannot_take_a_key_is_said_by_check_and_in_the_log(here: Watching) -> None:
    (here.daemon.folder / "shop.py").write_text(APP)
    here.configure(app="shop:queue", task="wants_more")
    said = r"wants_more\(key, order\) cannot take an expired key: a watch passes, by name, what"
    done = here.daemon.cli("check")
    assert done.returncode == 1
    assert len(re.findall(said, done.stdout)) == 1
    here.daemon.start()
    here.says("listener is FATAL")
    assert re.search(f"error listener .*{said}", here.daemon.log())
    here.rows.add([(1, "hello", None)])
    here.daemon.wait_until(lambda: here.rows.count(State.DONE) == 1, "other jobs run")


def test_a_watch_that_an_application_declares_wrongly_is_said_at_its_import(
    here: Watching,
) -> None:
    text = APP.replace("@queue.task\ndef wants", '@queue.watch("SN*:1")\ndef wants')
    (here.daemon.folder / "shop.py").write_text(text)
    here.configure(app="shop:queue", task="hello")
    done = here.daemon.cli("check")
    assert done.returncode == 1
    assert re.search(r"app .*wants_more\(key, order\) cannot take an expired key", done.stdout)
    assert "Traceback" not in done.stdout + done.stderr


def test_a_watch_of_a_task_that_nobody_has_makes_jobs_that_wait_for_one(here: Watching) -> None:
    here.configure(task="nobody_has_this")
    assert "'nobody_has_this', a task that is not known here" in here.daemon.cli("check").stdout
    here.start()
    here.put(["SN1:1"], 200, "gone")
    found = "SELECT id FROM queue WHERE task = 'nobody_has_this' AND put_off_since IS NOT NULL"
    here.daemon.wait_until(lambda: here.rows.run(found), "the job is put off")
    ((number,),) = here.rows.run(found)
    assert here.rows.job(number)["attempt"] == 0
    assert here.rows.run("SELECT param FROM queue") == [('{"key":"SN1:1","value":"gone"}',)]
    assert "nobody_has_this" in here.daemon.cli("jobs").stdout


def sent_by(here: Watching) -> int:
    """Bytes that Redis has sent to anybody."""
    return int(here.client.info("stats")["total_net_output_bytes"])
