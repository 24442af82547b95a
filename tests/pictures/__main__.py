"""Makes docs/images/status.svg: the screen of `status --watch` over a daemon that works."""

import io
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

from qsuper.cli.screen import frame
from qsuper.config import Config, load
from qsuper.picture import Picture, take
from qsuper.scoreboard import clock
from qsuper.store import schema
from qsuper.store.database import Database
from tests.acceptance.daemon import TOP, Daemon
from tests.wait import wait_for

WIDTH, HEIGHT = 100, 29
PICTURE = TOP / "docs" / "images" / "status.svg"
QUEUES = {"default": {"workers": 4}, "mail": {"workers": 3}, "reports": {"workers": 2}}
APP = """
import random, time
from qsuper import Queue, current_job

queue = Queue()

@queue.task(queue="mail")
def send_msg(uid):
    time.sleep(random.uniform(0.01, 0.06))
    if random.random() < 0.02:
        raise ConnectionError("421 try again later")

@queue.task(queue="reports", timeout=600)
def newsletter(issue):
    job = current_job()
    for sent in range(300):
        job.progress(sent / 300, f"{sent} of 300 sent")
        time.sleep(random.uniform(0.05, 0.15))

@queue.task
def resize(picture):
    time.sleep(random.uniform(0.5, 3))

@queue.task
def cancel_order(order): ...
"""
FEED = """
from shop import queue

queue.add_many("send_msg", [{"uid": uid} for uid in range(3000)])
queue.add_many("newsletter", [{"issue": issue} for issue in range(4)])
queue.add_many("resize", [{"picture": f"{n}.jpg"} for n in range(40)])
for n in range(1, 7):
    queue.timer(f"order:SN{n}", 300 * n, "cancel_order", {"order": f"SN{n}"})
"""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="qsuper-") as name:
        folder = Path(name)
        (folder / "shop.py").write_text(APP)
        url = f"sqlite:///{folder}/qsuper.db"
        schema.ensure(Database(url))
        daemon = Daemon(folder, url)
        daemon.write_config(app="shop:queue", queues=QUEUES, node={"name": "web1"})
        try:
            daemon.start()
            _draw(daemon)
        finally:
            daemon.clean_up()


def _draw(daemon: Daemon) -> None:
    environ = daemon.environ | {"QSUPER_CONFIG": str(daemon.config)}
    subprocess.run([sys.executable, "-c", FEED], cwd=daemon.folder, env=environ, check=True)
    config = load(daemon.config, environ={})
    wait_for(lambda: _is_worth_it(_look(config)), 120, "everything is under way")
    console = Console(
        file=io.StringIO(), width=WIDTH, record=True, force_terminal=True, color_system="standard"
    )
    lines = frame(_look(config), config, width=WIDTH, height=HEIGHT, unix=time.time())
    for line in lines:
        console.print(line, no_wrap=True, highlight=False)
    drawing = console.export_svg(title="qsuper status --watch", theme=MONOKAI)
    # Its letters come from the reader's machine, not over the net.
    drawing = re.sub(r"@font-face \{.*?\}", "", drawing, flags=re.DOTALL)
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(drawing)


def _look(config: Config) -> Picture:
    return take(Path(config.state_dir), now=clock(), unix=time.time())


def _is_worth_it(picture: Picture) -> bool:
    """Jobs are well under way, some have failed, and it is long enough to have rates."""
    far = [child.job.progress or 0.0 for child in picture.children if child.job is not None]
    return max(far, default=0.0) > 0.6 and picture.up > 15 and bool(picture.due)


if __name__ == "__main__":
    main()
