"""What can be done: by a form, by JSON, and by a verb of the command line."""

import json

import click
import pytest

from qsuper.cli.commands import qsuper
from qsuper.roles.web.actions import ACTIONS, Action
from qsuper.roles.web.actions.many import ASK_ABOVE
from qsuper.states import State
from tests.web.dashboard import Dashboard, Visitor

APP = "tests.web.app:queue"


def commands(verb: str) -> click.Command | None:
    """The command of these words; None when there is none."""
    group: click.Command | None = qsuper
    for word in verb.split():
        if not isinstance(group, click.Group):
            return None
        group = group.get_command(click.Context(group), word)
    return group


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_each_action_is_a_verb_too(action: Action) -> None:
    verb = action.verb
    assert commands(verb) is not None


def test_the_table_of_verbs_can_be_wrong() -> None:
    """The control."""
    assert commands("cron dance") is None
    assert commands("dance") is None


@pytest.fixture
def started(own_dashboard: Dashboard) -> Dashboard:
    """With jobs in every state, and no worker that would change it."""
    for state in State:
        rows = [(10 * state + number, "work", {"n": 1}) for number in range(1, 4)]
        own_dashboard.rows.add(rows, status=int(state), run_at="2037-01-01 00:00:00.000")
    own_dashboard.start(app=APP, queues={"default": {"workers": 1}, "other": {"workers": 0}})
    return own_dashboard


def state(dashboard: Dashboard, number: int) -> State:
    return State(dashboard.rows.job(number)["status"])


def test_one_job_is_retried_cancelled_and_run_now(started: Dashboard) -> None:
    visitor = started.visitor()
    visitor.call("/api/pause-node")
    dead, waiting, timer = 10 * State.DEAD + 1, 10 * State.SCHEDULED + 1, 10 * State.SCHEDULED + 2
    assert visitor.call("/api/retry", {"id": dead}).json["ok"]
    assert state(started, dead) is State.READY
    assert visitor.call("/api/cancel", {"id": waiting}).json["state"] == "cancelled"
    assert state(started, waiting) is State.CANCELLED
    assert visitor.call("/api/run-now", {"id": timer}).status == 200
    assert state(started, timer) is State.READY


def test_what_cannot_be_done_is_said_in_words(started: Dashboard) -> None:
    visitor = started.visitor()
    ready = 10 * State.SCHEDULED + 1
    for path, fields, status, words in (
        ("retry", {"id": ready}, 409, "only finished jobs can be retried"),
        ("retry", {"id": 4711}, 404, "there is no job 4711"),
        ("retry", {}, 400, "id is the number of a job"),
        ("retry", {"id": "1 OR 1=1"}, 400, "id is the number of a job"),
        ("retry", {"id": True}, 400, "id is the number of a job"),
        ("retry", {"id": 1, "force": 1}, 400, "knows no 'force'"),
        ("cancel", {"id": 10 * State.DONE + 1}, 409, "is done"),
        ("run-now", {"id": 10 * State.DONE + 1}, 409, "does not wait for its time"),
        ("pause-queue", {"queue": "nobody's"}, 409, "there is no queue"),
        ("pause-queue", {}, 400, "queue is missing"),
        ("scale", {"queue": "default", "workers": "many"}, 400, "a number, or auto"),
        ("scale", {"queue": "default", "workers": 100_000}, 409, "workers"),
        ("scale", {"queue": "nobody's", "workers": 1}, 409, "there is no queue"),
        ("restart", {"name": "default[77]"}, 409, "there is no child"),
        ("retry-many", {}, 400, "which jobs?"),
        ("retry-many", {"state": "ready", "all": True}, 400, "only finished jobs"),
        ("cancel-many", {"state": "dead", "all": True}, 400, "those can be cancelled"),
        ("pause-schedule", {"name": "nobody's"}, 409, "there is no schedule"),
        ("run-schedule", {"name": "--help"}, 409, "there is no schedule"),
    ):
        answer = visitor.call(f"/api/{path}", fields)
        assert (answer.status, words in answer.json.get("error", "")) == (status, True), (
            path,
            answer.text,
        )


def test_many_jobs_are_retried_and_cancelled(started: Dashboard) -> None:
    visitor = started.visitor()
    visitor.call("/api/pause-node")
    found = visitor.call("/api/retry-many", {"task": "work"}).json
    assert (found["moved"], found["over"]) == (3, True)
    assert [state(started, 10 * State.DEAD + n) for n in (1, 2, 3)] == [State.READY] * 3
    found = visitor.call("/api/cancel-many", {"task": "work", "state": "scheduled"}).json
    assert found["moved"] >= 3
    assert state(started, 10 * State.SCHEDULED + 1) is State.CANCELLED


