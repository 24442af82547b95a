"""Junk on the control socket, under load: nothing is lost, the master answers on."""

import json
import os
import random
import socket
import subprocess
import sys

from qsuper import wire
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.load import Load, wait_for_progress
from tests.acceptance.rows import Rows

SOMEBODY_ELSE = 65534
ROUNDS = 20
CONNECT = """
import os, socket, sys
os.setgroups([])
os.setgid({user})
os.setuid({user})
client = socket.socket(socket.AF_UNIX)
client.settimeout(30)
try:
    client.connect(sys.argv[1])
    client.sendall(b'{{"verb": "stop"}}\\n')
    print("said:", client.recv(4096).decode())
except OSError as error:
    print("failed:", type(error).__name__)
"""


def visit(daemon: Daemon, data: bytes, *, listen: bool = True) -> bytes:
    """Send it and read what comes until the other side closes, or has answered a line."""
    answer = b""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(str(daemon.state / "control.sock"))
        try:
            client.sendall(data)
            while listen and b"\n" not in answer and (more := client.recv(65536)):
                answer += more
        except (BrokenPipeError, ConnectionResetError):
            pass
    return answer


def open_half(daemon: Daemon, data: bytes) -> socket.socket:
    """A visit that never ends."""
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(60)
    client.connect(str(daemon.state / "control.sock"))
    client.sendall(data)
    return client


def request(verb: str, **args: object) -> bytes:
    return json.dumps({"verb": verb, "args": args}).encode() + b"\n"


REFUSED = (
    b"hello\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"\0\0\0\0\n",
    b"\xff\xfe\n",
    b"null\n",
    b"[" * 60_000 + b"\n",
    b'{"verb": "' + b"v" * 60_000 + b'"}\n',
    request("nonsense"),
    request("__class__"),
    request("stop", now="perhaps"),
    request("stop", force=True),
    request("scale"),
    request("scale", workers=-1),
    request("scale", workers=10**9),
    request("scale", workers=1e309),
    request("scale", workers="x"),
    request("scale", workers=True),
    request("scale", workers=2, queue="nobody's"),
    request("scale", workers=2, queue=["default"]),
    request("restart", name="default[99]"),
    request("restart"),
)


def test_junk_on_the_control_socket_loses_nothing(
    mariadb_daemon: Daemon, mariadb_rows: Rows, figures: Figures
) -> None:
    daemon = mariadb_daemon
    rng = random.Random(6)
    load = Load(mariadb_rows)
    load.add(1000)
    daemon.start()
    workers = {record.pid for record in daemon.workers()}
    half_open: list[socket.socket] = []
    refused = 0
    for number in range(ROUNDS):
        for junk in REFUSED:
            refused += json.loads(visit(daemon, junk))["ok"] is False
        visit(daemon, rng.randbytes(rng.randrange(1, 100_000)), listen=False)
        visit(daemon, b"x" * 1_000_000)
        visit(daemon, request("hello") * 3000, listen=False)
        half_open += [open_half(daemon, b'{"verb": "st'[: number % 12]) for _ in range(10)]
        load.top_up(300)
        assert daemon.ask("hello")["pid"] == daemon.pid
    assert {record.pid for record in daemon.workers()} == workers
    wait_for_progress(daemon)
    for client in half_open:
        client.close()
    load.wait_until_done(daemon)
    assert daemon.stop() == 0
    load.judge(daemon, figures, refused=refused, half_open=len(half_open), rounds=ROUNDS)
    assert refused == ROUNDS * len(REFUSED)
    assert not load.unfinished(daemon)
    assert "Traceback" not in daemon.log()


def test_another_user_commands_nothing(mariadb_daemon: Daemon) -> None:
    daemon = mariadb_daemon
    daemon.start()
    control = daemon.state / "control.sock"
    assert control.stat().st_mode & 0o077 == 0
    assert daemon.state.stat().st_mode & 0o077 == 0
    if os.geteuid() == 0:
        # Even where the file's mode would let them in.
        for path, mode in ((daemon.folder, 0o755), (daemon.state, 0o755), (control, 0o777)):
            path.chmod(mode)
        said = subprocess.run(
            [sys.executable, "-c", CONNECT.format(user=SOMEBODY_ELSE), str(control)],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout.strip()
        assert said in ("said:", "failed: ConnectionResetError", "failed: BrokenPipeError")
    assert wire.call(control, "hello", timeout=30)["stopping"] is False
    assert daemon.stop() == 0
