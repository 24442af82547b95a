"""One contender in a fresh place: a database, a folder and a journal of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from sqlalchemy import make_url

from bench.contenders.contender import Contender, Place
from bench.journal import Journal
from bench.rig import PEERS, TOP, Rig
from tests.servers.program import find_program
from tests.wait import wait_for

PATIENCE = 600.0
"""Seconds after which a contender that makes no end is given up."""
STOP = 20.0
"""Seconds it has to end by itself."""


class Lane:
    """A contender, its place, and its worker processes while they run."""

    def __init__(self, contender: Contender, place: Place) -> None:
        self.contender = contender
        self.place = place
        self.journal = Journal(Path(place.environ["BENCH_JOURNAL"]))
        self.output = place.folder / "output"
        self._process: subprocess.Popen[bytes] | None = None
        contender.prepare(place)

    def produce(self, way: str, *words: object, **environ: str) -> dict[str, float]:
        """Enqueue in a process of its own; see `bench.contenders.producer`."""
        python = str(self._bin() / "python")
        module = self.contender.module
        done = subprocess.run(
            [python, "-m", "bench.contenders.producer", module, way, *map(str, words)],
            cwd=self.place.folder,
            env=self.place.environ | environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{self.contender.name}: {done.stderr}"
        answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return answer

    def start(self, **environ: str) -> None:
        """Start its workers; they are not waited for."""
        first, *rest = self.contender.words(self.place.workers)
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                [
                    find_program("setpriv"),
                    "--pdeathsig",
                    "KILL",
                    "--",
                    str(self._bin() / first),
                    *rest,
                ],
                cwd=self.place.folder,
                env=self.place.environ | environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def processes(self) -> list[psutil.Process]:
        """All of it that lives, the first one first."""
        assert self._process is not None
        try:
            first = psutil.Process(self._process.pid)
            return [first, *first.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def run_until(self, records: int) -> float:
        """Wait for so many records; the seconds since the first record.

        Looks each 2 ms, by one stat(2).
        """
        assert self._process is not None
        began, first = time.monotonic(), 0.0
        while True:
            now, seen = time.monotonic(), self.journal.records
            if seen and not first:
                first = now
            if seen >= records:
                return now - first
            assert now - began < PATIENCE, (
                f"{self.contender.name}: {seen} of {records}: {self.end()}"
            )
            assert self._process.poll() is None, f"{self.contender.name} has ended: {self.end()}"
            time.sleep(0.002)

    def end(self) -> str:
        """The end of what it has printed."""
        return self.output.read_text(errors="replace")[-2000:]

    def stop(self) -> None:
        """As its users stop it; what has not ended then is killed."""
        if self._process is None:
            return
        left = self.processes()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP)
        self._kill(left)

    def kill(self) -> None:
        """All of it at once, as a power cut would."""
        self._kill(self.processes())

    def _kill(self, processes: list[psutil.Process]) -> None:
        assert self._process is not None
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        # What a first process that has ended by itself has left behind.
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        psutil.wait_procs(processes, 10)
        self._process = None

    def _bin(self) -> Path:
        return Path(sys.executable).parent if self.contender.ours else PEERS / "bin"


@contextmanager
def lane(rig: Rig, contender: Contender, *, workers: int = 4) -> Iterator[Lane]:
    """A fresh database, an empty Redis and a new folder; all is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="lane-", dir=rig.folder))
    url = rig.mariadb.create_database()
    rig.redis.empty()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("QSUPER_")}
    environ |= {
        "PYTHONPATH": str(TOP),
        "BENCH_MYSQL": url,
        "BENCH_REDIS": rig.redis.url(),
        "BENCH_SQLITE": str(folder / "jobs.db"),
        "BENCH_JOURNAL": str(folder / "journal"),
        "BENCH_WORKERS": str(workers),
    } | contender.environ
    one = Lane(contender, Place(folder, environ, workers))
    try:
        yield one
    finally:
        one.stop()
        rig.mariadb.query(f"DROP DATABASE {make_url(url).database}")
        shutil.rmtree(folder, ignore_errors=True)


def quiet(one: Lane, seconds: float) -> int:
    """Wait until nothing was written for so many seconds; how many records there are."""
    seen, since = one.journal.records, time.monotonic()

    def is_quiet() -> bool:
        nonlocal seen, since
        if one.journal.records != seen:
            seen, since = one.journal.records, time.monotonic()
        return time.monotonic() - since > seconds

    wait_for(is_quiet, PATIENCE, f"{one.contender.name} writes nothing more")
    return seen
