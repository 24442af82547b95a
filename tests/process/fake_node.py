"""A master over small fake kinds, run as a program: `python -m tests.process.fake_node FOLDER`.

The folder holds `config.json`, which a reload reads again, and switches: files whose presence
makes the children behave. `busy` is for all of them, `busy.default[0]` for one.
"""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from qsuper import logs
from qsuper.config import Config, LogConfig, NodeConfig, QueueConfig, WorkerConfig
from qsuper.errors import ConfigError, QsuperError
from qsuper.exits import Exit
from qsuper.master import Master
from qsuper.place import Kind, Place
from qsuper.scoreboard import clock

STEP = 0.02
FOLDER = Path(sys.argv[1]) if len(sys.argv) > 1 else Path()


def read_config() -> Config:
    """Raises `ConfigError` when the file is none."""
    try:
        written = json.loads((FOLDER / "config.json").read_text())
        return Config(
            state_dir=str(FOLDER / "state"),
            queues={
                name: QueueConfig(workers=count)
                for name, count in written.get("queues", {"default": 2}).items()
            },
            worker=WorkerConfig(stop_timeout=written.get("stop_timeout", 20.0)),
            node=NodeConfig(lease=written.get("lease", 30.0)),
            log=LogConfig(dir=str(FOLDER / "log")),
        )
    except ValueError as error:
        raise ConfigError([f"config.json: {error}"]) from error


@dataclass
class Fake:
    """One fake child."""

    place: Place
    master: int

    def on(self, switch: str) -> bool:
        return (FOLDER / switch).exists() or (FOLDER / f"{switch}.{self.place.name}").exists()

    def while_on(self, switch: str) -> None:
        while self.on(switch):
            time.sleep(STEP)

    @property
    def orphaned(self) -> bool:
        return os.getppid() != self.master

    @property
    def told_to_leave(self) -> bool:
        record = self.place.record
        return record.order == 2 or (record.order == 1 and not self.on("busy"))


def _start(place: Place) -> Fake:
    for number in (signal.SIGTERM, signal.SIGQUIT):
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGALRM, lambda *_: (FOLDER / f"asked.{place.name}").touch())
    fake = Fake(place, os.getppid())
    fake.while_on("boots-slowly")
    return fake


def work(place: Place) -> int:
    """A worker: idle, unless a switch says otherwise."""
    fake = _start(place)
    if fake.on("cannot-boot"):
        return Exit.CANNOT_BOOT
    if fake.on("crashes-in-boot"):
        os._exit(3)
    record = place.record
    record.describe(phase="idle")
    if fake.on("ignores-everything"):
        for number in (signal.SIGTERM, signal.SIGQUIT):
            signal.signal(number, signal.SIG_IGN)
        while True:
            time.sleep(60)
    if fake.on("starts-daemon"):
        script = "setsid sleep 600 >/dev/null 2>&1 & echo $!"
        pid = subprocess.run(["sh", "-c", script], stdout=subprocess.PIPE, check=True).stdout
        (FOLDER / f"daemon-of.{os.getpid()}").write_bytes(pid)
    while not fake.told_to_leave:
        if fake.orphaned:
            return Exit.MASTER_DIED
        _do_as_told(fake)
        time.sleep(STEP)
    return Exit.DRAINED


def _do_as_told(fake: Fake) -> None:
    record = fake.place.record
    if fake.on("crash"):
        os._exit(3)
    if fake.on("recycle"):
        os._exit(Exit.RECYCLED)
    if fake.on("give-up"):
        os._exit(Exit.GAVE_UP)
    if fake.on("finish"):
        os._exit(Exit.DRAINED)
    if fake.on("raise"):
        raise RuntimeError("a bug of the role")
    if fake.on("job") and not record.cursor:
        record.timeout = float((FOLDER / "job").read_text())
        record.hold([4711])
        record.begin(0, clock())
    record.describe(phase="busy" if fake.on("busy") or record.cursor else "idle")


def settle(place: Place) -> int:
    """The settler: marks the records of the dead, and stops last."""
    fake = _start(place)
    place.record.describe(phase="idle")
    while not place.record.order:
        if fake.orphaned:
            return Exit.MASTER_DIED
        for record in place.board.records():
            if record.ended and not record.settled and record.queue >= 0 and not fake.on("lazy"):
                line = f"{record.worker} {record.reason or 'none'} {record.status}\n"
                with (FOLDER / "settled").open("a") as file:
                    file.write(line)
                record.settled = 1
        if fake.on("beats"):
            place.board.header.renewed = clock()
        time.sleep(STEP)
    return Exit.DRAINED


KINDS = (
    Kind("worker", work, per_queue=True),
    Kind("settler", settle, stops_last=True),
)


def main() -> int:
    config = read_config()
    logs.setup(config.log, "master")
    try:
        return Master(
            config,
            KINDS,
            reload_config=read_config,
            once="--once" in sys.argv,
            wait="--wait" in sys.argv,
        ).run()
    except QsuperError as error:
        print(error, file=sys.stderr)
        return 69


if __name__ == "__main__":
    sys.exit(main())
