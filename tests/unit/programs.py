"""One job of a program in this process: no worker, no database."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from qsuper.config import ProgramConfig
from qsuper.job import Job, Outcome
from qsuper.tasks.current import CurrentJob
from qsuper.tasks.program import Program
from qsuper.tasks.registry import Task
from qsuper.tasks.run import run


@dataclass
class Notes:
    """A desk that only notes."""

    progressed: list[tuple[float, str]] = field(default_factory=list)
    saved: str | None = None

    def progress(self, job: Job, fraction: float, text: str) -> None:
        self.progressed.append((fraction, text))

    def load_state(self, job: Job) -> str | None:
        return self.saved

    def save_state(self, job: Job, text: str) -> None:
        self.saved = text


@dataclass
class Bench:
    """Runs programs in a folder of its own."""

    folder: Path
    notes: Notes = field(default_factory=Notes)

    def run(
        self,
        *argv: str,
        param: Any = None,
        claims: int = 1,
        deadline: float | None = None,
        cwd: Path | None = None,
        way: Literal["argument", "stdin"] = "argument",
        **settings: Any,
    ) -> Outcome:
        program = Program(argv, str(cwd or self.folder), ProgramConfig(param=way, **settings))
        task = Task("the.task", program.takes, program=program)
        job = Job(7, task.name, param, 2, None, None, claims)
        return run(task, job, CurrentJob(job, "default", self.notes, deadline))

    def shell(self, script: str, **options: Any) -> Outcome:
        """A script of sh; the param is its `$1`."""
        return self.run("sh", "-c", script, "script", **options)

    def written(self, name: str = "out") -> str:
        """What the program has written into a file."""
        return (self.folder / name).read_bytes().decode()
