"""The child that serves the dashboard: pages, JSON, events, metrics and health."""

import logging
import os
import signal

from qsuper.exits import Exit
from qsuper.place import Place

NICE = 5
"""How much more willing than the workers it is to wait for a processor."""

log = logging.getLogger("qsuper.web")


def serve(place: Place) -> int:
    """The `main` of its `Kind`: serve until ordered to stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # Whoever asks much of the dashboard shall not take the processors from the workers.
    os.nice(NICE)
    try:
        from qsuper.roles.web.building import build
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("qsuper"):
            raise
        return _give_up(place, "the dashboard needs more: pip install 'qsuper[web]'")
    from qsuper.errors import QsuperError
    from qsuper.roles.web.serving.listening import listen

    try:
        server = build(place)
        listener = listen(place)
    except QsuperError as error:
        return _give_up(place, str(error))
    log.info("the dashboard is at http://%s/", place.config.web.listen)
    return server.serve_at(listener)


def _give_up(place: Place, trouble: str) -> Exit:
    log.error("%s", trouble)
    place.record.complain(trouble)
    return Exit.CANNOT_BOOT
