"""What a program is, and all that one job of it is started with."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qsuper.config import ProgramConfig
from qsuper.errors import ParamError, QsuperError
from qsuper.job import Job
from qsuper.tasks.codecs import text_of
from qsuper.tasks.current import CurrentJob

ARGUMENT_BYTES_MOST = 128 * 1024 - 1
"""What Linux takes as one argument, or as one variable of the environment."""
OWN = "QSUPER_"
"""How qsuper's own variables begin: the password of its database may be among them."""
RUN_TAG = "QSUPER_RUN"
"""The variable by which a master finds what an earlier one's programs have left."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program and how it is run. Never a shell, unless it is named in `argv`."""

    argv: tuple[str, ...]
    """What it is and its first arguments; a path with a slash is looked up from `cwd`."""
    cwd: str
    settings: ProgramConfig

    def takes(self, *positional: Any, **named: Any) -> None:
        """What it can be called with: anything that can be written. It judges for itself."""

    def locate(self, environ: Mapping[str, str]) -> str:
        """The file that is to run under this environment; raises `QsuperError` when there is none
        that could."""
        name = self.argv[0]
        if not is_there(Path(self.cwd).is_dir) or not os.access(self.cwd, os.X_OK):
            raise QsuperError(
                f"{self.cwd} is no folder that this user may enter; mend that, or name another cwd"
            )
        if os.sep not in name:
            folders = environ.get("PATH", os.defpath)
            found = shutil.which(name, path=folders)
            if found is None:
                raise QsuperError(f"{name} is in no folder of PATH ({folders}); install it")
            return str(Path(found).absolute())
        file = Path(self.cwd, name)
        if not is_there(file.is_file):
            raise QsuperError(f"{file} is no file; put the program there, or name another")
        if not os.access(file, os.X_OK):
            raise QsuperError(f"{file} may not be run by this user; chmod +x it")
        return str(file)

    def environment(self, daemon: Mapping[str, str]) -> dict[str, str]:
        """What it gets of the daemon's environment, and what is set for it."""
        environ: dict[str, str] = {}
        for entry in self.settings.env:
            name, equals, value = entry.partition("=")
            if equals:
                environ[name] = value
            else:
                environ |= _matching(name, daemon)
        if RUN_TAG in daemon:
            environ[RUN_TAG] = daemon[RUN_TAG]
        return environ

    def arguments(self, job: Job) -> tuple[str, ...]:
        """All of them; raises `ParamError` for a param that none can be."""
        if self.settings.param == "stdin" or job.param is None:
            return self.argv
        text = text_of(job.param)
        if "\0" in text:
            raise ParamError('a NUL in the param: no argument can hold one; take param = "stdin"')
        if len(text.encode()) > ARGUMENT_BYTES_MOST:
            raise ParamError(
                f"the param is larger than {ARGUMENT_BYTES_MOST} bytes, which no argument may be;"
                ' take param = "stdin"'
            )
        return (*self.argv, text)

    def standard_input(self, job: Job) -> bytes:
        """What it can read there; raises `ParamError` for a param that is no text."""
        if self.settings.param == "argument" or job.param is None:
            return b""
        return text_of(job.param).encode()


def about(job: Job, current: CurrentJob) -> Iterator[tuple[str, str]]:
    """The variables by which a program knows which job it is."""
    yield f"{OWN}JOB_ID", str(job.id)
    yield f"{OWN}ATTEMPT", str(job.attempt)
    yield f"{OWN}TASK", job.task
    yield f"{OWN}DEADLINE", "" if current.deadline is None else str(int(current.deadline))


def is_there(look: Callable[[], bool]) -> bool:
    """The answer of `Path.is_file` or its like; False where this user may not look."""
    try:
        return look()
    except OSError:
        return False


def _matching(name: str, daemon: Mapping[str, str]) -> dict[str, str]:
    if not name.endswith("*"):
        return {name: daemon[name]} if name in daemon else {}
    begins = name[:-1]
    return {
        one: value
        for one, value in daemon.items()
        if one.startswith(begins) and not one.startswith(OWN)
    }
