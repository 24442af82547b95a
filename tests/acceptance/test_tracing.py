"""Traces through a real daemon: from a client's span to the spans of its jobs, on each engine."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from qsuper import Queue
from qsuper.states import FINISHED, State
from tests.acceptance.daemon import TOP, Daemon
from tests.acceptance.rows import Rows

PARENT = f"00-{'a1' * 16}-{'b2' * 8}-01"
TELL = ["sh", "-c", 'echo "${TRACEPARENT-none}" > told.$QSUPER_JOB_ID']


@pytest.fixture
def client(rows: Rows) -> Iterator[Queue]:
    queue = Queue(rows.url)
    yield queue
    queue.close()


def configure(daemon: Daemon, app: str) -> None:
    daemon.write_config(
        app=app,
        job={"max_attempts": 2, "backoff": {"base": 0.01, "cap": 0.01}},
        tasks={"tell": {"program": TELL}, "hang": {"timeout": 0.2}},
    )


def wait_for_ends(daemon: Daemon, rows: Rows, count: int) -> None:
    def ended() -> bool:
        states = [row[0] for row in rows.run("SELECT status FROM queue")]
        return len(states) == count and set(states) <= {int(state) for state in FINISHED}

    daemon.wait_until(ended, f"{count} jobs end")


def spans_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_clients_span_and_those_of_its_jobs_are_one_trace(
    daemon: Daemon, rows: Rows, client: Queue
) -> None:
    configure(daemon, "tests.acceptance.traced_app:queue")
    daemon.start()
    with TracerProvider().get_tracer("web").start_as_current_span("checkout") as span:
        checkout = span.get_span_context()
        order, tell = client.add("order"), client.add("tell")
        hang = client.timer("patience:1", 0, "hang")
        client.add_many("ship", [{}, {}])
    client.add("ship")
    wait_for_ends(daemon, rows, 7)
    assert daemon.stop() == 0
    assert [job.state for job in (order, tell, hang)] == [State.DONE, State.DONE, State.DEAD]

    trace, root = f"0x{checkout.trace_id:032x}", f"0x{checkout.span_id:016x}"
    spans = spans_of(daemon.folder / "spans")
    jobs = {(span["name"], span["attributes"].get("qsuper.attempt")): span for span in spans}
    ours = [span for span in spans if span["context"]["trace_id"] == trace]
    children = sorted(span["name"] for span in ours if span["parent_id"] == root)
    names = ["hang", "hang", "order", "ship", "ship", "tell"]
    assert children == [f"run {name}" for name in names]
    (pay,) = [span for span in ours if span["name"] == "pay"]
    assert pay["parent_id"] == jobs["run order", 1]["context"]["span_id"]
    passed_on = [span["name"] for span in ours if span["parent_id"] == pay["context"]["span_id"]]
    assert passed_on == ["run ship"]
    (alone,) = [span for span in spans if span["context"]["trace_id"] != trace]
    assert (alone["name"], alone["parent_id"]) == ("run ship", None)

    outcomes = {
        attempt: jobs["run hang", attempt]["attributes"]["qsuper.outcome"] for attempt in (1, 2)
    }
    assert outcomes == {1: "failed", 2: "dead"}
    assert jobs["run hang", 2]["status"]["status_code"] == "ERROR"
    program = jobs["run tell", 1]["context"]["span_id"]
    told = (daemon.folder / f"told.{tell.id}").read_text()
    assert told.startswith(f"00-{trace[2:]}-{program[2:]}-")


@pytest.mark.parametrize("library", ["imported", "only installed", "not installed"])
def test_a_row_that_names_a_trace_is_run_and_its_program_told_where_the_library_is_made_use_of(
    daemon: Daemon, rows: Rows, library: str
) -> None:
    """The row is as any program may write it."""
    imports = "import opentelemetry.trace\n" if library == "imported" else ""
    (daemon.folder / "knowing.py").write_text(
        f"{imports}from tests.acceptance.app import queue as queue\n"
    )
    configure(daemon, "knowing:queue")
    if library == "not installed":
        hiding = daemon.folder / "hiding"
        hiding.mkdir()
        (hiding / "opentelemetry.py").write_text("raise ImportError")
        daemon.environ["PYTHONPATH"] = os.pathsep.join([str(hiding), str(TOP)])
    daemon.start()
    rows.add([(1, "tell", None)], headers=json.dumps({"traceparent": PARENT}))
    rows.add([(2, "tell", None), (3, "take_nothing", None)])
    wait_for_ends(daemon, rows, 3)
    told = [(daemon.folder / f"told.{number}").read_text().strip() for number in (1, 2)]
    assert told == [PARENT if library == "imported" else "none", "none"]
    assert "trace" not in daemon.log()
