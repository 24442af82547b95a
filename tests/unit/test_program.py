"""Programs as tasks: what they get, what they say, what their end means."""

import hashlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType

import pytest

from qsuper import processes
from qsuper.config import RlimitConfig
from qsuper.job import Buried, Cancelled, Done, Failed, Outcome, Snoozed
from qsuper.tasks.ending import Aborted, Cancelling, Ended, SoftTimeout
from qsuper.tasks.program import ARGUMENT_BYTES_MOST
from qsuper.tasks.programs.reports import LINE_BYTES_MOST
from qsuper.tasks.programs.run import STATUS_LOST
from qsuper.tasks.run import TIMED_OUT
from tests.unit.programs import Bench
from tests.wait import wait_for


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("exit 0", Done()),
        ("exit 75", Snoozed(5.0)),
        ("exit 64", Buried("exited with 64: it was called wrongly")),
        ("exit 65", Buried("exited with 65: its param is wrong")),
        ("exit 78", Buried("exited with 78: it is set up wrongly")),
        ("exit 1", Failed("exited with 1")),
        ("exit 3", Failed("exited with 3")),
        ("exit 127", Failed("exited with 127")),
        ("exit 255", Failed("exited with 255")),
        ("kill -SEGV $$", Failed("was killed by SIGSEGV")),
        ("kill -KILL $$", Failed("was killed by SIGKILL")),
        ("kill -34 $$", Failed("was killed by SIGRTMIN")),
        ("kill -40 $$", Failed("was killed by signal 40")),
        ("""echo '{"result": {"a": 1}}' >&3""", Done('{"a":1}')),
        ("""echo '{"retry_in": 30}' >&3; exit 75""", Snoozed(30.0)),
        ("""echo '{"retry_in": 30}' >&3; exit 3""", Failed("exited with 3", wait=30.0)),
        ("""echo '{"retry_in": 1e300}' >&3; exit 75""", Snoozed(3650 * 86400.0)),
    ],
)
def test_the_end_of_a_program_is_the_end_of_its_job(
    bench: Bench, script: str, expected: Outcome
) -> None:
    assert bench.shell(script) == expected


NASTY = [
    "; touch hacked",
    "$(touch hacked)",
    "`touch hacked`",
    "a\nb\n",
    "  two  words ",
    "-rf",
    "--",
    "-",
    "'\"\\",
    "*",
    "ünï¢ødé 🐘",
    "",
    '{"uid": 4}',
]


@pytest.mark.parametrize("param", NASTY)
def test_a_param_is_one_argument_whatever_it_holds(bench: Bench, param: str) -> None:
    assert bench.shell('printf "%s" "$#:$1" > out', param=param) == Done()
    assert bench.written() == f"1:{param}"
    assert [path.name for path in bench.folder.iterdir()] == ["out"]


@pytest.mark.parametrize("param", [*NASTY, "with\0nul", "x" * 5_000_000])
def test_a_param_on_standard_input_arrives_whole(bench: Bench, param: str) -> None:
    assert bench.shell("sha256sum > out; echo $# >> out", param=param, way="stdin") == Done()
    digest, count = bench.written().splitlines()
    assert digest.split()[0] == hashlib.sha256(param.encode()).hexdigest()
    assert count == "0"


def test_a_program_need_not_read_its_standard_input(bench: Bench) -> None:
    assert bench.shell("exit 0", param="x" * 5_000_000, way="stdin") == Done()


def test_without_a_param_there_is_no_argument_and_nothing_to_read(bench: Bench) -> None:
    assert bench.shell("echo $# > out; cat >> out") == Done()
    assert bench.written() == "0\n"
    assert bench.shell("echo $# > out; cat >> out", way="stdin") == Done()
    assert bench.written() == "0\n"


def test_a_param_that_no_argument_can_be_is_buried_and_says_what_to_do(bench: Bench) -> None:
    for param, words in (("a\0b", "NUL"), ("ä" * 65536, "larger than 131071 bytes")):
        outcome = bench.shell("touch run", param=param)
        assert isinstance(outcome, Buried)
        assert words in outcome.error
        assert 'param = "stdin"' in outcome.error
    outcome = bench.shell("touch run", param=b"\xff")
    assert isinstance(outcome, Buried)
    assert "not UTF-8" in outcome.error
    assert list(bench.folder.iterdir()) == []


def test_the_largest_argument_arrives(bench: Bench) -> None:
    param = "x" * ARGUMENT_BYTES_MOST
    assert bench.shell('printf "%s" "$1" | wc -c > out', param=param) == Done()
    assert int(bench.written()) == ARGUMENT_BYTES_MOST