def test_more_than_a_thousand_are_moved_only_when_somebody_says_yes(started: Dashboard) -> None:
    first = 1000
    started.rows.add(
        [(first + n, "mass", {"n": n}) for n in range(ASK_ABOVE + 1)], status=int(State.DEAD)
    )
    visitor = started.visitor()
    visitor.call("/api/pause-node")
    answer = visitor.call("/api/retry-many", {"task": "mass"})
    assert answer.status == 409
    assert "say yes" in answer.json["error"]
    assert state(started, first) is State.DEAD
    found = visitor.call("/api/retry-many", {"task": "mass", "yes": True}).json
    assert found["moved"] == ASK_ABOVE + 1


def test_queues_node_and_workers_are_ordered_about(started: Dashboard) -> None:
    visitor = started.visitor()

    def picture() -> dict[str, object]:
        found: dict[str, object] = visitor.read("/api/status")
        return found

    def queue(name: str) -> dict[str, object]:
        queues = visitor.read("/api/status")["queues"]
        return next(one for one in queues if one["name"] == name)

    def wait(condition: object, message: str) -> None:
        started.daemon.wait_until(condition, message)  # type: ignore[arg-type]

    visitor.call("/api/pause-queue", {"queue": "default"})
    wait(lambda: queue("default")["paused"], "the queue is paused")
    visitor.call("/api/resume-queue", {"queue": "default"})
    wait(lambda: not queue("default")["paused"], "the queue goes on")
    visitor.call("/api/pause-node")
    wait(lambda: picture()["paused"], "the node is paused")
    visitor.call("/api/resume-node")
    wait(lambda: not picture()["paused"], "the node goes on")
    assert visitor.call("/api/scale", {"queue": "other", "workers": 2}).json["wanted"]["other"] == 2
    wait(lambda: queue("other")["running"] == 2, "there are two")
    assert visitor.call("/api/scale", {"queue": "other", "workers": "auto"}).status == 200
    wait(lambda: queue("other")["running"] == 0, "there is none")
    before = [one.pid for one in started.daemon.workers("default")]
    assert visitor.call("/api/restart", {"name": "default[0]"}).status == 200
    wait(
        lambda: [one.pid for one in started.daemon.workers("default")] not in ([], before),
        "it was replaced",
    )


def test_a_schedule_is_run_paused_and_resumed(started: Dashboard) -> None:
    visitor = started.visitor()

    def schedule() -> dict[str, object] | None:
        found = visitor.read("/api/schedules")["schedules"]
        return next((one for one in found if one["name"] == "sweep"), None)

    started.daemon.wait_until(schedule, "the keeper has entered it")
    made = visitor.call("/api/run-schedule", {"name": "sweep"}).json
    assert visitor.read(f"/api/jobs/{made['id']}")["task"] == "sweep"
    assert visitor.call("/api/pause-schedule", {"name": "sweep"}).status == 200
    assert (schedule() or {})["paused"]
    assert visitor.call("/api/resume-schedule", {"name": "sweep"}).status == 200
    assert not (schedule() or {})["paused"]


def test_a_form_does_the_same(started: Dashboard) -> None:
    member = started.member()
    started.visitor().call("/api/pause-node")
    dead = 10 * State.DEAD + 1
    fields = {"csrf": member.csrf(), "back": f"/jobs/{dead}"}
    answer = member.post("/do/retry", {**fields, "id": str(dead)})
    assert (answer.status, answer.headers["location"]) == (303, f"/jobs/{dead}")
    assert state(started, dead) is State.READY
    assert f"job {dead} was dead and will run again" in member.get(f"/jobs/{dead}").text
    member.post("/do/retry", {**fields, "id": str(dead)})
    assert "only finished jobs can be retried" in member.get(f"/jobs/{dead}").text


def pages_of(visitor: Visitor, query: str) -> list[int]:
    """All ids, page by page."""
    found: list[int] = []
    before = ""
    while True:
        page = visitor.read(f"/api/jobs?{query}{before}")
        found += [job["id"] for job in page["jobs"]]
        if page["next"] is None:
            return found
        before = f"&before={page['next']}"


def test_jobs_are_read_page_by_page(started: Dashboard) -> None:
    visitor = started.visitor()
    everything = pages_of(visitor, "most=4")
    assert everything == sorted(everything, reverse=True)
    assert len(everything) == started.rows.count()
    assert pages_of(visitor, "state=dead&most=2") == [10 * State.DEAD + n for n in (3, 2, 1)]
    assert visitor.get("/api/jobs/4711", authorization="Bearer x").status == 401


def test_what_status_prints_is_what_the_dashboard_says(started: Dashboard) -> None:
    told = started.visitor().read("/api/status")
    printed = started.daemon.status()
    assert told.keys() == printed.keys()
    assert json.loads(json.dumps(told["queues"])) == printed["queues"]
    for name in ("pid", "node", "state_dir", "config", "version"):
        assert told[name] == printed[name]
