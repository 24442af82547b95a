"""What a job's programs leave behind is reaped, but not before it can be asked about."""

import os
import subprocess
import sys

from qsuper import processes
from qsuper.roles.zombies import LOOK_EVERY, PATIENCE, Zombies
from tests.wait import wait_for

ADOPT = """
import os
from qsuper import processes
from qsuper.kinship import become_subreaper
from qsuper.roles.zombies import LOOK_EVERY, PATIENCE, Zombies
from tests.wait import wait_for

def zombies():
    looks = [processes.look(pid) for pid in processes.children()]
    return [one.pid for one in looks if one is not None and one.zombie]

become_subreaper()
for _ in range(5):
    assert os.system("(sleep .2 &) ; true") == 0
wait_for(lambda: len(zombies()) == 5, message="five adopted children have ended")
reaper = Zombies()
reaper.reap(1000.0)
reaper.reap(1000.0 + PATIENCE - 1)
assert len(zombies()) == 5, "none is reaped early"
reaper.reap(1000.0 + PATIENCE + LOOK_EVERY)
assert zombies() == []
"""


def test_adopted_children_that_have_ended_are_reaped_after_a_while() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ADOPT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_program_that_has_just_ended_still_tells_its_exit_status() -> None:
    program = subprocess.Popen(["sh", "-c", "exit 7"])
    wait_for(lambda: (look := processes.look(program.pid)) is not None and look.zombie)
    reaper = Zombies()
    reaper.reap(1000.0)
    reaper.reap(1000.0 + LOOK_EVERY)
    assert program.wait() == 7


def test_a_child_that_still_runs_is_not_touched() -> None:
    program = subprocess.Popen(["sleep", "600"])
    try:
        reaper = Zombies()
        reaper.reap(1000.0)
        reaper.reap(1000.0 + PATIENCE + LOOK_EVERY)
        os.kill(program.pid, 0)
        assert program.poll() is None
    finally:
        program.kill()
        program.wait()
