"""Tasks that are paths of scripts in one folder: what `taskphp` was. A row names a file there,
never what runs it, and never a file elsewhere."""

import os
from pathlib import Path

from qsuper.config import BackoffConfig, ScriptsConfig
from qsuper.tasks.codecs import CODECS
from qsuper.tasks.program import Program, is_there
from qsuper.tasks.registry import Task


class Scripts:
    """Looked up each time: what a deploy adds, or takes away, counts at once."""

    def __init__(self, folder: str, settings: ScriptsConfig, backoff: BackoffConfig) -> None:
        self._folder = folder
        self._settings = settings
        self._backoff = backoff

    def find(self, name: str) -> Task | None:
        """The task of this name; None when it names no script that may run."""
        end = Path(name).suffix
        interpreter = self._settings.interpreters.get(end)
        if interpreter is None or not _is_plain(name):
            return None
        folder = os.path.realpath(self._folder)
        script = Path(os.path.realpath(f"{folder}/{name}"))
        # What a link leads to counts: where it is, and by what it would have to be run.
        if (
            not script.is_relative_to(folder)
            or script.suffix != end
            or not is_there(script.is_file)
        ):
            return None
        program = Program((*interpreter, str(script)), self._folder, self._settings)
        codec = CODECS[self._settings.codec]
        return Task(name, program.takes, codec=codec, backoff=self._backoff, program=program)


def _is_plain(name: str) -> bool:
    """Whether it is a path that can be written in this way only: each script is one task."""
    return name.isprintable() and not {"", ".", ".."} & set(name.split("/"))
