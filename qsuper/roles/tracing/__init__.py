"""Traces of OpenTelemetry, where its library is installed."""

import logging
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qsuper.roles.tracing.tracing import Tracing

log = logging.getLogger("qsuper.tracing")


def found(queue: str, app: str | None) -> "Tracing | None":
    """What traces the jobs of a worker of this queue; None where the library is not installed, or
    cannot be loaded, or where an application that is imported by now makes no use of it: it would
    take each worker 2 MB and a statement a batch for nothing."""
    if app is not None and "opentelemetry.trace" not in sys.modules:
        return None
    try:
        from qsuper.roles.tracing.tracing import Tracing

        return Tracing(queue)
    except ImportError:
        return None
    except Exception:
        # It judges its environment: OTEL_PROPAGATORS, for one, may name what is not installed.
        log.warning("jobs are not traced: OpenTelemetry cannot be loaded", exc_info=True)
        return None
