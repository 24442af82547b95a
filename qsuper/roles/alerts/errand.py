"""A process that delivers one message, with a time by which it must have ended."""

import os
import select
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from qsuper import kinship
from qsuper.config import ProgramConfig
from qsuper.errors import QsuperError
from qsuper.exits import describe
from qsuper.tasks.program import Program
from qsuper.tasks.programs import descriptors

WORDS_MOST = 300
"""Letters of what it says in the end that are kept."""
_CHUNK = 4096
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


class Errand:
    """Never waits: whoever started it asks from time to time whether it is `over`."""

    def __init__(
        self, argv: Sequence[str], cwd: str, stdin: bytes, ends_at: float, *, ours: bool = False
    ) -> None:
        """Start it; raises `QsuperError` with the reason when it cannot be. Never a shell. Of what
        is `ours` the last words say all, and its exit code nothing more."""
        settings = ProgramConfig()
        program = Program(tuple(argv), cwd, ProgramConfig(env=(*settings.env, *CERTIFICATES)))
        environ = program.environment(os.environ)
        path = program.locate(environ)
        self.ends_at = ends_at
        self._ours = ours
        self._said = b""
        given = descriptors.file_of(stdin)
        self._words, said = descriptors.pipe()
        os.set_blocking(self._words, False)
        self._silent = False
        try:
            self._process = subprocess.Popen(
                argv,
                executable=path,
                stdin=given,
                stdout=subprocess.DEVNULL,
                stderr=said,
                env=environ,
                cwd=cwd,
                process_group=0,
                # No thread runs where this is called, and no lock is held.
                preexec_fn=partial(kinship.die_with_parent, signal.SIGKILL),  # noqa: PLW1509
            )
        except OSError as error:
            os.close(self._words)
            raise QsuperError(f"{path} could not be started: {error.strerror}") from error
        finally:
            os.close(given)
            os.close(said)
        self._end = os.pidfd_open(self._process.pid)

    @property
    def descriptors(self) -> list[int]:
        """Readable when it has ended, or says something."""
        return [self._end] if self._silent else [self._end, self._words]

    def over(self, now: float) -> str | None:
        """What went wrong, or an empty text; None while it is at work. Ends it when its time is
        over; not to be called again afterwards."""
        self._listen()
        status = self._process.poll()
        if status is None and now < self.ends_at:
            return None
        if status is None:
            self.kill()
            return "it took too long and was ended"
        self._listen()
        self._close()
        if status == 0:
            return ""
        said = self._last_words()
        if self._ours and said:
            return said
        return ": ".join(filter(None, (_in_words(status), said)))

    def kill(self) -> None:
        """End it, and what it has started that has no group of its own."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._close()

    def wait(self, seconds: float) -> None:
        """Until there is reason to ask again, so long at most."""
        select.select(self.descriptors, [], [], seconds)

    def _listen(self) -> None:
        """Read what it says, so that it never waits for us; keep the end."""
        with suppress(BlockingIOError):
            # Bounded: what it has started may go on talking.
            for _ in range(16):
                if not (data := os.read(self._words, _CHUNK)):
                    self._silent = True
                    break
                self._said = (self._said + data)[-_CHUNK:]

    def _last_words(self) -> str:
        lines = [line.strip() for line in self._said.decode("utf-8", "replace").splitlines()]
        return next((line for line in reversed(lines) if line), "")[:WORDS_MOST]

    def _close(self) -> None:
        os.close(self._end)
        os.close(self._words)


def _in_words(status: int) -> str:
    return describe(status << 8 if status >= 0 else -status)
