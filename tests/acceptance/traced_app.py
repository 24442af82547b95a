"""An application that sets up OpenTelemetry as one does; its spans go into the file `spans`."""

import json
from pathlib import Path

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter

from qsuper import Queue

NEVER = 3_600_000
"""Milliseconds between two exports: what is in the file was sent when its worker left."""

queue = Queue()


def line(span: ReadableSpan) -> str:
    return json.dumps(json.loads(span.to_json())) + "\n"


def set_up() -> None:
    provider = TracerProvider()
    out = Path("spans").open("a")  # noqa: SIM115 - open while the process lives
    exporter = ConsoleSpanExporter(out=out, formatter=line)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=NEVER))
    trace.set_tracer_provider(provider)


set_up()
tracer = trace.get_tracer("shop")


@queue.task
def order() -> None:
    """Passes a part of the work on."""
    with tracer.start_as_current_span("pay"):
        queue.add("ship")


@queue.task
def ship() -> None: ...


@queue.task
def hang() -> None:
    """Until its time is over."""
    while True:
        pass
