"""How jobs fail: what is kept of it, what follows and when, and who is told."""

import itertools
import json
import os
import re
from typing import Any

from qsuper.states import State
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows

APP = "tests.acceptance.failing_app:queue"
BACKOFF = {"base": 0.1, "cap": 0.4}
ENDED = (State.DONE, State.DEAD, State.CANCELLED)


def configure(daemon: Daemon, **tables: Any) -> None:
    daemon.write_config(
        app=APP, queues={"default": {"workers": 2}}, job={"backoff": BACKOFF}, **tables
    )


def end_all(daemon: Daemon, rows: Rows) -> None:
    daemon.wait_until(lambda: rows.count(*ENDED) == rows.count(), "all have ended")


def show(daemon: Daemon, number: int) -> dict[str, Any]:
    """What `qsuper show --json` prints."""
    shown: dict[str, Any] = json.loads(daemon.cli("show", str(number), "--json").stdout)
    return shown


def waits(shown: dict[str, Any]) -> list[float]:
    """Seconds from the end of each attempt to the beginning of the next one."""
    attempts = shown["attempts"]
    pairs = itertools.pairwise(attempts)
    return [after["started_at"] - before["ended_at"] for before, after in pairs]


def test_every_failed_attempt_is_kept_with_all_there_is_to_know(daemon: Daemon, rows: Rows) -> None:
    configure(daemon)
    daemon.start()
    rows.add([(1, "fail", {"n": 1})], max_attempts=4)
    end_all(daemon, rows)
    shown = show(daemon, 1)
    assert shown["state"] == "dead"
    attempts = shown["attempts"]
    assert [one["attempt"] for one in attempts] == [1, 2, 3, 4]
    assert [one["outcome"] for one in attempts] == ["failed", "failed", "failed", "dead"]
    assert [one["error"] for one in attempts] == [f"ValueError: attempt {n}" for n in range(1, 5)]
    for one in attempts:
        assert one["traceback"].startswith("Traceback (most recent call last):")
        assert 'raise ValueError(f"attempt' in one["traceback"]
        assert one["output"] == "about to fail: 1\non standard error\n"
        assert one["worker"]
        assert one["node"]
        assert one["started_at"] <= one["ended_at"]
    times = [time for one in attempts for time in (one["started_at"], one["ended_at"])]
    assert times == sorted(times)


def test_waits_grow_and_are_spread_as_each_task_or_the_configuration_has_it(
    daemon: Daemon, rows: Rows, figures: Figures
) -> None:
    """An attempt is never early; how late it is depends on the machine."""
    configure(daemon, tasks={"fail": {"max_attempts": 3, "backoff": {"base": 0.3, "cap": 0.5}}})
    daemon.start()
    # Its base, its cap, and who says so: the configuration of all, the task, that of the task.
    settings = {"fail_again": (0.1, 0.4), "fail_soon_again": (0.2, 0.3), "fail": (0.3, 0.5)}
    jobs = list(enumerate(list(settings) * 10, 1))
    rows.add([(n, task, {"n": n}) for n, task in jobs])
    end_all(daemon, rows)
    seen: dict[str, list[list[float]]] = {}
    for n, task in jobs:
        base, cap = settings[task]
        seen.setdefault(task, []).append(waits(show(daemon, n)))
        first, second = seen[task][-1]
        assert first >= base * 0.8 - 0.01, task
        assert second >= min(cap, base * 2) * 0.8 - 0.01, task
    spans = {task: zip(*found, strict=True) for task, found in seen.items()}
    figures(
        **{
            f"{task}_{n}": f"{min(found):.2f}-{max(found):.2f} s"
            for task, both in spans.items()
            for n, found in enumerate(both, 1)
        }
    )


