"""What Prometheus is told of a picture; and that rules and dashboard ask for nothing else."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from qsuper.picture import Histogram, Picture, TaskTotals, Totals, take
from qsuper.roles.web.metrics import METRICS, render
from qsuper.roles.web.numbers import MOST
from qsuper.scoreboard import OUTCOMES, clock
from qsuper.scoreboard.meter import OTHERS
from tests.unit.cli import Node

CONF = Path(__file__).parents[2] / "conf"
NAME = re.compile(r"\bqsuper_[a-z0-9_]+")
LABELLED = re.compile(r"(qsuper_[a-z0-9_]+)\{([^}]*)\}")
BY = re.compile(r"\bby \(([^)]*)\)")
UNITS = ("_seconds", "_bytes", "_total", "_info")
COUNTED = Totals(
    outcomes=dict.fromkeys(OUTCOMES, 2),
    tasks={"send_msg": TaskTotals(dict.fromkeys(OUTCOMES, 2), Histogram((1.0,), (3, 1), 7.5))},
    waits={"default": Histogram((0.5, 1.0), (4, 0, 2), 9.0)},
    lateness={"timers": Histogram((0.5,), (1, 1), 2.0)},
    exits={"killed by SIGKILL": 2},
)


@pytest.fixture
def picture(tmp_path: Path) -> Picture:
    """Two workers, one of them FATAL, and some jobs."""
    node = Node(tmp_path / "var")
    node.queue("default", wanted=2)
    node.child("default[0]", 0)
    node.child("default[1]", 0, state="FATAL")
    node.child("scheduler")
    node.post(messages=["the disk is full"])
    node.count({"queue": "default", "states": {"ready": 3, "dead": 1}, "oldest_ready": 12.5})
    taken = take(tmp_path / "var", now=clock(), unix=time.time())
    return replace(taken, totals=COUNTED)


def samples(picture: Picture) -> list[Sample]:
    families = text_string_to_metric_families(render(picture)[0].decode())
    return [sample for family in families for sample in family.samples]


def value(picture: Picture, name: str, **labels: str) -> float:
    (found,) = [one for one in samples(picture) if (one.name, one.labels) == (name, labels)]
    return found.value


def test_the_first_thing_told_is_how_long_jobs_wait(picture: Picture) -> None:
    text, content_type = render(picture)
    assert text.startswith(b"# HELP qsuper_queue_latency_seconds ")
    assert content_type.startswith("text/plain; version=")
    assert value(picture, "qsuper_queue_latency_seconds", queue="default") == 12.5


def test_every_metric_of_the_table_is_told_with_its_labels(picture: Picture) -> None:
    told = {one.name: one for one in text_string_to_metric_families(render(picture)[0].decode())}
    assert [metric.name.removesuffix("_total") for metric in METRICS] == list(told)
    for metric in METRICS:
        family = told[metric.name.removesuffix("_total")]
        assert (family.type, family.documentation) == (metric.kind, metric.help)
        assert family.samples, f"{metric.name} has no sample"
        for sample in family.samples:
            assert sample.labels.keys() - {"le"} == set(metric.labels)


def test_names_and_helps_follow_the_rules() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    for metric in METRICS:
        assert re.fullmatch(r"qsuper(_[a-z]+)+", metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert metric.kind != "histogram" or metric.name.endswith("_seconds")
        assert not metric.name.endswith(("_count", "_sum", "_bucket"))
        assert not re.search(r"_(milli|micro|kilo|mega|minutes|hours|days|ms|mb|kb)", metric.name)
        named_units = [unit for unit in UNITS if f"{unit}_" in f"{metric.name}_"]
        assert all(metric.name.endswith(unit) for unit in named_units), "the unit stands last"
        assert metric.help.endswith(".") or metric.name.endswith("_info")
        assert "\n" not in metric.help


def test_numbers_are_those_of_the_picture(picture: Picture) -> None:
    assert value(picture, "qsuper_jobs", queue="default", state="ready") == 3
    assert value(picture, "qsuper_workers", queue="default", state="RUNNING") == 1
    assert value(picture, "qsuper_workers", queue="default", state="FATAL") == 1
    assert value(picture, "qsuper_workers", queue="default", state="BACKOFF") == 0
    assert value(picture, "qsuper_workers_wanted", queue="default") == 2
    assert value(picture, "qsuper_attempts_total", task="send_msg", outcome="dead") == 2
    assert value(picture, "qsuper_exits_total", cause="killed by SIGKILL") == 2
    assert value(picture, "qsuper_degraded", kind="message") == 1
    assert value(picture, "qsuper_degraded", kind="FATAL") == 1
    assert value(picture, "qsuper_up") == 1
    assert value(replace(picture, posted_ago=9.0), "qsuper_up") == 0
    assert value(picture, "qsuper_build_info", version="1.2.3", node="0123456789ab") == 1


def test_the_buckets_of_a_histogram_add_up(picture: Picture) -> None:
    bucket = "qsuper_wait_seconds_bucket"
    counts = [value(picture, bucket, queue="default", le=le) for le in ("0.5", "1.0", "+Inf")]
    assert counts == [4, 4, 6]
    assert value(picture, "qsuper_wait_seconds_count", queue="default") == 6
    assert value(picture, "qsuper_wait_seconds_sum", queue="default") == 9


def test_what_was_never_counted_is_not_told_as_nothing(picture: Picture) -> None:
    (queue,) = picture.queues
    blind = replace(picture, queues=(replace(queue, states={}, oldest_ready=None),))
    assert "qsuper_queue_latency_seconds" not in {one.name for one in samples(blind)}
    idle = replace(picture, queues=(replace(queue, states={"ready": 0}, oldest_ready=None),))
    assert value(idle, "qsuper_queue_latency_seconds", queue="default") == 0


def test_names_that_others_make_up_are_bounded_and_nothing_of_them_is_lost(
    picture: Picture,
) -> None:
    (queue,) = picture.queues
    many = 5 * MOST
    queues = [replace(queue, name=f"q{n}", oldest_ready=float(n)) for n in range(many)]
    task = COUNTED.tasks["send_msg"]
    tasks = {f"t{n:04}": task for n in range(many)} | {OTHERS: task}
    grown = replace(picture, queues=tuple(queues), totals=replace(COUNTED, tasks=tasks))
    found = samples(grown)
    for name, label in (("qsuper_queue_latency_seconds", "queue"), ("qsuper_run_seconds", "task")):
        labels = {one.labels[label] for one in found if one.name.startswith(name)}
        assert len(labels) == MOST
        assert OTHERS in labels
    assert value(grown, "qsuper_queue_latency_seconds", queue=OTHERS) == many - 1
    assert value(grown, "qsuper_queue_latency_seconds", queue="q7") == 7
    ready = [one for one in found if one.name == "qsuper_jobs" and one.labels["state"] == "ready"]
    assert sum(one.value for one in ready) == 3 * many
    dead = [one for one in found if one.labels.get("outcome") == "dead"]
    assert sum(one.value for one in dead) == 2 * (many + 1)


def test_hostile_names_stay_within_their_quotes(picture: Picture) -> None:
    hostile = 'a"} 1\nqsuper_up 0 \\'
    tasks = {hostile: COUNTED.tasks["send_msg"]}
    grown = replace(picture, totals=replace(COUNTED, tasks=tasks))
    assert value(grown, "qsuper_up") == 1
    assert value(grown, "qsuper_attempts_total", task=hostile, outcome="done") == 2


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    read = yaml.safe_load((CONF / "prometheus-alerts.yml").read_text())
    return [rule for group in read["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def dashboard() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((CONF / "grafana-dashboard.json").read_text())
    return read


def queries(dashboard: dict[str, Any]) -> Iterator[str]:
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["query"]


def unknown(expression: str) -> list[str]:
    """What an expression asks for that no metric of ours has."""
    series: dict[str, set[str]] = {}
    for metric in METRICS:
        histogram = metric.kind == "histogram"
        for end in ("_bucket", "_sum", "_count") if histogram else ("",):
            more = {"le"} if end == "_bucket" else set()
            series[metric.name + end] = {*metric.labels, *more, "job", "instance"}
    wrong = [name for name in NAME.findall(expression) if name not in series]
    for name, matchers in LABELLED.findall(expression):
        asked = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))
        wrong += sorted(asked - series.get(name, asked))
    known: set[str] = set().union(
        *(series[name] for name in NAME.findall(expression) if name in series)
    )
    for labels in BY.findall(expression):
        wrong += sorted({label.strip() for label in labels.split(",")} - known)
    return wrong


def test_alert_rules_ask_only_for_metrics_that_exist(rules: list[dict[str, Any]]) -> None:
    assert len(rules) >= 8
    for rule in rules:
        assert not unknown(rule["expr"]), rule["alert"]
        assert NAME.search(rule["expr"]), rule["alert"]
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_the_dashboard_asks_only_for_metrics_that_exist(dashboard: dict[str, Any]) -> None:
    asked = list(queries(dashboard))
    assert len(asked) >= 10
    for expression in asked:
        assert not unknown(expression), expression
    shown = set(NAME.findall(" ".join(asked)))
    assert "qsuper_queue_latency_seconds" in NAME.findall(asked[0]), "it comes first"
    assert {"qsuper_jobs", "qsuper_attempts_total", "qsuper_workers"} <= shown


@pytest.mark.parametrize(
    "expression",
    [
        "rate(qsuper_nonsense_total[5m])",
        'qsuper_jobs{colour="red"}',
        "sum by (colour) (qsuper_jobs)",
        "qsuper_wait_seconds",
    ],
)
def test_what_does_not_exist_would_be_found(expression: str) -> None:
    assert unknown(expression)
