"""What one job changes of its worker's process is as it was before the next one."""

import asyncio
import contextvars
import decimal
import gc
import importlib
import locale
import logging
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import timeit
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from qsuper.job import Done, Job
from qsuper.roles import changeable, leaks
from qsuper.roles.runner import Runner
from qsuper.roles.surroundings import Surroundings
from qsuper.roles.thing import Thing
from qsuper.scoreboard import clock
from tests.acceptance.figures import Figures
from tests.roles.bench import Bench
from tests.servers.program import find_program

setting = contextvars.ContextVar("setting", default="its own")


def change_folder() -> None:
    os.chdir("/")


def change_umask() -> None:
    os.umask(0o777)


def take_the_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGALRM, signal.SIGCHLD, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)


def take_rare_signals() -> None:
    signal.signal(signal.SIGURG, lambda *_: None)
    signal.signal(signal.SIGRTMIN, signal.SIG_IGN)


def block_signals() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGALRM})


def take_the_wakeup() -> None:
    signal.set_wakeup_fd(-1)


def start_timers() -> None:
    signal.setitimer(signal.ITIMER_PROF, 600.0)
    signal.setitimer(signal.ITIMER_VIRTUAL, 600.0)


def change_environment() -> None:
    os.environ["QSUPER_TEST_LEFT"] = "by a job"
    os.environ["HOME"] = "/nowhere"
    os.environ.pop("PATH", None)


def replace_environment() -> None:
    os.environ = {}  # type: ignore[assignment]  # noqa: B003


def change_time_zone() -> None:
    os.environ["TZ"] = "Asia/Tokyo"
    time.tzset()


def change_locale() -> None:
    found = locale.setlocale(locale.LC_ALL)
    locale.setlocale(locale.LC_ALL, "C")
    if locale.setlocale(locale.LC_ALL) == found:
        locale.setlocale(locale.LC_ALL, "C.UTF-8")


def change_path() -> None:
    sys.path.insert(0, "/nowhere")


def replace_path() -> None:
    sys.path = []


def change_recursion() -> None:
    sys.setrecursionlimit(5000)


def trace() -> None:
    sys.settrace(lambda *_: None)
    sys.setprofile(lambda *_: None)


def stop_collecting() -> None:
    gc.disable()


def hurry_sockets() -> None:
    socket.setdefaulttimeout(0.001)


def filter_warnings() -> None:
    warnings.resetwarnings()


def silence_logs() -> None:
    logging.disable(logging.CRITICAL)
    logging.getLogger().setLevel(logging.CRITICAL)
    logging.getLogger("qsuper").setLevel(logging.CRITICAL)
    logging.getLogger("qsuper.worker").disabled = True
    logging.getLogger("qsuper").propagate = not logging.getLogger("qsuper").propagate


def replace_log_handlers() -> None:
    logging.getLogger().handlers = [logging.NullHandler()]
    logging.getLogger("qsuper").addHandler(logging.NullHandler())


def round_decimals() -> None:
    decimal.getcontext().prec = 2


def trap_decimals() -> None:
    decimal.getcontext().traps[decimal.Inexact] = True


def set_a_context_variable() -> None:
    setting.set("a job's")


def switch_seldom() -> None:
    sys.setswitchinterval(1.0)


def close_input() -> None:
    os.close(0)


def stay_on_one_processor() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def leave_the_groups() -> None:
    os.setgroups([12345])


def collect_always() -> None:
    gc.set_threshold(1, 1, 1)


def refuse_records(*_: object) -> logging.LogRecord:
    raise ValueError


def take_the_hooks() -> None:
    logging.setLogRecordFactory(refuse_records)
    sys.excepthook = print
    sys.argv[:] = ["a job"]


MEDDLERS: list[Callable[[], None]] = [
    change_folder,
    change_umask,
    take_the_signals,
    take_rare_signals,
    block_signals,
    take_the_wakeup,
    start_timers,
    change_environment,
    replace_environment,
    change_time_zone,
    change_locale,
    change_path,
    replace_path,
    change_recursion,
    trace,
    stop_collecting,
    hurry_sockets,
    filter_warnings,
    silence_logs,
    replace_log_handlers,
    round_decimals,
    set_a_context_variable,
    switch_seldom,
    close_input,
    trap_decimals,
    collect_always,
    take_the_hooks,
    *([stay_on_one_processor] if len(os.sched_getaffinity(0)) > 1 else []),
    *([] if os.geteuid() else [leave_the_groups]),
]


def _traps() -> dict[Any, bool]:
    return dict(decimal.getcontext().traps)


