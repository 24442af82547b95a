"""`status`, the JSON, the dashboard and `/metrics` tell the same numbers at the same moment."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from qsuper.states import State
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows
from tests.servers.server import free_port
from tests.web.dashboard import TOKEN, Visitor

FLOWING = {"up", "posted_ago", "lease_left", "counted_ago", "memory", "time_left", "since"}
"""What changes while nothing happens; the master works out from its own clock since when."""
STOPPED = ("worker", "scheduler", "keeper")
TILES = {"Ready": "ready", "Running": "running", "Dead": "dead"}
"""Columns of the dashboard's queues, and the states they are."""
COUNTERS = {
    "conflicts": "claim_conflicts",
    "helps": "helps",
    "fenced": "fenced_acks",
    "fired": "watched_keys_fired",
    "presumed": "presumed_firings",
    "missed": "missed_schedules",
    "database_reconnects": "database_reconnects",
    "redis_reconnects": "redis_reconnects",
}
"""Those of the picture, and the metrics they are."""

Labels = frozenset[tuple[str, str]]


class Page(HTMLParser):
    """The cells of the table of queues, by the word that a narrow screen shows before them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[dict[str, str]] = []
        self._label: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        label = dict(attrs).get("data-label")
        if tag == "td" and label:
            if label == "Queue":
                self.rows.append({})
            self._label = label
            self.rows[-1][label] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "td":
            self._label = None

    def handle_data(self, data: str) -> None:
        if self._label is not None:
            self.rows[-1][self._label] += data.strip()


@pytest.fixture
def port(daemon: Daemon) -> int:
    port = free_port()
    daemon.write_config(
        # No lease shall end while nobody renews it.
        node={"lease": "30m"},
        web={"listen": f"127.0.0.1:{port}", "token": TOKEN},
        queues={"default": {"workers": 3}, "mail": {"workers": 1}},
    )
    return port


@contextmanager
def standing_still(daemon: Daemon) -> Iterator[None]:
    """Nobody counts; the master and the dashboard go on."""
    pids = [record.pid for record in daemon.records() if record.role in STOPPED and record.pid]
    assert len(pids) == 6
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_all_tell_the_same_numbers_at_the_same_moment(
    daemon: Daemon, rows: Rows, port: int, figures: Figures
) -> None:
    daemon.start()
    visitor = Visitor(port)
    ready(daemon, visitor)
    rows.add((n, "work", {"n": n}) for n in range(1, 201))
    rows.add(((n, "raise_an_error", None) for n in range(201, 208)), max_attempts=1)
    rows.add([(208, "work", {"n": 208, "seconds": 600})])
    # Nobody works on this queue.
    rows.add([(n, "work", {"n": n}) for n in range(301, 313)], queue="orphans")
    victim = daemon.workers("mail")[0]
    daemon.kill(victim)
    daemon.wait_until(
        lambda: rows.count(State.DONE) == 200 and rows.count(State.DEAD) == 7, "they have ended"
    )
    daemon.wait_until(lambda: settled(daemon), "all of it is counted")
    with standing_still(daemon):
        daemon.wait_until(
            lambda: "not counted" in kinds(daemon.status()), "it is noticed that nobody counts"
        )
        status = daemon.status()
        told = visitor.read("/api/status")
        metrics = read_metrics(visitor)
        page = visitor.get("/", authorization=f"Bearer {TOKEN}").text
        again = daemon.status()
    assert steady(again) == steady(status), "it did not stand still"
    same_in_json(status, told)
    compared = same_in_metrics(status, metrics) + same_on_page(status, page)
    figures(numbers_compared=compared, differing=0)
    assert compared > 100


def ready(daemon: Daemon, visitor: Visitor) -> None:
    def answers() -> bool:
        try:
            return visitor.get("/healthz").status == 200
        except OSError:
            return False

    daemon.wait_until(answers, "the dashboard answers")


def settled(daemon: Daemon) -> bool:
    status = daemon.status()
    states = {queue["name"]: queue["states"] for queue in status["queues"]}
    here, orphans = states.get("default", {}), states.get("orphans", {})
    return (
        (here.get("done"), here.get("dead"), here.get("running")) == (200, 7, 1)
        and orphans.get("ready") == 12
        and status["totals"]["outcomes"]["done"] == 200
        and sum(queue["running"] for queue in status["queues"]) == 4
    )


def kinds(status: dict[str, Any]) -> list[str]:
    return [trouble["kind"] for trouble in status["troubles"]]


def steady(value: Any) -> Any:
    """Without what flows, and without sentences, which tell it in words."""
    if isinstance(value, dict):
        if "attempt" in value:  # a job that runs
            value = {key: part for key, part in value.items() if key != "seconds"}
        sentences = {"text"} if "kind" in value else {"degraded"}
        left = value.keys() - FLOWING - sentences
        return {key: steady(part) for key, part in value.items() if key in left}
    return [steady(part) for part in value] if isinstance(value, list) else value


def same_in_json(status: dict[str, Any], told: dict[str, Any]) -> None:
    """What the command line knows besides is where it has looked."""
    shown, left = steady(status), steady(told)
    assert shown.keys() & left.keys() >= {"queues", "totals", "minute", "troubles", "paused"}
    for key in left.keys() & shown.keys():
        assert left[key] == shown[key], key


def read_metrics(visitor: Visitor) -> dict[tuple[str, Labels], float]:
    answer = visitor.get("/metrics", authorization=f"Bearer {TOKEN}")
    assert answer.status == 200
    samples: list[Sample] = [
        sample
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    ]
    return {(one.name, frozenset(one.labels.items())): one.value for one in samples}


def same_in_metrics(status: dict[str, Any], metrics: dict[tuple[str, Labels], float]) -> int:
    """How many numbers were compared."""
    expected: dict[tuple[str, Labels], float] = {}

    def expect(name: str, number: float, **labels: str) -> None:
        expected[f"qsuper_{name}", frozenset(labels.items())] = number

    for queue in status["queues"]:
        name = queue["name"]
        expect("queue_latency_seconds", queue["oldest_ready"] or 0, queue=name)
        expect("workers_wanted", queue["wanted"], queue=name)
        expect("queue_paused", queue["paused"], queue=name)
        for state, count in queue["states"].items():
            expect("jobs", count, queue=name, state=state)
        if queue["wanted"]:
            expect("workers", queue["running"], queue=name, state="RUNNING")
    totals = status["totals"]
    for task, told in totals["tasks"].items():
        for outcome, count in told["outcomes"].items():
            expect("attempts_total", count, task=task, outcome=outcome)
        expect_histogram(expect, "run_seconds", told["ran"], task=task)
    for queue_name, histogram in totals["waits"].items():
        expect_histogram(expect, "wait_seconds", histogram, queue=queue_name)
    for of, histogram in totals["lateness"].items():
        expect_histogram(expect, "timer_lateness_seconds", histogram, of=of)
    for cause, count in totals["exits"].items():
        expect("exits_total", count, cause=cause)
    for counter, name in COUNTERS.items():
        expect(f"{name}_total", totals["counters"][counter])
    for kind in set(kinds(status)):
        expect("degraded", kinds(status).count(kind), kind=kind)
    expect("paused", status["paused"])
    expect("up", 1)
    differing = {
        key: (number, metrics.get(key))
        for key, number in expected.items()
        if metrics.get(key) != number
    }
    assert differing == {}
    return len(expected)


def expect_histogram(expect: Any, name: str, histogram: dict[str, Any], **labels: str) -> None:
    below = 0
    for bound, count in zip([*histogram["bounds"], "+Inf"], histogram["counts"], strict=True):
        below += count
        expect(f"{name}_bucket", below, le=str(bound), **labels)
    expect(f"{name}_count", below, **labels)
    expect(f"{name}_sum", histogram["seconds"], **labels)


def same_on_page(status: dict[str, Any], text: str) -> int:
    """How many numbers were compared."""
    rows = {row["Queue"].removesuffix("paused"): row for row in Page(text).rows}
    compared = 0
    for queue in status["queues"]:
        row = rows[queue["name"]]
        for label, state in TILES.items():
            assert row[label] == str(queue["states"].get(state, 0)), (queue["name"], label)
            compared += 1
        assert row["Workers"] == f"{queue['running']}/{queue['wanted']}"
        compared += 1
    dead = re.search(r"<dt>Dead</dt><dd>(\d+)</dd>", text)
    assert dead
    assert int(dead[1]) == status["minute"]["outcomes"]["dead"]
    return compared + 1


def test_a_number_that_differs_would_be_seen() -> None:
    queue: dict[str, Any] = {"name": "default", "oldest_ready": None}
    queue |= {"wanted": 0, "paused": False, "running": 0, "states": {"ready": 1}}
    totals: dict[str, Any] = {"tasks": {}, "waits": {}, "lateness": {}, "exits": {}}
    totals["counters"] = dict.fromkeys(COUNTERS, 0)
    status = {
        "queues": [queue],
        "totals": totals,
        "minute": {"outcomes": {"dead": 0}},
        "troubles": [],
        "paused": False,
    }
    metrics: dict[tuple[str, Labels], float] = {
        (f"qsuper_{name}_total", frozenset()): 0 for name in COUNTERS.values()
    }
    of = frozenset({("queue", "default")})
    for name, number in (("queue_latency_seconds", 0), ("workers_wanted", 0), ("queue_paused", 0)):
        metrics[f"qsuper_{name}", of] = number
    metrics["qsuper_up", frozenset()], metrics["qsuper_paused", frozenset()] = 1, 0
    ready = ("qsuper_jobs", frozenset({("queue", "default"), ("state", "ready")}))
    assert same_in_metrics(status, metrics | {ready: 1})
    for wrong in (metrics | {ready: 2}, metrics):
        with pytest.raises(AssertionError):
            same_in_metrics(status, wrong)
    page = (
        '<td data-label="Queue">default</td><td data-label="Ready">{}</td>'
        '<td data-label="Running">0</td><td data-label="Dead">0</td>'
        '<td data-label="Workers">0/0</td><dt>Dead</dt><dd>0</dd>'
    )
    assert same_on_page(status, page.format(1))
    with pytest.raises(AssertionError):
        same_on_page(status, page.format(2))
    with pytest.raises(AssertionError):
        same_in_json(status, status | {"paused": True})
