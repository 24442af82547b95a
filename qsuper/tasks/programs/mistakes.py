"""What of the programs could not run here, told before a job of them comes."""

import os
from collections.abc import Iterator

from qsuper.config import Config
from qsuper.errors import QsuperError
from qsuper.tasks.program import Program
from qsuper.tasks.registry import Registry


def mistakes(registry: Registry, config: Config) -> Iterator[str]:
    """One line for each program that is not there, or may not be run."""
    programs = {task.name: task.program for task in registry if task.program is not None}
    scripts = config.scripts
    if scripts.dir is not None:
        for end, interpreter in scripts.interpreters.items():
            programs[f'[scripts] "{end}"'] = Program(interpreter, scripts.dir, scripts)
    for name, program in programs.items():
        try:
            program.locate(program.environment(os.environ))
        except QsuperError as error:
            yield f"{name}: {error}"