def test_a_task_says_what_becomes_of_its_job_and_hooks_are_told_in_order(
    daemon: Daemon, rows: Rows
) -> None:
    configure(daemon)
    daemon.start()
    tasks = ["fail_for_good", "try_later", "snooze", "discard", "work"]
    rows.add([(n, task, {"n": n}) for n, task in enumerate(tasks, 1)])
    end_all(daemon, rows)
    assert [(rows.job(n)["status"], rows.job(n)["attempt"]) for n in range(1, 6)] == [
        (State.DEAD, 1),
        (State.DONE, 2),
        (State.DONE, 1),
        (State.CANCELLED, 1),
        (State.DONE, 1),
    ]
    assert [rows.attempts(n) for n in range(1, 6)] == [
        [(1, "dead", "Refused: no such uid")],
        [(1, "failed", "the gateway is busy")],
        [],
        [(1, "discarded", "the order is gone")],
        [],
    ]
    told = [
        line.split(" ", 1) for line in (daemon.folder / "journal.hooks").read_text().splitlines()
    ]
    assert {n: [words for of, words in told if of == str(n)] for n in range(1, 6)} == {
        1: ["1 before ''", "1 failed Refused('no such uid')", "1 after ''"],
        2: [
            "1 before ''",
            "1 failed Retry('the gateway is busy')",
            "1 after ''",
            "2 before ''",
            "2 after ''",
        ],
        # An attempt that does not count has its number again.
        3: ["1 before ''", "1 after ''"] * 2,
        4: ["1 before ''", "1 after ''"],
        5: ["1 before ''", "1 after ''"],
    }
    assert daemon.log().count("the hook 'break_down' failed") == 7


def test_an_attempt_goes_on_from_what_a_killed_one_has_saved_and_its_output_is_kept(
    daemon: Daemon, rows: Rows
) -> None:
    configure(daemon)
    daemon.start()
    rows.add([(n, "count_up", {"n": n}) for n in range(1, 6)])
    end_all(daemon, rows)
    for n in range(1, 6):
        shown = show(daemon, n)
        assert (shown["state"], shown["attempt"]) == ("done", 3)
        assert [one["output"] for one in shown["attempts"]] == ["step 1\n", "step 2\n"]
        for one in shown["attempts"]:
            assert "its worker was killed by SIGKILL" in one["error"]
            assert one["worker"]
        assert len(daemon.runs(n)) == 3


def test_progress_is_seen_while_the_job_runs(daemon: Daemon, rows: Rows) -> None:
    configure(daemon)
    gate = daemon.folder / "journal.gate"
    os.mkfifo(gate)
    daemon.start()
    rows.add([(1, "resize", {"n": 1})])
    daemon.running(1)

    def seen() -> list[Any]:
        return [
            (child["job"]["progress"], child["job"]["progress_text"])
            for child in daemon.status()["children"]
            if child["job"] is not None
        ]

    daemon.wait_until(lambda: seen() == [(0.4, "resizing ü")], "progress is in the status")
    assert show(daemon, 1)["progress"] == "0.4 resizing ü"
    gate.write_text("go on")
    end_all(daemon, rows)
    assert seen() == []


def test_jobs_that_have_waited_too_long_are_discarded_and_never_run(
    daemon: Daemon, rows: Rows
) -> None:
    """By a column of a bare INSERT, by `add`, by their task, by the configuration."""
    configure(daemon, tasks={"work": {"max_age": 3600}})
    old = "2020-02-02 02:02:02"
    rows.add([(1, "snooze", {"n": 1}), (2, "snooze", {"n": 2})], run_at=old, max_age=60.0)
    rows.add([(3, "snooze", {"n": 3}), (4, "quote", {"n": 4}), (5, "work", {"n": 5})], run_at=old)
    rows.add([(n, task, {"n": n}) for n, task in [(6, "snooze"), (7, "quote"), (8, "work")]])
    for task, number in (("fail_soon_again", 9), ("work", 10)):
        added = daemon.cli("add", task, json.dumps({"n": number}), "--max-age", "1s")
        assert added.returncode == 0, added.stderr
    rows.run(f"UPDATE queue SET run_at = '{old}' WHERE id >= 9")
    rows.run("UPDATE queue SET max_age = 1000000000 WHERE id = 10")
    daemon.start()
    end_all(daemon, rows)
    done = {3, 6, 7, 8, 10}
    for n in range(1, 11):
        state = State(rows.job(n)["status"])
        assert (n, state) == (n, State.DONE if n in done else State.CANCELLED)
        assert bool(daemon.runs(n)) == (n in done), n
    reasons = {n: rows.attempts(n)[0][1:] for n in (1, 2, 4, 5, 9)}
    own = ("discarded", "it has waited longer than its max_age")
    assert reasons == {
        1: own,
        2: own,
        4: ("discarded", "it has waited longer than 60 s, its task's max_age"),
        5: ("discarded", "it has waited longer than 3600 s, its task's max_age"),
        9: own,
    }
    assert re.search(r"job=4 .*discarded: it has waited longer than 60 s", daemon.log())
