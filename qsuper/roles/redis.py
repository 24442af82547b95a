"""The embedded Redis: this child becomes the server, and the master looks after it as after any."""

import logging
import os
import signal
from contextlib import suppress
from pathlib import Path

from qsuper.errors import RedisError
from qsuper.exits import Exit
from qsuper.kinship import die_with_parent
from qsuper.place import Place
from qsuper.redis.address import socket_path

log = logging.getLogger("qsuper.redis")


def serve(place: Place) -> int:
    """The `main` of its `Kind`; returns only when there can be no server."""
    # Here, not above: the master would hold redis-py for nothing where this child is not wanted.
    from qsuper.redis.program import command, data_folder, find_program

    config = place.config
    try:
        program, version = find_program()
        words = command(program, config)
        data_folder(config).mkdir(mode=0o700, exist_ok=True)
        _keep_open(Path(config.state_dir) / "run.lock")
        _prepare_signals()
        log.info("%s is started on %s: %s", version, socket_path(config), program)
        place.record.describe(phase="idle")
        os.execv(program, words)
    except RedisError as error:
        trouble = str(error)
    except OSError as error:
        trouble = f"the embedded Redis cannot be started: {error}"
    log.error("%s", trouble)
    place.record.complain(trouble)
    return Exit.CANNOT_BOOT


def _keep_open(path: Path) -> None:
    """Leave the server the lock that every child holds: the next master waits for its end."""
    wanted = path.stat()
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # the one that lists is gone
            found = os.fstat(int(name))
            if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
                os.set_inheritable(int(name), True)


def _prepare_signals() -> None:
    """What the server begins with: only what is ignored stays so across the exec."""
    # The master passes these on to all children; they would end a server that knows no handler.
    for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    # Python ignores them for itself.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    # With its master it ends in order, instead of by the SIGQUIT of the other children.
    die_with_parent(signal.SIGTERM)
