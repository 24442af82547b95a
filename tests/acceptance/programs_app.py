"""An application whose task starts what a program of the tests starts."""

import subprocess
import time

from qsuper import Queue
from tests.acceptance.programs import PROGRAMS

queue = Queue()


@queue.task
def grow_a_tree() -> None:
    """Beside its processes it sleeps."""
    subprocess.Popen(["sh", str(PROGRAMS / "tree.sh")])
    time.sleep(3600)