def test_a_program_gets_what_the_list_allows_of_the_environment_and_nothing_else(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "LC_TIME": "C",
        "DATABASE_PASSWORD": "hush",
        "QSUPER_STORE__URL": "mysql://u:hush@h/d",
        "QSUPER_RUN": "nonce",
        "SHOP": "berlin",
        "SHOP_STAGE": "test",
    }.items():
        monkeypatch.setenv(name, value)

    def environment(**settings: object) -> dict[str, str]:
        assert bench.shell("tr '\\0' '\\n' < /proc/$$/environ > out", **settings) == Done()
        return dict(line.split("=", 1) for line in bench.written().splitlines())

    own = {"QSUPER_JOB_ID", "QSUPER_ATTEMPT", "QSUPER_TASK", "QSUPER_DEADLINE", "QSUPER_RUN"}
    seen = environment(deadline=1234567890.5)
    assert {name: seen[name] for name in sorted(own)} == {
        "QSUPER_ATTEMPT": "2",
        "QSUPER_DEADLINE": "1234567890",
        "QSUPER_JOB_ID": "7",
        "QSUPER_RUN": "nonce",
        "QSUPER_TASK": "the.task",
    }
    assert seen["PATH"] == os.environ["PATH"]
    assert seen["LC_TIME"] == "C"
    allowed = {"PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR"}
    assert {name for name in seen if not name.startswith("LC_")} <= own | allowed
    assert "hush" not in str(seen)

    seen = environment(env=("PATH", "SHOP*", "Q*", "QSUPER_S*", "STAGE=a=b c", "ABSENT"))
    assert seen.keys() == own | {"PATH", "SHOP", "SHOP_STAGE", "STAGE"}
    assert seen["STAGE"] == "a=b c"
    assert seen["QSUPER_DEADLINE"] == ""
    assert "QSUPER_STORE__URL" in environment(env=("PATH", "QSUPER_STORE__URL"))


LOOK_AT_ITSELF = """
import json, os, sys
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
json.dump({
    "descriptors": sorted(int(name) for name in os.listdir("/proc/self/fd"))[:5],
    "leads": os.getpgrp() == os.getpid(),
    "ignored": int(status["SigIgn"], 16) & ~(1 << 12 | 1 << 24),
    "blocked": int(status["SigBlk"], 16),
    "cwd": os.getcwd(),
}, open("out", "w"))
"""


def test_a_program_has_four_descriptors_a_group_of_its_own_and_signals_that_work(
    bench: Bench,
) -> None:
    read, write = os.pipe()
    os.set_inheritable(write, True)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    try:
        assert bench.run(sys.executable, "-c", LOOK_AT_ITSELF) == Done()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
        signal.signal(signal.SIGHUP, before)
        os.close(read)
        os.close(write)
    seen = json.loads(bench.written())
    # The fifth one is its look into the folder.
    assert seen["descriptors"][:4] == [0, 1, 2, 3]
    assert seen["descriptors"][4:] == [4]
    assert seen["leads"]
    # Python ignores SIGPIPE and SIGXFSZ by itself.
    assert seen["ignored"] == 0
    assert seen["blocked"] == 0
    assert seen["cwd"] == str(bench.folder)


def test_what_it_says_on_descriptor_3_is_taken_in(bench: Bench) -> None:
    script = """
        echo '{"progress": 0.25}' >&3
        echo '{"progress": 0.5, "text": "half\\u0000\\ud800"}' >&3
        echo '{"state": {"page": 3}}' >&3
        printf '{"result": [1,' >&3
        printf ' 2]}' >&3
    """
    assert bench.shell(script) == Done("[1,2]")
    assert bench.notes.progressed == [(0.25, ""), (0.5, "half  ")]
    assert bench.notes.saved == '{"page":3}'


def test_what_an_earlier_attempt_has_saved_is_in_the_environment(bench: Bench) -> None:
    assert bench.shell('echo \'{"state": {"page": 3}}\' >&3; exit 3') == Failed("exited with 3")
    assert bench.shell('printf "%s" "$QSUPER_STATE" > out', claims=2) == Done()
    assert bench.written() == '{"page":3}'


