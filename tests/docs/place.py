"""Where one page is run: a folder, an environment, servers, and an end for all it has started."""

import json
import os
import secrets
import selectors
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil

from tests.docs import wheel
from tests.docs.shell import PATIENCE, Shell
from tests.servers.program import find_program

TOP = Path(__file__).parents[2]
SHOP = "/srv/shop"
"""What the pages call the folder they work in."""
INTERPRETER = str(TOP / "tests" / "docs" / "interpreter.py")
TAG = "QSUPER_DOCS_PAGE"


class Place:
    """A page's own folder and processes."""

    def __init__(self, servers: Callable[[str], str]) -> None:
        """`servers` starts what a text names (`127.0.0.1:3306`), and answers with its port."""
        self._temporary = tempfile.TemporaryDirectory(prefix="qsuper-docs-", dir="/tmp")
        top = Path(self._temporary.name)
        self.folder = top / "shop"
        self.folder.mkdir()
        (top / "tmp").mkdir()
        self._tag = secrets.token_hex(8)
        self._servers = servers
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("QSUPER_", "PYTEST_", "COVERAGE"))
        }
        kept.pop("VIRTUAL_ENV", None)
        self.environ = kept | {
            "PATH": f"{Path(sys.executable).parent}:{kept['PATH']}",
            "HOME": str(top),
            "TMPDIR": str(top / "tmp"),
            "COLUMNS": "100",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "NO_COLOR": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            TAG: self._tag,
        }
        self.default_url = f"sqlite:///{self.folder}/var/qsuper.db"
        """The database of SQL blocks where the page has no configuration that names one."""
        self._python: subprocess.Popen[str] | None = None

    def here(self, text: str) -> str:
        """The text of a page with this place's folder and ports in the place of the page's."""
        text = text.replace(SHOP, str(self.folder))
        for address, shapes in STANDARD.items():
            for shape in shapes:
                if shape in text:
                    port = address.rpartition(":")[2]
                    text = text.replace(shape, shape.replace(port, self._servers(address)))
        return text

    def offer_wheel(self) -> None:
        """Have `pip install qsuper` install this tree; to be called before anything runs here."""
        self.environ |= wheel.offer(self.folder.parent)

    @cached_property
    def shell(self) -> Shell:
        return Shell(self.folder, self.environ)

    def python(self, **block: Any) -> None:
        """Run a block in the page's interpreter; AssertionError with its traceback."""
        if self._python is None:
            self._python = subprocess.Popen(
                [find_program("setpriv"), "--pdeathsig", "KILL", "--", sys.executable, INTERPRETER],
                cwd=self.folder,
                env=self.environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._python.stdin is not None
        assert self._python.stdout is not None
        self._python.stdin.write(json.dumps(block) + "\n")
        self._python.stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(self._python.stdout, selectors.EVENT_READ)
            assert selector.select(PATIENCE), f"has not ended within {PATIENCE:g} s"
        line = self._python.stdout.readline()
        assert line, "has ended the interpreter"
        error = json.loads(line)["error"]
        assert error is None, f"\n{error}"

    def run(self, *words: str, **more: Any) -> "subprocess.CompletedProcess[str]":
        """Run a program to its end; AssertionError when it fails."""
        done = subprocess.run(
            words,
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
            **more,
        )
        assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
        return done

    def close(self) -> None:
        if "shell" in self.__dict__:
            self.shell.close()
        if self._python is not None:
            self._python.kill()
            self._python.communicate()
        self._end_all()
        self._temporary.cleanup()

    def _end_all(self) -> None:
        """Whatever carries this place's tag, what it starts meanwhile included."""
        while left := [process for process in psutil.process_iter() if self._is_ours(process)]:
            for process in left:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGKILL)
            psutil.wait_procs(left, timeout=5)

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return (
                process.environ().get(TAG) == self._tag and process.status() != psutil.STATUS_ZOMBIE
            )
        except psutil.Error:
            return False


STANDARD = {
    "127.0.0.1:3306": ("127.0.0.1:3306", "port=3306", "-P 3306"),
    "127.0.0.1:6379": ("127.0.0.1:6379", "-p 6379"),
    "127.0.0.1:8470": ("127.0.0.1:8470",),
    "127.0.0.1:8025": ("127.0.0.1:8025",),
}
"""Where a reader's servers are, and how pages write that. Only the first two are started."""
