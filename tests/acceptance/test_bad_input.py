"""Misuse of the command line, the configuration and the control socket: a line with the mend."""

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows


@pytest.fixture
def sqlite_daemon(folder: Path) -> Iterator[Daemon]:
    """For what is the same whatever the store."""
    daemon = Daemon(folder, f"sqlite:///{folder}/qsuper.db")
    yield daemon
    daemon.clean_up()


NEEDS_HELP = "see `qsuper {} --help`"
SCALE = f"Invalid value for '[QUEUE=]WORKERS': {{}}; {NEEDS_HELP.format('scale')}"
COMMANDS: list[tuple[tuple[str, ...], int, str]] = [
    (
        ("scale", "-1"),
        2,
        SCALE.format("-1 workers cannot be had: write 0 to 500, or auto; default=-1 is one less"),
    ),
    (("scale", "x"), 2, SCALE.format("'x' is not a number of workers: write 0 to 500, or auto")),
    (
        ("scale", "1e9"),
        2,
        SCALE.format("'1e9' is not a number of workers: write 0 to 500, or auto"),
    ),
    (("scale", "501"), 2, SCALE.format("501 workers cannot be had: write 0 to 500, or auto")),
    (("scale", "=3"), 2, SCALE.format("'=3' names no queue: write mail=4")),
    (("scale", "mail=3"), 1, "there is no queue 'mail' in the configuration; known: default"),
    (
        ("add", "urgent", "{bad"),
        1,
        "the param is not JSON: Expecting property name enclosed in double quotes:"
        " line 1 column 2 (char 1)",
    ),
    (
        ("add", "urgent", '{"m": 1}'),
        1,
        "urgent(n: int) -> None cannot take this param: missing a required argument: 'n'",
    ),
    (
        ("add", "urgent", "{}", "--priority", "40000"),
        2,
        "Invalid value for '--priority': 40000 is not in the range -32768<=x<=32767;"
        f" {NEEDS_HELP.format('add')}",
    ),
    (
        ("add", "urgent", "{}", "--delay", "soon"),
        2,
        "Invalid value for '--delay': 'soon' is not a duration: write 90, 90s, 15m, 1h or 2d;"
        f" {NEEDS_HELP.format('add')}",
    ),
    (("show", "99999"), 1, "there is no job 99999"),
    (
        ("show", "x"),
        2,
        "Invalid value for 'ID': 'x' is not the id of a job: write a whole number above 0;"
        f" {NEEDS_HELP.format('show')}",
    ),
    (
        ("restart", "default[9]"),
        1,
        "there is no child 'default[9]'; there are: default[0], default[1], keeper, scheduler",
    ),
    (("frobnicate",), 2, "No such command 'frobnicate'; see `qsuper --help`"),
    (
        ("work", "--slice", "5/3"),
        2,
        "Invalid value for '--slice': '5/3' is not a slice: write i/N with i from 0 to N-1,"
        f" for example 3/10; {NEEDS_HELP.format('work')}",
    ),
]


def test_every_misuse_is_one_line_with_the_mend_and_an_exit_code(
    sqlite_daemon: Daemon, figures: Figures
) -> None:
    daemon = sqlite_daemon
    rows = Rows(daemon.url)
    daemon.write_config(queues={"default": {"workers": 2}})
    daemon.start()
    workers = {record.pid for record in daemon.workers()}
    for words, code, line in COMMANDS:
        done = daemon.cli(*words)
        assert (done.stderr, done.returncode, done.stdout) == (f"qsuper: {line}\n", code, ""), words
    done = daemon.cli("run")
    assert done.returncode == 1
    assert re.fullmatch(
        rf"qsuper: a master runs in \S+/var already: pid {daemon.pid}, for \d+ s\n", done.stderr
    )
    assert {record.pid for record in daemon.workers()} == workers
    assert rows.count() == 0

    done = daemon.cli("scale", "0")
    assert (done.stdout, done.returncode) == (
        "default: 0 workers, nothing of it will run here\n",
        0,
    )
    daemon.wait_until(lambda: not daemon.workers(), "no worker is left")
    assert daemon.cli("scale", "2").stdout == "default: 2 workers\n"
    daemon.wait_until(lambda: len(daemon.workers()) == 2, "two are back")
    figures(misuses=len(COMMANDS) + 2)


BROKEN = """
app = "shop"
state_dir = 7
[stor]
url = "x"
[queues.default]
workers = -3
worker = 2
[job]
timeout = "soon"
max_attempts = 0
[log]
format = "xml"
"""
MISTAKES = """\
[stor]: unknown table; did you mean [store]?
app: must be "module:attribute", such as "shop.tasks:queue", not "shop"
state_dir: must be a path, not 7
[queues.default] worker: unknown key; did you mean [queues.default] workers?
[queues.default] workers: must be a whole number from 0 to 500, or { min = 2, max = 16 }, not -3
[job] timeout: must be seconds or "90s", "15m", "1h", "2d" (0 = no limit), not "soon"
[job] max_attempts: must be a whole number from 1 to 1000, not 0
[log] format: must be "text" or "json", not "xml"
"""


def test_a_broken_configuration_tells_all_its_mistakes_at_once(folder: Path) -> None:
    daemon = Daemon(folder, f"sqlite:///{folder}/qsuper.db")
    daemon.config.write_text(BROKEN)
    done = daemon.cli("run")
    lines = [f"qsuper: {daemon.config}: {line}\n" for line in MISTAKES.splitlines()]
    assert done.stderr == "".join(lines)
    assert done.returncode == 1
    assert daemon.cli("status").returncode == 4
    assert not (folder / "var").exists()


def test_junk_on_the_control_socket_disturbs_nobody(sqlite_daemon: Daemon) -> None:
    daemon = sqlite_daemon
    rows = Rows(daemon.url)
    daemon.start()
    children = {record.pid for record in daemon.records()}
    junk = [
        b"",
        b"\n\n\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\0" * 1000 + b"\n",
        b"\xff\xfe\xfd\n",
        os.urandom(5000) + b"\n",
        b"x" * 200_000,
        b"[" * 60_000 + b"\n",
        b'{"verb": "scale", "args": {"workers": "\xe2\x80\xa8"}}\n',
        b'{"verb": "scale", "args": {"workers": -1}}\n',
        b'{"verb": "scale", "args": {"workers": 1e999}}\n',
        b'{"verb": "scale", "args": {"queue": {}, "workers": []}}\n',
        b'{"verb": "restart"}\n',
        b'{"verb": "nonsense"}\n',
        b'{"verb": "sto',
    ]
    held = []
    for data in junk:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(60)
        connection.connect(str(daemon.state / "control.sock"))
        try:
            connection.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            assert len(data) > 64 * 1024, "only what is too long may be cut off"
        held.append(connection)
    # While they all still hang on it, the master answers everybody else.
    assert daemon.cli("scale", "4").returncode == 0
    rows.add([(1, "urgent", {"n": 1})])
    daemon.wait_until(lambda: rows.count(1) == 1, "the job is done")
    for data, connection in zip(junk, held, strict=True):
        if data.startswith(b'{"verb"') and data.endswith(b"\n"):
            assert b'"ok":false' in connection.recv(4096), data
        connection.close()
    assert {record.pid for record in daemon.records()} == children
    assert daemon.cli("status").returncode == 0
