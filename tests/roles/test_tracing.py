"""A job's span: whose child it is, what it tells, and that it ends and lets go whatever happens."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry import context, propagate, trace
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from qsuper import Queue
from qsuper.config import ProgramConfig
from qsuper.job import Job
from qsuper.roles.tracing import tracing
from qsuper.scoreboard import clock
from qsuper.states import State
from qsuper.tasks.ending import Aborted, Cancelling, SoftTimeout
from qsuper.tasks.program import Program
from qsuper.tasks.registry import Task
from tests.roles.bench import Bench
from tests.unit.test_tracing import PARENT, SPAN, TRACE, Broken

HEADERS = json.dumps({"traceparent": PARENT, "tracestate": "vendor=x1"})
JOBS = 16
LONG = 600.0


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> TracerProvider:
    """An SDK, as the application sets one up: for this test, where the real one is for ever."""
    provider = TracerProvider()
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    return provider


@pytest.fixture
def spans(provider: TracerProvider) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield exporter
    assert not trace.get_current_span().get_span_context().is_valid, "one was left current"


def only(spans: InMemorySpanExporter) -> ReadableSpan:
    (span,) = spans.get_finished_spans()
    return span


def parent_of(span: ReadableSpan) -> tuple[int, int] | None:
    return None if span.parent is None else (span.parent.trace_id, span.parent.span_id)


def test_a_job_runs_in_a_span_of_its_own_below_the_one_that_its_row_names(
    bench: Bench, spans: InMemorySpanExporter
) -> None:
    seen: list[int] = []

    def send_msg() -> None:
        seen.append(trace.get_current_span().get_span_context().span_id)

    bench.task(send_msg)
    (job_id,) = bench.table.add(headers=HEADERS)
    bench.worker().tick(clock())
    assert bench.table.state(job_id) == State.DONE
    span = only(spans)
    assert parent_of(span) == (TRACE, SPAN)
    assert span.context is not None
    assert span.context.trace_state.get("vendor") == "x1"
    assert [span.context.span_id] == seen
    assert (span.name, span.kind) == ("run send_msg", SpanKind.CONSUMER)
    assert span.status.status_code is StatusCode.UNSET
    assert dict(span.attributes or {}) == {
        "messaging.system": "qsuper",
        "messaging.operation.name": "run",
        "messaging.operation.type": "process",
        "messaging.destination.name": "default",
        "messaging.message.id": str(job_id),
        "qsuper.task": "send_msg",
        "qsuper.attempt": 1,
        "qsuper.outcome": "done",
    }


def test_each_job_of_a_batch_has_its_own_parent_or_none(
    bench: Bench, spans: InMemorySpanExporter
) -> None:
    bench.task(send_msg)
    bench.table.add(headers=HEADERS)
    bench.table.add()
    bench.table.add(headers=HEADERS.replace("a1", "c3", 1))
    worker = bench.worker()
    worker.pace.size = 3
    worker.tick(clock())
    parents = [parent_of(span) for span in spans.get_finished_spans()]
    assert parents == [(TRACE, SPAN), None, (0xC3 << 120, SPAN)]


def send_msg() -> None:
    """Done at once."""


def fail() -> None:
    raise ValueError("no such recipient: \udcff")


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even this")


def fail_speechless() -> None:
    raise Unspeakable


@pytest.mark.parametrize(
    ("task", "error"),
    [
        (fail, "ValueError: no such recipient: \\udcff"),
        (fail_speechless, "Unspeakable: (its message cannot be shown)"),
    ],
)
def test_a_failure_is_an_error_of_the_span_in_words_that_can_be_sent(
    sqlite_bench: Bench, spans: InMemorySpanExporter, task: Callable[[], None], error: str
) -> None:
    sqlite_bench.task(task)
    sqlite_bench.table.add(task=task.__name__, max_attempts=1)
    sqlite_bench.worker().tick(clock())
    span = only(spans)
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, error)
    assert (span.attributes or {})["qsuper.outcome"] == "dead"
    (event,) = span.events
    told = dict(event.attributes or {})
    assert (event.name, told["exception.message"]) == ("exception", error)
    assert str(told["exception.type"]).endswith(error.partition(":")[0])
    assert task.__name__ in str(told["exception.stacktrace"])
    str(told).encode()


def test_every_attempt_has_the_same_parent(bench: Bench, spans: InMemorySpanExporter) -> None:
    bench.task(fail)
    (job_id,) = bench.table.add(task="fail", headers=HEADERS, max_attempts=3)
    worker = bench.worker()
    for _ in range(3):
        bench.table.write("UPDATE queue SET status = 0, run_at = ctime WHERE id = :id", id=job_id)
        worker.tick(clock())
        worker.tick(clock())
    found = spans.get_finished_spans()
    assert [parent_of(span) for span in found] == [(TRACE, SPAN)] * 3
    told = [span.attributes or {} for span in found]
    assert [one["qsuper.attempt"] for one in told] == [1, 2, 3]
    assert [one["qsuper.outcome"] for one in told] == ["failed", "failed", "dead"]


def hear_a_time_out() -> None:
    raise SoftTimeout


def be_cancelled() -> None:
    raise Cancelling


def be_told_to_leave() -> None:
    raise Aborted


@pytest.mark.parametrize(
    ("task", "outcome"),
    [(hear_a_time_out, "failed"), (be_cancelled, "cancelled"), (be_told_to_leave, None)],
)
def test_what_ends_a_job_from_outside_ends_its_span_and_lets_go_of_its_context(
    sqlite_bench: Bench,
    spans: InMemorySpanExporter,
    task: Callable[[], None],
    outcome: str | None,
) -> None:
    def leave_a_context() -> None:
        context.attach(context.set_value("left", True))
        task()

    sqlite_bench.task(leave_a_context)
    before = context.get_current()
    runner = sqlite_bench.runner(sqlite_bench.record())
    runner._record.hold([1], [5])
    job = Job(1, "leave_a_context", None, 1, None, 0.0, 1)
    (job.id,) = sqlite_bench.table.add(task=job.task, headers=HEADERS)
    runner.expect(sqlite_bench.table.connection, [job])
    if outcome is None:
        with pytest.raises(Aborted):
            runner.run(job, runner.task(job), 0, clock(), quiet=True)
        assert only(spans).status.status_code is StatusCode.ERROR
    else:
        runner.run(job, runner.task(job), 0, clock(), quiet=True)
        assert (only(spans).attributes or {})["qsuper.outcome"] == outcome
    assert context.get_current() == before


BAD = [
    "",
    "no JSON",
    "null",
    "[]",
    "7",
    '"traceparent"',
    "[" * 60_000,
    '{"traceparent": 5, "tracestate": ["a=1"], "baggage": {}}',
    '{"traceparent": null}',
    '{"traceparent": ""}',
    '{"traceparent": "00-0-0-01"}',
    json.dumps({"traceparent": "00-" + "0" * 32 + "-" + "0" * 16 + "-01"}),
    json.dumps({"traceparent": "ff-" + "a" * 32 + "-" + "b" * 16 + "-01"}),
    json.dumps({"traceparent": "é" * 6000, "baggage": "\ud800=\0" * 900}),
]


@pytest.mark.parametrize("headers", BAD, ids=range(len(BAD)))
def test_headers_that_are_none_cost_the_parent_and_not_the_job(
    bench: Bench, spans: InMemorySpanExporter, headers: str
) -> None:
    bench.task(send_msg)
    (job_id,) = bench.table.add(headers=headers)
    bench.worker().tick(clock())
    assert bench.table.state(job_id) == State.DONE
    assert parent_of(only(spans)) is None


def test_a_bad_tracestate_costs_itself_only(bench: Bench, spans: InMemorySpanExporter) -> None:
    bench.task(send_msg)
    bench.table.add(headers=json.dumps({"traceparent": PARENT, "tracestate": "=,\0, =" * 90}))
    bench.worker().tick(clock())
    assert parent_of(only(spans)) == (TRACE, SPAN)


def test_without_an_sdk_the_trace_goes_on_to_what_the_job_enqueues_and_starts(
    bench: Bench,
) -> None:
    """The row's parent is theirs: nothing here stands between."""
    queue = Queue(bench.table.url)

    def pass_on() -> None:
        queue.add("send_msg")

    bench.task(pass_on)
    argv = ("sh", "-c", 'echo "$TRACEPARENT $TRACESTATE" > told')
    program = Program(argv, str(bench.folder), ProgramConfig())
    bench.registry.add(Task("tell", program.takes, program=program))
    ids = [bench.table.add(task=task, headers=HEADERS)[0] for task in ("pass_on", "tell")]
    worker = bench.worker()
    for _ in ids:
        worker.tick(clock())
    queue.close()
    assert [bench.table.state(one) for one in ids] == [State.DONE] * 2
    (found,) = bench.table.read("SELECT headers FROM queue WHERE task = 'send_msg'")
    assert json.loads(found[0]) == json.loads(HEADERS)
    assert (bench.folder / "told").read_text() == f"{PARENT} vendor=x1\n"


