"""The trace that a job is part of: its row's headers name it, and it is current while its code
runs. Imports OpenTelemetry's library, so that nobody may import this at a module's top."""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from opentelemetry import context, propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from qsuper.job import Buried, Failed, Job, Outcome
from qsuper.store import headers
from qsuper.store.database import Connection
from qsuper.version import VERSION

log = logging.getLogger("qsuper.tracing")

FLUSH_MOST = 2.0
"""Seconds that a worker which leaves waits for its last spans to be sent."""


class Tracing:
    """Of one worker. Where the application has set up no SDK nothing is recorded, but what a job
    enqueues or starts is still of the trace that its row names.

    Whatever the SDK does wrong is logged, and changes nothing.
    """

    def __init__(self, queue: str) -> None:
        self._queue = queue
        self._tracer = trace.get_tracer("qsuper", VERSION)
        self._headers: dict[int, str] = {}
        self._records = False

    def expect(self, connection: Connection, jobs: list[Job]) -> None:
        """The next batch: one look at its rows, for a column more in the claim would cost all."""
        self._headers = headers.read(connection, [job.id for job in jobs])
        provider = trace.get_tracer_provider()
        self._records = not isinstance(provider, trace.ProxyTracerProvider)

    @contextmanager
    def span(self, job: Job) -> Iterator[Span]:
        """While the block runs, the job's span is current. Nothing may interrupt it but what the
        block raises."""
        text = self._headers.pop(job.id, None)
        if text is None and not self._records:
            yield trace.INVALID_SPAN
            return
        parent = Context() if text is None else _context(text)
        span = self._start(job, parent)
        token = context.attach(trace.set_span_in_context(span, parent))
        try:
            yield span
        except BaseException as error:
            words = _clean(f"{type(error).__name__}: {error}")
            _guarded(lambda: span.set_status(Status(StatusCode.ERROR, words)))
            raise
        finally:
            context.detach(token)
            _guarded(span.end)

    def tell(self, span: Span, outcome: Outcome, word: str) -> None:
        """What the job has come to: `word` is how it is counted."""
        if span.is_recording():
            _guarded(lambda: _tell(span, outcome, word))

    def flush(self) -> None:
        """Send what is held back: a child's process ends without the farewell that an SDK waits
        for."""
        flush = getattr(trace.get_tracer_provider(), "force_flush", None)
        if flush is None:
            return
        # In a thread, for it takes no notice of the time-out that it is given.
        thread = threading.Thread(target=_guarded, args=(flush,), name="last spans", daemon=True)
        thread.start()
        thread.join(FLUSH_MOST)

    def _start(self, job: Job, parent: Context) -> Span:
        try:
            return self._tracer.start_span(
                f"run {job.task}",
                context=parent,
                kind=SpanKind.CONSUMER,
                attributes={
                    "messaging.system": "qsuper",
                    "messaging.operation.name": "run",
                    "messaging.operation.type": "process",
                    "messaging.destination.name": self._queue,
                    "messaging.message.id": str(job.id),
                    "qsuper.task": job.task,
                    "qsuper.attempt": job.attempt,
                },
            )
        except Exception:
            log.warning("its span could not be started", exc_info=True)
            return trace.get_current_span(parent)


def _context(text: str) -> Context:
    try:
        return propagate.extract(_carrier(text))
    except Exception:
        log.warning("the trace context in its headers cannot be read", exc_info=True)
        return Context()


def _carrier(text: str) -> dict[str, str]:
    """What of the headers may be a trace's: they are anybody's, and may be anything."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _tell(span: Span, outcome: Outcome, word: str) -> None:
    span.set_attribute("qsuper.outcome", word)
    if not isinstance(outcome, Failed | Buried):
        return
    words = _clean(outcome.error)
    span.set_status(Status(StatusCode.ERROR, words))
    if outcome.cause is None:
        return
    # Not `record_exception`: it asks the error for its words, and some have none.
    kind = type(outcome.cause)
    told = {"exception.type": f"{kind.__module__}.{kind.__qualname__}", "exception.message": words}
    if outcome.traceback is not None:
        told["exception.stacktrace"] = _clean(outcome.traceback)
    span.add_event("exception", told)


def _clean(text: str) -> str:
    """Text that can be sent: one lone surrogate, and a whole batch of spans would be refused."""
    return text.encode("utf-8", "backslashreplace").decode()


def _guarded(work: Callable[[], object]) -> None:
    try:
        work()
    except Exception:
        log.warning("a span could not be written", exc_info=True)
