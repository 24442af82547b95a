"""The trace that the code here is part of, written down for others to go on with: jobs, programs.

OpenTelemetry's library is asked only where somebody else has imported it: nothing can be current
before.
"""

import logging
import re
import sys

_NO_LETTER = re.compile(r"[^A-Z0-9_]")

log = logging.getLogger("qsuper.tracing")


def headers() -> dict[str, str]:
    """By which a new job is of the trace that is current here (`traceparent`, `tracestate`, as the
    propagators are set); empty without one."""
    if sys.modules.get("opentelemetry.trace") is None:
        return {}
    found: dict[str, str] = {}
    try:
        from opentelemetry import propagate

        propagate.inject(found)
    except Exception:
        log.warning("a trace ends here: its context cannot be written", exc_info=True)
        return {}
    return found


def variables() -> dict[str, str]:
    """The same as variables of a program's environment: `TRACEPARENT`, `TRACESTATE`."""
    return {_NO_LETTER.sub("_", name.upper()): value for name, value in headers().items()}
