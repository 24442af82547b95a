"""The lines of `qsuper check`, as findings."""

from collections.abc import Callable, Iterator

from qsuper.cli.check_redis import Note
from qsuper.cli.doctor.case import Case
from qsuper.cli.doctor.finding import Finding, note, ok, refused
from qsuper.config import Config
from qsuper.errors import QsuperError


def lines(judge: Callable[[Config], Iterator[str]], config: Config) -> Iterator[Finding]:
    """Those of one check; what it refuses is bad, and says what to do itself."""
    try:
        for line in judge(config):
            yield note(line) if isinstance(line, Note) else ok(line)
    except QsuperError as error:
        yield from refused(error)


def subject(judge: Callable[[Config], Iterator[str]]) -> Callable[[Case], Iterator[Finding]]:
    """A check as a subject of its own."""

    def examine(case: Case) -> Iterator[Finding]:
        yield from lines(judge, case.config)

    return examine
