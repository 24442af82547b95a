"""The dashboard as a child among children."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from qsuper.exits import Exit
from qsuper.roles import web
from qsuper.states import ChildState
from tests.acceptance.daemon import TOP, alive
from tests.acceptance.figures import Figures
from tests.web.dashboard import TOKEN, Dashboard


def child(dashboard: Dashboard) -> dict[str, object]:
    """What `status` says of the dashboard."""
    children = dashboard.daemon.status()["children"]
    found: dict[str, object] = next(one for one in children if one["name"] == "web")
    return found


def pid(dashboard: Dashboard) -> int:
    record = dashboard.daemon.child("web")
    return record.pid if record else 0


def test_there_is_none_unless_it_is_wanted(embedded_dashboard: Dashboard) -> None:
    daemon = embedded_dashboard.daemon
    daemon.start()
    assert daemon.child("web") is None
    said = daemon.cli("web")
    assert (said.returncode, "[web]" in said.stderr) == (1, True)


def test_a_port_in_use_is_a_complaint_with_its_mend(embedded_dashboard: Dashboard) -> None:
    dashboard = embedded_dashboard
    with socket.create_server(("127.0.0.1", dashboard.port)):
        dashboard.configure()
        dashboard.daemon.start()
        dashboard.daemon.wait_until(
            lambda: child(dashboard)["state"] == ChildState.FATAL, "it has given up for now"
        )
        said = str(child(dashboard)["last_exit"])
        assert "another program listens there" in said
        assert "web.listen" in said
        assert "Traceback" not in dashboard.daemon.log()
    dashboard.daemon.ask("restart", name="web")
    dashboard.wait_until_it_answers()


def test_a_port_that_another_daemon_shares_with_its_own_is_in_use_too(
    embedded_dashboard: Dashboard,
) -> None:
    dashboard = embedded_dashboard
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", dashboard.port))
        other.listen()
        dashboard.configure()
        dashboard.daemon.start()
        dashboard.daemon.wait_until(
            lambda: "another program" in str(child(dashboard)["last_exit"]), "it has complained"
        )


def test_a_reload_replaces_it_while_it_answers(
    embedded_dashboard: Dashboard, figures: Figures
) -> None:
    dashboard = embedded_dashboard
    dashboard.start()
    before, failed, asked = pid(dashboard), 0, 0
    over = threading.Event()

    def ask() -> None:
        nonlocal failed, asked
        while not over.is_set():
            asked += 1
            failed += not dashboard.answers()

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        member = dashboard.member()
        dashboard.daemon.ask("reload")
        dashboard.daemon.wait_until(
            lambda: pid(dashboard) not in (0, before) and not alive(before, 0), "it was replaced"
        )
    finally:
        over.set()
        asking.join()
    figures(asked=asked, failed=failed)
    # What the kernel had dealt to the old one in its very last moment.
    assert failed <= 2
    assert member.get("/queues").status == 200


def test_it_leaves_with_its_master(embedded_dashboard: Dashboard) -> None:
    dashboard = embedded_dashboard
    dashboard.start()
    record = dashboard.daemon.child("web")
    assert record is not None
    its_pid, ticks = record.pid, record.ticks
    with dashboard.raw() as idle:
        idle.sendall(b"GET / HT")
        dashboard.daemon.kill_master()
        dashboard.daemon.wait_until(lambda: not alive(its_pid, ticks), "it has left")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2])
def test_a_signal_that_is_for_others_does_nothing(
    dashboard: Dashboard, number: signal.Signals
) -> None:
    before = pid(dashboard)
    os.kill(before, number)
    assert dashboard.answers()
    assert pid(dashboard) == before


def test_one_that_is_killed_comes_back(embedded_dashboard: Dashboard) -> None:
    dashboard = embedded_dashboard
    dashboard.start()
    member, before = dashboard.member(), pid(dashboard)
    os.kill(before, signal.SIGKILL)
    dashboard.daemon.wait_until(lambda: pid(dashboard) not in (0, before), "another one")
    dashboard.wait_until_it_answers()
    assert member.get("/queues").status == 200, "sessions outlive the process"


def test_it_stops_quickly_whoever_holds_on_to_it(embedded_dashboard: Dashboard) -> None:
    dashboard = embedded_dashboard
    dashboard.start()
    began = time.monotonic()
    with dashboard.raw() as idle, dashboard.raw() as slow, dashboard.raw() as listener:
        idle.sendall(b"GET / HTTP/1.1\r\n")
        slow.sendall(b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx")
        head = f"GET /events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
        listener.sendall(head.encode())
        assert listener.recv(100)
        assert dashboard.daemon.stop() == 0
    assert "KILL" not in dashboard.daemon.log()
    assert time.monotonic() - began < 60


def test_without_its_libraries_it_says_what_to_install(tmp_path: Path) -> None:
    """In a process of its own, in which they cannot be found."""
    program = """
import sys
for name in ("starlette", "uvicorn", "jinja2", "prometheus_client"):
    sys.modules[name] = None
from types import SimpleNamespace
from qsuper.roles import web
said = []
print(web.serve(SimpleNamespace(record=SimpleNamespace(complain=said.append))), *said)
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=TOP, capture_output=True, text=True, check=False
    )
    assert ended.stdout.strip() == (
        f"{int(Exit.CANNOT_BOOT)} the dashboard needs more: pip install 'qsuper[web]'"
    ), ended.stderr


def test_a_secret_that_everybody_can_read_is_refused(embedded_dashboard: Dashboard) -> None:
    dashboard = embedded_dashboard
    dashboard.daemon.state.mkdir()
    path = dashboard.daemon.state / "web.key"
    path.write_text("0" * 64)
    path.chmod(0o644)
    dashboard.configure()
    dashboard.daemon.start()
    dashboard.daemon.wait_until(
        lambda: "everybody can read" in str(child(dashboard)["last_exit"]), "it has complained"
    )


def test_it_is_more_willing_to_wait_than_the_workers(dashboard: Dashboard) -> None:
    worker = dashboard.daemon.workers()[0].pid
    nice = os.getpriority(os.PRIO_PROCESS, worker)
    assert os.getpriority(os.PRIO_PROCESS, pid(dashboard)) == min(19, nice + web.NICE)
