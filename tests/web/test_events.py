"""What pages hear without asking."""

from itertools import pairwise
from typing import Any

from qsuper.states import State
from tests.web.dashboard import Dashboard
from tests.web.listening import Ear

APP = "tests.web.app:queue"


def test_a_picture_comes_each_second(dashboard: Dashboard) -> None:
    with Ear(dashboard) as ear:
        assert ear.status == 200
        assert ear.headers["content-type"] == "text/event-stream"
        assert ear.headers["cache-control"] == "no-store"
        first, second = ear.next("picture"), ear.next("picture")
    assert first["queues"][0]["name"] == "default"
    assert second["up"] > first["up"]
    assert {"p50", "p95", "p99"} == first["minute"]["ran"].keys()
    assert "totals" not in first


def test_several_hear_the_same(dashboard: Dashboard) -> None:
    with Ear(dashboard) as one, Ear(dashboard) as other:
        one.next("picture")
        other.next("picture")
        assert one.next("picture")["up"] == other.next("picture")["up"]


def test_a_job_is_followed_from_its_beginning_to_its_end(own_dashboard: Dashboard) -> None:
    dashboard = own_dashboard
    dashboard.start(app=APP)
    dashboard.visitor().call("/api/pause-node")
    dashboard.rows.add([(7, "report", {"n": 7, "seconds": 3})])
    with Ear(dashboard, "?job=7") as ear:
        assert ear.next("job")["state"] == "ready"
        dashboard.visitor().call("/api/resume-node")
        told: list[Any] = []
        while not told or told[-1]["state"] != "done":
            told.append(ear.next("job"))
    states = [one["state"] for one in told]
    assert set(states) <= {"ready", "running", "done"}
    assert states == sorted(states, key=["ready", "running", "done"].index)
    fractions = [one["running"]["progress"] for one in told if one["running"]]
    assert fractions == sorted(fractions)
    assert any(later > sooner for sooner, later in pairwise(fractions))


def test_a_job_that_has_ended_is_heard_of_again_when_it_is_retried(
    embedded_dashboard: Dashboard,
) -> None:
    dashboard = embedded_dashboard
    dashboard.rows.add([(7, "work", {"n": 7})], status=int(State.DEAD))
    dashboard.start(app=APP)
    with Ear(dashboard, "?job=7") as ear:
        assert ear.next("job")["state"] == "dead"
        dashboard.visitor().call("/api/retry", {"id": 7})
        while ear.next("job")["state"] != "done":
            pass


def test_a_job_that_is_none_is_not_heard_of(dashboard: Dashboard) -> None:
    with Ear(dashboard, "?job=4711") as ear:
        assert ear.next("picture")
    with Ear(dashboard, "?job=x") as ear:
        assert ear.status == 400


def test_a_stream_ends_with_its_session(dashboard: Dashboard) -> None:
    member = dashboard.member()
    cookie = "; ".join(f"{name}={value}" for name, value in member.cookies.items())
    with Ear(dashboard, cookie=cookie) as ear:
        assert ear.next("picture")
        member.post("/logout", {"csrf": member.csrf()})
        while ear.next("picture"):
            pass


def test_streams_end_at_once_when_the_daemon_stops(embedded_dashboard: Dashboard) -> None:
    dashboard = embedded_dashboard
    dashboard.start()
    with Ear(dashboard) as ear:
        ear.next("picture")
        assert dashboard.daemon.stop() == 0
        while ear.next("picture"):
            pass


def test_streams_end_with_a_reload_and_come_back(embedded_dashboard: Dashboard) -> None:
    dashboard = embedded_dashboard
    dashboard.start()
    with Ear(dashboard) as ear:
        ear.next("picture")
        assert dashboard.visitor().call("/api/reload").status == 200
        while ear.next("picture"):
            pass
    dashboard.wait_until_it_answers()
    with Ear(dashboard) as ear:
        assert ear.next("picture")
