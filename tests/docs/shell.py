"""A shell session as a reader has it: one bash for all blocks of a page."""

import os
import re
import secrets
import selectors
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.docs.matching import matches
from tests.servers.program import find_program

PATIENCE = 120.0
"""Seconds for one command, or until what it looks for is there."""
LOOK_EVERY = 0.3

# What only looks: a reader looks again, and more slowly than a test does.
_LOOKS = re.compile(
    r"(?:qsuper (?:status|jobs|show|why|timers|check|doctor|logs|cron list)\b|"
    r"supervisorctl .*status|curl |cat |grep |ls |tail |sqlite3 |redis-cli .*(?:GET|PTTL|PING))"
)


@dataclass(frozen=True, slots=True)
class Command:
    """What is typed, and what the page says is printed."""

    text: str
    expected: str

    @property
    def looks(self) -> bool:
        return _LOOKS.match(self.text) is not None


def commands(text: str) -> Iterator[Command]:
    """The commands of a console block: `$ ` begins one, `> ` goes on with it, as bash shows it."""
    typed: list[str] = []
    printed: list[str] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            if typed:
                yield Command("\n".join(typed), "\n".join(printed))
            typed, printed = [line[2:]], []
        elif not typed:
            raise ValueError(f"a console block begins with a command, `$ …`, not with {line!r}")
        elif not printed and (line.startswith("> ") or line == ">"):
            typed.append(line[2:])
        else:
            printed.append(line)
    if not typed:
        raise ValueError("a console block without a command")
    yield Command("\n".join(typed), "\n".join(printed))


class Shell:
    """One bash, which keeps its folder, its variables and its jobs from command to command."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._file = Path(environ["TMPDIR"]) / "typed.sh"
        self._bash = subprocess.Popen(
            [find_program("setpriv"), "--pdeathsig", "KILL", "--", "bash", "--norc", "--noprofile"],
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._left = 0
        """Exit code of the command before, for `echo $?`."""

    def run(self, block: str) -> None:
        """Type a console block; AssertionError where something else is printed, or a command fails
        whose `$?` is not asked for next."""
        typed = list(commands(block))
        for command, after in zip(typed, [*typed[1:], None], strict=True):
            may_fail = after is not None and after.text == "echo $?"
            self._run(command, may_fail=may_fail)

    def _run(self, command: Command, *, may_fail: bool) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            printed, code = self.type(command.text)
            good = (code == 0 or may_fail) and matches(command.expected, printed)
            if good or not command.looks or time.monotonic() > deadline:
                break
            time.sleep(LOOK_EVERY)
        assert code == 0 or may_fail, f"$ {command.text}\n{printed}ended with exit code {code}"
        assert good, (
            f"$ {command.text}\nshould print\n{command.expected}\nand has printed\n{printed}"
        )
        self._left = code

    def type(self, text: str) -> tuple[str, int]:
        """Run something; what it has printed, and its exit code."""
        end = secrets.token_hex(8)
        self._file.write_text(text + "\n")
        assert self._bash.stdin is not None
        self._bash.stdin.write(
            f"(exit {self._left}); . {self._file} </dev/null; echo {end} $?\n".encode()
        )
        self._bash.stdin.flush()
        return self._read_until(re.compile(rf"{end} (\d+)\n".encode()), text)

    def _read_until(self, end: re.Pattern[bytes], text: str) -> tuple[str, int]:
        assert self._bash.stdout is not None
        deadline = time.monotonic() + PATIENCE
        printed = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._bash.stdout, selectors.EVENT_READ)
            while not (found := end.search(printed)):
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                more = os.read(self._bash.stdout.fileno(), 65536) if ready else b""
                shown = printed.decode(errors="replace")
                assert ready, f"$ {text}\nhas not ended within {PATIENCE:g} s:\n{shown}"
                assert more, f"$ {text}\nhas ended the shell:\n{shown}"
                printed += more
        return printed[: found.start()].decode(errors="replace"), int(found[1])

    def close(self) -> None:
        """End it; what it has left running is the place's to end."""
        self._bash.kill()
        self._bash.wait()
        for stream in (self._bash.stdin, self._bash.stdout):
            if stream is not None:
                stream.close()
