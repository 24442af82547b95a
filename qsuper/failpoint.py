"""Failpoints: named moments of a job's life at which a test lets the worst happen.

`QSUPER_FAILPOINT=claimed:kill` kills the process at that moment. Inert unless set. Actions: `kill`
(SIGKILL), `stop` (SIGSTOP), `cut` (the connection is lost, the outcome unknown), and any of them
with `@FILE`: once in the life of that file, which is made at the moment.
"""

import os
import signal
from collections.abc import Callable

from qsuper.errors import OutcomeUnknown, QsuperError

POINTS = (
    "candidates-read",
    "claim-sent",
    "claimed",
    "in-code",
    "code-returned",
    "ack-sent",
    "give-back-sent",
    "before-end",
    "before-commit",
    "committed",
)
ACTIONS = ("kill", "stop", "cut")


class ConnectionCut(OutcomeUnknown):
    """The failpoint cut the connection; nobody knows what became of the statement."""


def _inert(_name: str) -> None:
    return None


def _armed(setting: str) -> Callable[[str], None]:
    point, _, rest = setting.partition(":")
    action, _, marker = rest.partition("@")
    if point not in POINTS or action not in ACTIONS:
        # A slip of the pen would let a test pass that tested nothing.
        raise QsuperError(
            f"QSUPER_FAILPOINT={setting!r} is none: write POINT:ACTION with one of"
            f" {', '.join(POINTS)} and one of {', '.join(ACTIONS)}"
        )

    def reached(name: str) -> None:
        if name != point:
            return
        if marker:
            try:
                os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                return
        if action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif action == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        elif action == "cut":
            raise ConnectionCut

    return reached


_SETTING = os.environ.get("QSUPER_FAILPOINT", "")
failpoint: Callable[[str], None] = _armed(_SETTING) if _SETTING else _inert