def test_a_transactional_task_is_of_the_trace_and_so_is_what_it_enqueues(
    bench: Bench, spans: InMemorySpanExporter
) -> None:
    queue = Queue(bench.table.url)

    def pass_on(connection: Any) -> None:
        queue.add("send_msg")

    bench.task(pass_on, transactional=True)
    bench.table.add(task="pass_on", headers=HEADERS)
    bench.worker().tick(clock())
    queue.close()
    told = only(spans).context
    assert told is not None
    (found,) = bench.table.read("SELECT headers FROM queue WHERE task = 'send_msg'")
    parent = json.loads(found[0])["traceparent"]
    assert parent == f"00-{TRACE:032x}-{told.span_id:016x}-01"


class Breaking(SpanProcessor):
    """An SDK with a mistake in it."""

    def on_start(self, *_: Any, **__: Any) -> None:
        raise ValueError("not at the start")

    def on_end(self, span: ReadableSpan) -> None:
        raise ValueError("not at the end")


def test_an_sdk_that_fails_costs_spans_and_not_jobs(
    sqlite_bench: Bench, provider: TracerProvider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.add_span_processor(Breaking())
    sqlite_bench.task(send_msg)
    sqlite_bench.table.add(headers=HEADERS)
    sqlite_bench.worker().tick(clock())
    assert sqlite_bench.table.states() == {State.DONE: 1}
    assert "span could not be started" in caplog.text


def test_an_sdk_that_fails_at_the_end_costs_a_span_and_not_the_job(
    sqlite_bench: Bench, provider: TracerProvider, caplog: pytest.LogCaptureFixture
) -> None:
    breaking = Breaking()
    breaking.on_start = lambda *_, **__: None  # type: ignore[method-assign]
    provider.add_span_processor(breaking)
    sqlite_bench.task(send_msg)
    sqlite_bench.table.add(headers=HEADERS)
    sqlite_bench.worker().tick(clock())
    assert sqlite_bench.table.states() == {State.DONE: 1}
    assert "a span could not be written" in caplog.text


def test_a_propagator_that_fails_costs_the_parent_and_not_the_job(
    sqlite_bench: Bench, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(propagate, "get_global_textmap", Broken)
    sqlite_bench.task(send_msg)
    sqlite_bench.table.add(headers=HEADERS)
    sqlite_bench.worker().tick(clock())
    assert sqlite_bench.table.states() == {State.DONE: 1}
    assert parent_of(only(spans)) is None


def test_without_the_library_nothing_is_read_and_nothing_changes(
    sqlite_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "qsuper.roles.tracing.tracing", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    read: list[str] = []
    sqlite_bench.task(send_msg)
    sqlite_bench.table.add(headers=HEADERS)
    worker = sqlite_bench.worker()
    worker.connection().raw.set_trace_callback(read.append)
    worker.tick(clock())
    assert sqlite_bench.table.states() == {State.DONE: 1}
    assert read
    assert not [one for one in read if "headers" in one]


def test_with_the_library_they_are_read_once_a_batch(sqlite_bench: Bench) -> None:
    """What the test above sees nothing of is there to be seen."""
    read: list[str] = []
    sqlite_bench.task(send_msg)
    sqlite_bench.table.add(JOBS)
    worker = sqlite_bench.worker()
    worker.pace.size = JOBS
    worker.connection().raw.set_trace_callback(read.append)
    worker.tick(clock())
    assert sqlite_bench.table.states() == {State.DONE: JOBS}
    assert len([one for one in read if "headers" in one]) == 1


def test_a_worker_that_leaves_waits_for_its_last_spans_but_not_for_ever(
    sqlite_bench: Bench,
    provider: TracerProvider,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked, answered = threading.Event(), threading.Event()

    def hang() -> bool:
        asked.set()
        return answered.wait()

    def refuse() -> bool:
        raise ValueError("nobody listens")

    monkeypatch.setattr(tracing, "FLUSH_MOST", 0.1)
    worker = sqlite_bench.worker()
    monkeypatch.setattr(provider, "force_flush", hang)
    worker.leave()
    assert asked.is_set()
    answered.set()
    monkeypatch.setattr(provider, "force_flush", refuse)
    monkeypatch.setattr(tracing, "FLUSH_MOST", LONG)
    worker.leave()
    assert "nobody listens" in caplog.text


def test_the_library_is_not_loaded_before_the_fork() -> None:
    code = "import qsuper.cli, qsuper.roles, sys; assert 'opentelemetry' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("variable", ["OTEL_PROPAGATORS", "OTEL_PYTHON_TRACER_PROVIDER"])
def test_a_library_that_is_set_up_wrongly_is_said_and_done_without(variable: str) -> None:
    code = "from qsuper.roles import tracing; assert tracing.found('default', None) is None"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {variable: "no-such-thing"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "jobs are not traced" in done.stderr


@pytest.mark.parametrize(
    ("imports", "app", "traced"),
    [
        ("", "shop:queue", False),
        ("", None, True),
        ("import opentelemetry.trace", "shop:queue", True),
    ],
)
def test_an_application_that_makes_no_use_of_the_library_pays_nothing_for_it(
    imports: str, app: str | None, traced: bool
) -> None:
    look = f"print(tracing.found('q', {app!r}) is not None)"
    code = f"{imports}\nfrom qsuper.roles import tracing\n{look}"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == str(traced)
