"""What a signal to the master means."""

import os
import signal
from contextlib import suppress
from pathlib import Path
from subprocess import Popen

from tests.process.harness import Node
from tests.wait import wait_for


def paused(node: Node) -> bool:
    return bool(node.bulletin()["paused"]) and node.board().header.paused == 1


def send(master: Popen[str], number: int) -> None:
    master.send_signal(number)


def opened_by(pid: int) -> list[str]:
    """What a process holds open; it may close some of it meanwhile."""
    found = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found.append(str(link.readlink()))
    return found


def test_tstp_pauses_the_node_and_cont_resumes_it(node: Node) -> None:
    master = node.start()
    send(master, signal.SIGTSTP)
    wait_for(lambda: paused(node))
    send(master, signal.SIGCONT)
    wait_for(lambda: not paused(node))


def test_cont_does_not_undo_a_pause_that_was_ordered(node: Node) -> None:
    master = node.start()
    node.ask("pause")
    wait_for(lambda: paused(node))
    # As a shell does with a job it stops and takes to the foreground again.
    send(master, signal.SIGSTOP)
    send(master, signal.SIGCONT)
    send(master, signal.SIGTTIN)
    wait_for(lambda: node.running() == 3)
    assert paused(node)
    node.ask("resume")
    wait_for(lambda: not paused(node))


def test_usr1_reopens_the_log(node: Node) -> None:
    master = node.start()
    (path,) = (node.folder / "log").glob("*.log")
    path.rename(path.with_suffix(".old"))
    send(master, signal.SIGUSR1)
    wait_for(path.exists)
    assert "logs reopened" in path.read_text()
    wait_for(lambda: node.running() == 2)
    assert node.child("default[0]")["restarts"] == 0


def test_usr2_writes_the_stacks_of_every_process(node: Node) -> None:
    master = node.start()
    send(master, signal.SIGUSR2)
    stacks = node.state / "stacks"
    for name in ("master", "default[0]", "default[1]", "settler"):
        path = stacks / f"{name}.txt"
        wait_for(lambda path=path: path.exists() and "File " in path.read_text())  # type: ignore[misc]
    assert str(stacks) in node.log()
    assert node.running() == 2


def test_children_are_reached_by_no_terminal_and_hold_nothing_of_the_master(node: Node) -> None:
    master = node.start()
    pid = node.child("default[0]")["pid"]
    assert os.getpgid(pid) == pid
    assert os.getpgid(master.pid) != pid
    assert "SigBlk:\t0000000000000000\n" in Path(f"/proc/{pid}/status").read_text()
    held = opened_by(pid)
    assert any(path.endswith("/run.lock") for path in held)
    for private in ("master.lock", "standby.lock", "eventpoll", "socket:"):
        assert not [path for path in held if private in path]
    assert len([path for path in held if path.startswith("pipe:")]) >= 2
