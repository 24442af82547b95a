"""The daemon, if one runs: what it says of itself."""

from collections.abc import Iterator

from qsuper.cli.doctor.case import Case
from qsuper.cli.doctor.finding import Finding, bad, ok, warn
from qsuper.states import ChildState


def daemon(case: Case) -> Iterator[Finding]:
    picture = case.picture
    if picture is None:
        # Whether one is missed says the subject of the crontab.
        yield ok("none runs here")
        return
    fatal = [child for child in picture.children if child.state == ChildState.FATAL]
    for child in fatal:
        yield bad(
            f"{child.name} is FATAL: {child.last_exit or 'it could not start'}",
            f"mend that (`qsuper logs`), then `qsuper restart {child.name}`",
        )
    for sentence in picture.degraded:
        if not any(sentence.startswith(f"{child.name} is FATAL") for child in fatal):
            yield warn(sentence)
    if not picture.degraded:
        yield ok(f"pid {picture.pid} runs, nothing is degraded")