def everything() -> dict[str, Any]:
    """What the jobs above change, looked at from here."""
    umask = os.umask(0)
    os.umask(umask)
    wakeup = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(wakeup)
    root, ours = logging.getLogger(), logging.getLogger("qsuper")
    return {
        "folder": Path.cwd(),
        "umask": umask,
        "handlers": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "blocked": signal.pthread_sigmask(signal.SIG_BLOCK, ()),
        "wakeup": wakeup,
        "timers": [
            signal.getitimer(one) > (0.0, 0.0)
            for one in (signal.ITIMER_REAL, signal.ITIMER_PROF, signal.ITIMER_VIRTUAL)
        ],
        "environment": dict(os.environ),
        "as children see it": sorted(subprocess.check_output([find_program("env")]).splitlines()),
        "zone": (time.tzname, time.localtime(0).tm_hour),
        "locale": locale.setlocale(locale.LC_ALL),
        "path": list(sys.path),
        "interpreter": (sys.getrecursionlimit(), sys.gettrace(), sys.getprofile(), gc.isenabled()),
        "sockets": socket.getdefaulttimeout(),
        "filters": list(warnings.filters),
        "logs": (
            [root.level, list(root.handlers), root.manager.disable],
            [ours.level, list(ours.handlers), ours.propagate],
            logging.getLogger("qsuper.worker").isEnabledFor(logging.WARNING),
        ),
        "decimals": decimal.getcontext().prec,
        "traps": _traps(),
        "processors": (os.sched_getaffinity(0), os.getgroups(), gc.get_threshold()),
        "hooks": (logging.getLogRecordFactory(), sys.excepthook, list(sys.argv)),
        "variable": setting.get(),
        "switches": sys.getswitchinterval(),
        "input": os.fstat(0).st_rdev,
    }


@pytest.fixture(autouse=True)
def _as_in_a_child() -> Iterator[None]:
    """Nothing to read, and a descriptor that a signal wakes."""
    before = os.dup(0)
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    read, write = os.pipe2(os.O_NONBLOCK)
    wakeup = signal.set_wakeup_fd(write)
    yield
    signal.set_wakeup_fd(wakeup)
    for descriptor in (read, write):
        os.close(descriptor)
    os.dup2(before, 0)
    os.close(before)


def run(runner: Runner, task: str, *, quiet: bool = False) -> None:
    """As a worker runs it."""
    runner._record.hold([1], [5])
    job = Job(1, task, None, 1, None, 600.0, 1)
    outcome, _ = runner.run(job, runner.task(job), 0, clock(), quiet=quiet)
    assert isinstance(outcome, Done), outcome


def nothing() -> None:
    """Changes nothing."""