JUNK = [
    b"hello",
    b"[]",
    b"{}",
    b'{"other": 1}',
    b'{"progress": "half"}',
    b'{"progress": NaN}',
    b'{"retry_in": -1}',
    b'{"retry_in": true}',
    b'{"result": NaN}',
    b"\xff\xfe\x00",
    b"[" * 60_000,
    b'{"progress": ' + b"9" * 5000 + b"}",
    b'{"result": "' + b"x" * LINE_BYTES_MOST + b'"}',
    b"x" * 1_000_000,
    b'{"state": "' + "ä".encode() * 20_000 + b'"}',
]


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_junk_on_descriptor_3_is_said_once_and_ignored(
    bench: Bench, junk: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (bench.folder / "junk").write_bytes(junk + b"\n" + junk + b"\n")
    with caplog.at_level(logging.WARNING, "qsuper.program"):
        outcome = bench.shell("""cat junk junk >&3; echo '{"result": 1}' >&3; cat junk >&3""")
    assert outcome == Done("1")
    (record,) = caplog.records
    assert len(record.getMessage()) < 500
    assert "\n" not in record.getMessage()
    assert bench.notes.progressed == []
    assert bench.notes.saved is None


def test_a_daemon_that_holds_descriptor_3_holds_up_nobody(bench: Bench) -> None:
    """One that only holds it, and one that goes on to write as fast as it can."""
    (bench.folder / "chatter").write_text("while :; do echo '{\"progress\": 0.1}' >&3; done")
    for daemon in ("sleep 600", "sh chatter"):
        began = time.monotonic()
        try:
            assert bench.shell(f"{daemon} & echo $! > out; exit 3") == Failed("exited with 3")
            assert time.monotonic() - began < 300, "it was not waited for"
        finally:
            with suppress(ProcessLookupError):
                os.kill(int(bench.written()), signal.SIGKILL)


def test_a_program_that_closes_descriptor_3_is_waited_for(bench: Bench) -> None:
    assert bench.shell("exec 3>&-; sleep 0.2; exit 3") == Failed("exited with 3")


def refusals(folder: Path) -> Iterator[tuple[tuple[str, ...], str]]:
    plain, nothing = folder / "plain", folder / "nothing"
    plain.write_text("#!/bin/sh\n")
    nothing.write_text("neither a shell script nor anything else\n")
    nothing.chmod(0o755)
    interpreterless = folder / "interpreterless"
    interpreterless.write_text("#!/no/such/interpreter\n")
    interpreterless.chmod(0o755)
    yield ("no-such-program",), "no-such-program is in no folder of PATH"
    yield ("./not-there",), "is no file; put the program there"
    yield (str(folder / "not-there"),), "is no file; put the program there"
    yield ("./",), "is no file; put the program there"
    yield ("./" + "x" * 300,), "is no file; put the program there"
    yield ("./plain",), "may not be run by this user; chmod +x it"
    yield ("./nothing",), "is no program; begin it with #!"
    yield ("./interpreterless",), "could not be started: No such file or directory"


def test_what_cannot_be_started_is_a_failed_attempt_that_says_why(bench: Bench) -> None:
    for argv, words in refusals(bench.folder):
        outcome = bench.run(*argv)
        assert isinstance(outcome, Failed), argv
        assert words in outcome.error
    for folder in ("gone", "plain", "x" * 300):
        outcome = bench.run("true", cwd=bench.folder / folder)
        assert isinstance(outcome, Failed)
        assert f"{folder} is no folder that this user may enter" in outcome.error


def test_nothing_is_left_open_by_what_ran_and_by_what_did_not(bench: Bench) -> None:
    bench.run("true")
    before = os.listdir("/proc/self/fd")
    for argv in (("true",), ("./not-there",), ("sh", "-c", "kill $$")):
        bench.run(*argv, param="x", way="stdin")
    list(refusals(bench.folder))
    bench.run("./nothing")
    assert os.listdir("/proc/self/fd") == before


LIMITS = """
import json, resource
names = ("AS", "CPU", "NOFILE", "NPROC", "FSIZE")
json.dump({name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}")) for name in names},
          open("out", "w"))
"""


def test_the_kernel_holds_a_program_to_its_limits(bench: Bench) -> None:
    limits = RlimitConfig(memory=1 << 30, cpu=1.5, files=64, processes=1000, file_size=1 << 20)
    assert bench.run(sys.executable, "-c", LIMITS, rlimits=limits) == Done()
    assert json.loads(bench.written()) == {
        "AS": [1 << 30, 1 << 30],
        "CPU": [2, 3],
        "NOFILE": [64, 64],
        "NPROC": [1000, 1000],
        "FSIZE": [1 << 20, 1 << 20],
    }
    small = RlimitConfig(file_size=4096)
    outcome = bench.shell("exec head -c 9000 /dev/zero > large", rlimits=small)
    assert outcome == Failed("was killed by SIGXFSZ: a file grew too large (rlimits.file_size)")
    quick = RlimitConfig(cpu=1)
    outcome = bench.shell("while :; do :; done", rlimits=quick)
    assert outcome == Failed(
        "was killed by SIGXCPU: it has used up its processor time (rlimits.cpu)"
    )


def test_a_large_param_arrives_under_a_limit_that_this_process_is_above(bench: Bench) -> None:
    """The limit is in force before the program is there; nothing may be copied in between."""
    least = RlimitConfig(memory=16 << 20)
    param = "x" * ARGUMENT_BYTES_MOST
    assert bench.run("true", param=param, rlimits=least) == Done()
    eater = "x=$(head -c 100000000 /dev/zero | tr '\\0' x); exit 0"
    assert isinstance(bench.shell(eater, rlimits=least), Failed)


def test_an_exit_status_that_somebody_else_takes_is_a_failed_attempt(bench: Bench) -> None:
    over = threading.Event()

    def steal() -> None:
        while not over.is_set():
            with suppress(ChildProcessError):
                os.waitpid(-1, os.WNOHANG)

    thief = threading.Thread(target=steal)
    thief.start()
    ends = []

    def is_lost() -> bool:
        ends.append(bench.shell("exit 3"))
        return ends[-1] == Failed(STATUS_LOST)

    try:
        wait_for(is_lost, 120, "the thief is quicker once")
    finally:
        over.set()
        thief.join()
    assert set(ends[:-1]) <= {Failed("exited with 3")}


def test_a_job_that_had_its_children_reaped_does_not_spoil_the_next_program(bench: Bench) -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert bench.shell("exit 3") == Failed("exited with 3")
    finally:
        signal.signal(signal.SIGCHLD, before)


@pytest.fixture
def strike() -> Iterator[Callable[[type[Ended], Callable[[], bool]], None]]:
    """Have a worker's alarm raise something as soon as a condition is met."""
    before = signal.getsignal(signal.SIGALRM)
    threads = []
    main = threading.get_ident()

    def prepare(kind: type[Ended], condition: Callable[[], bool]) -> None:
        def raise_it(_number: int, _frame: FrameType | None) -> None:
            raise kind

        def wait() -> None:
            wait_for(condition, 60)
            signal.pthread_kill(main, signal.SIGALRM)

        signal.signal(signal.SIGALRM, raise_it)
        threads.append(threading.Thread(target=wait))
        threads[-1].start()

    yield prepare
    for thread in threads:
        thread.join()
    signal.signal(signal.SIGALRM, before)


STUBBORN = "trap '' TERM; sleep 600 & echo $$ $! > pids; touch ready; wait; sleep 600"


def living(bench: Bench) -> list[str]:
    found = bench.written("pids").split()
    looks = [(pid, processes.look(int(pid))) for pid in found]
    return [pid for pid, look in looks if look is not None and not look.zombie]


@pytest.mark.parametrize(
    ("kind", "expected"), [(SoftTimeout, Failed), (Cancelling, Cancelled), (Aborted, None)]
)
def test_a_program_that_must_end_ends_with_its_group(
    bench: Bench,
    strike: Callable[[type[Ended], Callable[[], bool]], None],
    kind: type[Ended],
    expected: type[Outcome] | None,
) -> None:
    strike(kind, (bench.folder / "ready").exists)
    if expected is None:
        with pytest.raises(kind):
            bench.shell(STUBBORN)
    else:
        outcome = bench.shell(STUBBORN)
        assert isinstance(outcome, expected)
        assert not isinstance(outcome, Failed) or outcome.error == TIMED_OUT
    wait_for(lambda: not living(bench), 60)
    leader = int(bench.written("pids").split()[0])
    assert processes.look(leader) is None, "it is reaped"


def test_a_program_that_obeys_is_given_the_time_to_clean_up(
    bench: Bench, strike: Callable[[type[Ended], Callable[[], bool]], None]
) -> None:
    strike(SoftTimeout, (bench.folder / "ready").exists)
    script = "trap 'echo cleaned > out; exit 0' TERM; touch ready; sleep 600 & wait"
    outcome = bench.shell(script)
    assert isinstance(outcome, Failed), "that it ended well then does not make it done"
    assert outcome.error == TIMED_OUT
    assert bench.written() == "cleaned\n"


def left_by_alarms(folder: Path, *words: str) -> dict[str, list[int]]:
    """What alarms at each moment leave behind, in a process of its own."""
    said = subprocess.run(
        [sys.executable, "-m", "tests.unit.alarms", str(folder), *words],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        check=True,
        timeout=300,
    ).stdout
    left: dict[str, list[int]] = json.loads(said)
    return left


def test_an_alarm_at_any_moment_leaves_no_process_and_no_descriptor(tmp_path: Path) -> None:
    assert left_by_alarms(tmp_path) == {"descriptors": [], "processes": []}


def test_without_its_guard_an_alarm_leaves_something(tmp_path: Path) -> None:
    assert any(any(left_by_alarms(tmp_path, "unguarded").values()) for _ in range(20))
