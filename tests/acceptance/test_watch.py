"""`status --watch` on a terminal: what is to be seen, what it costs, and how it is left."""

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows
from tests.acceptance.terminal import Terminal

WORKERS = 10
SECONDS = 8.0
BYTES_MOST = 2048
"""A second, on average."""


@pytest.fixture
def rows(folder: Path) -> Rows:
    """On SQLite: the screen reads no database."""
    return Rows(f"sqlite:///{folder}/qsuper.db")


Watch = Callable[..., Terminal]


@pytest.fixture
def watch(daemon: Daemon) -> Iterator[Watch]:
    """`qsuper status --watch` on a terminal."""
    opened: list[Terminal] = []

    def begin(*words: str, **environ: str) -> Terminal:
        command = daemon.command("status", "--watch", *words)
        known = {name: text for name, text in daemon.environ.items() if name != "NO_COLOR"}
        opened.append(Terminal(command, daemon.folder, known | environ))
        return opened[-1]

    yield begin
    for terminal in opened:
        terminal.__exit__(None, None, None)


def test_the_screen_shows_a_daemon_come_work_suffer_go_and_come_again(
    daemon: Daemon, rows: Rows, watch: Watch
) -> None:
    terminal = watch("--every", "0.2")
    terminal.shows("! qsuper is not running in ")
    daemon.start()
    terminal.shows(" running: pid ")
    for worker in range(4):
        terminal.shows(f"default[{worker}]")
    rows.add([(1, "work", {"n": 1, "seconds": 3600})])
    terminal.shows("#1 ")
    daemon.ask("pause")
    terminal.shows("! this node is paused and begins nothing")
    assert terminal.screen.lines[0].startswith("! ")
    terminal.resize(140, 40)
    terminal.shows("RESTARTS")
    assert "this node is paused" in terminal.screen.lines[0]
    terminal.resize(60, 12)
    terminal.shows("! this node is paused")
    daemon.ask("resume")
    daemon.kill_master()
    terminal.shows("! qsuper is not running in ")
    terminal.shows("it was last seen at ")
    daemon.start()
    terminal.resize(80, 24)
    terminal.shows(" running: pid ")
    assert not terminal.screen.overflown
    assert not terminal.is_as_before()
    terminal.press("\x03")
    assert terminal.exit_code() == 0
    assert terminal.is_as_before()
    assert "Traceback" not in terminal.raw


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (lambda terminal: terminal.press("q"), 0),
        (lambda terminal: terminal.press("\x03"), 0),
        (lambda terminal: terminal.signal(signal.SIGTERM), 128 + signal.SIGTERM),
        (lambda terminal: terminal.signal(signal.SIGHUP), 128 + signal.SIGHUP),
    ],
    ids=["q", "Ctrl-C", "TERM", "HUP"],
)
def test_however_it_ends_the_terminal_is_as_it_was(
    end: Callable[[Terminal], None], code: int, watch: Watch
) -> None:
    terminal = watch("--every", "3600")
    terminal.shows("not running")
    assert terminal.screen.other
    terminal.press("x")
    end(terminal)
    assert terminal.exit_code() == code
    assert terminal.is_as_before()


def test_who_stops_it_gets_the_terminal_back_until_it_goes_on(watch: Watch) -> None:
    terminal = watch("--every", "3600")
    terminal.shows("not running")
    # Nobody would wake it here, so that the system does not let it sleep: it goes on at once.
    terminal.signal(signal.SIGTSTP)
    terminal.printed("\x1b[?1049l\x1b[?1049h\x1b[?25l\x1b[2J")
    terminal.shows("not running")
    terminal.press("q")
    assert terminal.exit_code() == 0
    assert terminal.is_as_before()


def test_little_is_sent_while_little_changes(
    daemon: Daemon, rows: Rows, watch: Watch, figures: Figures
) -> None:
    daemon.write_config(queues={"default": {"workers": WORKERS}})
    daemon.start()
    terminal = watch()
    terminal.shows(f"default[{WORKERS - 1}]")
    first = terminal.sent
    idle = terminal.bytes_within(SECONDS) / SECONDS
    rows.add((n, "work", {"n": n, "seconds": 3600}) for n in range(WORKERS))
    daemon.wait_until(lambda: len(daemon.in_jobs()) == WORKERS, "all of them work")
    terminal.shows("#")
    busy = terminal.bytes_within(SECONDS) / SECONDS
    figures(first_screen=first, bytes_a_second_idle=idle, with_ten_jobs=busy)
    assert 0 < idle < BYTES_MOST
    assert 0 < busy < BYTES_MOST


def test_a_terminal_that_can_do_nothing_gets_plain_text(daemon: Daemon, watch: Watch) -> None:
    daemon.start()
    terminal = watch("--every", "0.2", TERM="dumb")
    terminal.printed(" running: pid ", times=3)
    assert "\x1b" not in terminal.raw
    terminal.press("\x03")
    assert terminal.exit_code() == 0


def test_without_colours_there_are_none(daemon: Daemon, watch: Watch) -> None:
    daemon.start()
    daemon.ask("pause")
    coloured, plain = watch(), watch(NO_COLOR="1")
    for terminal in (coloured, plain):
        terminal.shows("! this node is paused")
        terminal.press("q")
        assert terminal.exit_code() == 0
    assert any("31" in numbers.split(";") for numbers in coloured.screen.colours)
    assert not any("31" in numbers.split(";") for numbers in plain.screen.colours)


def test_json_is_one_line_a_look(daemon: Daemon, watch: Watch) -> None:
    daemon.start()
    terminal = watch("--json", "--every", "0.2")
    terminal.printed('"running": true', times=3)
    terminal.press("\x03")
    assert terminal.exit_code() == 0
    *lines, _ = terminal.raw.split("\r\n")
    assert all(json.loads(line)["running"] for line in lines)