@pytest.mark.parametrize("meddle", MEDDLERS)
def test_the_next_job_finds_all_as_if_nothing_had_been(
    sqlite_bench: Bench, meddle: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    sqlite_bench.task(meddle)
    runner = sqlite_bench.runner(sqlite_bench.record())
    before = everything()
    run(runner, meddle.__name__)
    assert everything() == before
    assert not runner.spoilt
    if meddle is not set_a_context_variable:
        assert f"{meddle.__name__} leaves " in caplog.text


@pytest.mark.parametrize("meddle", MEDDLERS)
def test_a_job_of_a_well_known_task_is_found_out_as_well(
    sqlite_bench: Bench, meddle: Callable[[], None]
) -> None:
    """At once where the next job depends on it, else after a bounded number of jobs."""
    sqlite_bench.task(meddle)
    sqlite_bench.task(nothing)
    runner = sqlite_bench.runner(sqlite_bench.record())
    before = everything()
    run(runner, meddle.__name__, quiet=True)
    for _ in range(64):
        run(runner, "nothing", quiet=True)
    assert everything() == before


def test_a_job_that_changes_nothing_is_not_spoken_of(
    sqlite_bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """The check of the checks above: what is there before and after is not taken for a change."""
    sqlite_bench.task(nothing)
    runner = sqlite_bench.runner(sqlite_bench.record())
    for _ in range(10):
        run(runner, "nothing")
    assert "leaves" not in caplog.text


def test_what_a_task_leaves_each_time_is_said_once(
    sqlite_bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    sqlite_bench.task(change_folder)
    runner = sqlite_bench.runner(sqlite_bench.record())
    for _ in range(10):
        run(runner, "change_folder")
    assert caplog.text.count("change_folder leaves the working directory changed") == 1


SET_UP = """
import decimal, locale, logging, os, socket, sys, time, warnings
decimal.getcontext().prec = 50
decimal.getcontext().traps[decimal.FloatOperation] = True
os.environ["API_KEY"] = "secret"
os.environ["TZ"] = "Asia/Tokyo"
time.tzset()
socket.setdefaulttimeout(30)
sys.path.insert(0, "/plugins")
locale.setlocale(locale.LC_ALL, "C" if locale.setlocale(locale.LC_ALL) != "C" else "C.UTF-8")
warnings.simplefilter("ignore", FutureWarning)
logging.getLogger().addHandler(logging.NullHandler())
"""
"""What a module does at its top level, once in a process."""
SET_UP_CHANGES = {
    *("decimals", "traps", "environment", "as children see it", "zone", "sockets", "path"),
    *("locale", "filters", "logs"),
}


@contextmanager
def restored() -> Iterator[None]:
    """What is kept in a worker is not kept in the test's process."""
    untouched = Surroundings()
    try:
        yield
    finally:
        sys.modules.pop("lazily_imported", None)
        assert untouched.put_back("a test", trusted=False) == ""


@pytest.fixture
def lazy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module of the application that nobody has imported."""
    file = tmp_path / "lazily_imported.py"
    file.write_text(SET_UP)
    monkeypatch.syspath_prepend(tmp_path)
    return file


def import_lazily() -> None:
    importlib.import_module("lazily_imported")


def import_lazily_and_meddle() -> None:
    import_lazily()
    os.chdir("/")
    os.umask(0o777)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.environ["QSUPER_RUN"] = "stolen"
    sys.path = ["/nowhere"]
    logging.getLogger().handlers = [logging.NullHandler()]


@pytest.mark.parametrize("trusted", [False, True])
def test_what_a_module_sets_up_when_a_job_imports_it_stays(
    sqlite_bench: Bench,
    lazy: Path,
    caplog: pytest.LogCaptureFixture,
    trusted: bool,
) -> None:
    assert lazy.exists()
    sqlite_bench.task(import_lazily)
    sqlite_bench.task(nothing)
    runner = sqlite_bench.runner(sqlite_bench.record())
    caplog.set_level(logging.INFO, "qsuper.worker")
    with restored():
        before = everything()
        run(runner, "import_lazily", quiet=trusted)
        after = everything()
        assert {name for name in after if after[name] != before[name]} == SET_UP_CHANGES
        for task in ["import_lazily", "nothing"] * 70:
            run(runner, task, quiet=trusted)
            assert not runner.spoilt
        assert everything() == after
        assert caplog.text.count("import_lazily has imported lazily_imported and changed ") == 1
        assert "put back" not in caplog.text


def test_what_belongs_to_the_worker_goes_back_though_a_module_was_imported(
    sqlite_bench: Bench, lazy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QSUPER_RUN", "ours")
    sqlite_bench.task(import_lazily_and_meddle)
    runner = sqlite_bench.runner(sqlite_bench.record())
    with restored():
        before, handlers = everything(), list(logging.getLogger().handlers)
        run(runner, "import_lazily_and_meddle")
        after = everything()
        assert {name for name in after if after[name] != before[name]} == SET_UP_CHANGES
        assert os.environ["QSUPER_RUN"] == "ours"
        assert {*before["path"], "/nowhere"} == set(sys.path)
        assert str(lazy.parent) in sys.path
        assert set(handlers) < set(logging.getLogger().handlers)


@pytest.mark.parametrize("meddle", MEDDLERS)
def test_to_import_a_module_of_pythons_own_is_no_excuse(
    sqlite_bench: Bench, meddle: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def import_and_meddle() -> None:
        importlib.import_module("colorsys")
        meddle()

    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    sqlite_bench.task(import_and_meddle)
    runner = sqlite_bench.runner(sqlite_bench.record())
    before = everything()
    run(runner, "import_and_meddle")
    assert everything() == before


def seed() -> None:
    random.seed(1)


def test_a_job_that_seeds_makes_nobody_elses_random_numbers_the_same(sqlite_bench: Bench) -> None:
    sqlite_bench.task(seed)
    runner = sqlite_bench.runner(sqlite_bench.record())
    numbers = set()
    for _ in range(5):
        run(runner, "seed")
        numbers.add(random.random())
    assert len(numbers) == 5


def test_random_numbers_are_the_same_where_somebody_has_just_seeded() -> None:
    """The negative control of the one above."""
    numbers = set()
    for _ in range(5):
        seed()
        numbers.add(random.random())
    assert len(numbers) == 1


async def leave_a_task_behind() -> None:
    async def go_on() -> None:
        while True:
            await asyncio.sleep(0.001)
            ticks.append(1)

    background.append(asyncio.get_running_loop().create_task(go_on()))
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, ticks.clear)
    await asyncio.sleep(0.01)


async def wait_a_moment() -> None:
    await asyncio.sleep(0.02)


ticks: list[int] = []
background: list["asyncio.Task[None]"] = []


def test_what_an_async_job_leaves_running_does_not_reach_the_next_one(sqlite_bench: Bench) -> None:
    sqlite_bench.task(leave_a_task_behind)
    sqlite_bench.task(wait_a_moment)
    runner = sqlite_bench.runner(sqlite_bench.record())
    before = everything()
    run(runner, "leave_a_task_behind")
    (left,) = background
    assert left.cancelled()
    count = len(ticks)
    assert count
    run(runner, "wait_a_moment")
    assert len(ticks) == count
    assert everything() == before


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Lets the threads of a test end."""
    event = threading.Event()
    before = set(threading.enumerate())
    yield event
    event.set()
    for thread in set(threading.enumerate()) - before:
        thread.join()


@pytest.mark.parametrize(("count", "replaced"), [(3, False), (64, False), (100, True)])
def test_a_worker_whose_jobs_leave_a_heap_of_threads_is_replaced(
    sqlite_bench: Bench, release: threading.Event, count: int, replaced: bool
) -> None:
    def leave_threads() -> None:
        for _ in range(count):
            threading.Thread(target=release.wait, daemon=True).start()

    sqlite_bench.task(leave_threads)
    runner = sqlite_bench.runner(sqlite_bench.record())
    run(runner, "leave_threads")
    assert ("threads, which jobs have left running" in runner.spoilt) == replaced


def test_a_worker_whose_jobs_leave_one_thread_after_the_other_is_replaced(
    sqlite_bench: Bench, release: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaks, "THREADS_MOST", 5)

    def leave_one() -> None:
        threading.Thread(target=release.wait, daemon=True).start()

    sqlite_bench.task(leave_one)
    runner = sqlite_bench.runner(sqlite_bench.record())
    for _ in range(5):
        run(runner, "leave_one")
        assert not runner.spoilt
    run(runner, "leave_one")
    assert "threads, which jobs have left running" in runner.spoilt


def test_a_pool_of_threads_that_a_task_keeps_is_no_leak(sqlite_bench: Bench) -> None:
    pools: list[ThreadPoolExecutor] = []
    began = threading.Barrier(64, timeout=60)

    def use_a_pool() -> None:
        if not pools:
            pools.append(ThreadPoolExecutor(64))
        list(pools[0].map(lambda _: began.wait(), range(64)))

    sqlite_bench.task(use_a_pool)
    runner = sqlite_bench.runner(sqlite_bench.record())
    try:
        for _ in range(5):
            run(runner, "use_a_pool")
            assert not runner.spoilt
    finally:
        pools[0].shutdown()


@pytest.mark.parametrize(("count", "replaced"), [(20, False), (2000, True)])
def test_a_worker_whose_jobs_leave_a_heap_of_files_open_is_replaced(
    sqlite_bench: Bench, count: int, replaced: bool
) -> None:
    left: list[int] = []

    def leave_files() -> None:
        left.extend(os.open(os.devnull, os.O_RDONLY) for _ in range(count))

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(4096, hard)), hard))
    try:
        sqlite_bench.task(leave_files)
        runner = sqlite_bench.runner(sqlite_bench.record())
        run(runner, "leave_files")
    finally:
        for descriptor in left:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert ("open files, which jobs have left open" in runner.spoilt) == replaced


def test_a_worker_that_cannot_be_put_back_is_replaced(
    sqlite_bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As the priority cannot be where the user is not root."""
    level = [0]

    def be_nice() -> None:
        level[0] = 5

    def refuse(_wanted: int) -> None:
        raise PermissionError

    thing = Thing("the priority", lambda: level[0], refuse)
    monkeypatch.setattr(changeable, "dear", lambda: [thing])
    sqlite_bench.task(be_nice)
    runner = sqlite_bench.runner(sqlite_bench.record())
    run(runner, "be_nice")
    assert runner.spoilt == "the priority"
    assert "replaced, for it cannot put back what it leaves: the priority" in caplog.text


def test_what_looking_after_a_job_costs(request: pytest.FixtureRequest) -> None:
    figures = Figures(request.node.name)
    surroundings = Surroundings()
    number = 20_000

    def cost(trusted: bool) -> float:
        # timeit switches the collector off unless told.
        each = timeit.Timer(
            lambda: surroundings.put_back("nothing", trusted=trusted), "gc.enable()"
        )
        return min(each.repeat(5, number)) / number * 1e6

    figures(us_after_a_quick_job=cost(True), us_after_another=cost(False))
    assert surroundings.put_back("nothing", trusted=True) == ""
