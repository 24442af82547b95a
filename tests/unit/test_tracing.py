"""What a job, or a program, is told of the trace that the code here is part of."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from opentelemetry import baggage, context, propagate, trace
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState

from qsuper.client.making import Making
from qsuper.config import Config
from qsuper.job import NewJob
from qsuper.tasks import tracing
from qsuper.tasks.registry import Registry

TRACE, SPAN = 0xA1 << 120, 0xB2 << 56
PARENT = f"00-{TRACE:032x}-{SPAN:016x}-01"


class Broken(TextMapPropagator):
    """A propagator of the application's that has a mistake in it."""

    def extract(self, *_: Any, **__: Any) -> context.Context:
        raise ValueError("not today")

    def inject(self, *_: Any, **__: Any) -> None:
        raise ValueError("not today")

    @property
    def fields(self) -> set[str]:
        return set()


@pytest.fixture
def current() -> Iterator[None]:
    """A span is current."""
    state = TraceState([("vendor", "x1")])
    span = NonRecordingSpan(SpanContext(TRACE, SPAN, True, TraceFlags(1), state))
    with trace.use_span(span):
        yield


def job(**options: Any) -> NewJob:
    wanted: Any = options
    return Making(Registry(), Config()).job("send_msg", None, wanted)


@pytest.mark.usefixtures("current")
def test_a_job_names_the_span_that_is_current_where_it_is_enqueued() -> None:
    assert job().headers == {"traceparent": PARENT, "tracestate": "vendor=x1"}


@pytest.mark.usefixtures("current")
def test_what_the_caller_says_itself_goes_over_it() -> None:
    headers = job(headers={"traceparent": "mine", "source": "shop"}).headers
    assert headers == {"traceparent": "mine", "tracestate": "vendor=x1", "source": "shop"}


@pytest.mark.usefixtures("current")
def test_baggage_goes_along() -> None:
    token = context.attach(baggage.set_baggage("customer", "a b"))
    try:
        assert job().headers["baggage"] == "customer=a+b"
    finally:
        context.detach(token)


def test_a_span_of_an_sdk_is_named_as_any_other() -> None:
    with TracerProvider().get_tracer("shop").start_as_current_span("checkout") as span:
        told = span.get_span_context()
        parent = job().headers["traceparent"]
    assert parent.startswith(f"00-{told.trace_id:032x}-{told.span_id:016x}-")


def test_where_none_is_current_nothing_is_told() -> None:
    assert job().headers == {}
    assert job(headers={"source": "shop"}).headers == {"source": "shop"}
    assert tracing.variables() == {}


@pytest.mark.usefixtures("current")
@pytest.mark.parametrize("missing", [True, False], ids=["cannot be", "was not"])
def test_where_the_library_was_not_imported_it_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, missing: bool
) -> None:
    def ask(_carrier: Mapping[str, str]) -> None:
        raise AssertionError("it was asked")

    monkeypatch.setattr(propagate, "inject", ask)
    if missing:
        monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)
    else:
        monkeypatch.delitem(sys.modules, "opentelemetry.trace")
    assert job().headers == {}


@pytest.mark.usefixtures("current")
def test_a_propagator_that_fails_costs_the_context_and_not_the_job(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # The first of the two has written already when the second one fails.
    both = CompositePropagator([propagate.get_global_textmap(), Broken()])
    monkeypatch.setattr(propagate, "get_global_textmap", lambda: both)
    assert job().headers == {}
    assert "a trace ends here" in caplog.text


@pytest.mark.usefixtures("current")
def test_a_program_finds_it_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tracing.variables() == {"TRACEPARENT": PARENT, "TRACESTATE": "vendor=x1"}
    monkeypatch.setattr(tracing, "headers", lambda: {"x-b3-traceid": "1", "ünd": "2"})
    assert tracing.variables() == {"X_B3_TRACEID": "1", "_ND": "2"}
