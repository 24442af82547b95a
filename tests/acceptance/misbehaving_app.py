"""An application whose jobs fork, await, and meddle with what is the worker's."""

import asyncio
import ctypes
import faulthandler
import gc
import locale
import logging
import multiprocessing
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn, cast

from tests.acceptance.app import journal, queue

__all__ = ["queue"]

FORK = multiprocessing.get_context("fork")


def _sleep(begun: "multiprocessing.synchronize.Event") -> None:
    begun.set()
    time.sleep(3600)


def _terminate_a_child(n: int, patient: bool) -> None:
    """By SIGTERM, which the child is to die of."""
    with journal.run(n):
        begun = FORK.Event()
        child = FORK.Process(target=_sleep, args=(begun,))
        child.start()
        if patient:
            begun.wait()
        child.terminate()
        child.join()
        assert child.exitcode == -signal.SIGTERM


@queue.task
def terminate_a_child(n: int) -> None:
    _terminate_a_child(n, patient=True)


@queue.task
def terminate_a_newborn_child(n: int) -> None:
    """It may not yet have run at all."""
    _terminate_a_child(n, patient=False)


@queue.task
def use_a_pool(n: int) -> None:
    """Leaving the block terminates its processes."""
    with journal.run(n), FORK.Pool(2) as pool:
        assert pool.map(abs, range(-5, 0)) == [5, 4, 3, 2, 1]


@queue.task
async def pause(n: int) -> None:
    """Has run only if somebody awaited it."""
    with journal.run(n):
        await asyncio.sleep(0.01)


@queue.task
async def pause_and_fail(n: int) -> None:
    with journal.run(n):
        await asyncio.sleep(0.01)
        raise ValueError("awaited and refused")


@queue.task
def take_the_alarm(n: int) -> None:
    with journal.run(n):
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 0.01)


@queue.task
def hang(n: int) -> None:
    with journal.run(n):
        time.sleep(3600)


@queue.task
def leave_an_orphan(n: int) -> None:
    """It ends when the job has long been done."""
    with journal.run(n):
        assert os.system("(sleep .2 &) ; true") == 0


@queue.task(keep_result=True)
def behave(n: int) -> dict[str, Any]:
    """Say what this process is like."""
    with journal.run(n):
        print(f"well behaved: {n}")
        print(f"and said so: {n}", file=sys.stderr)
        os.write(1, f"to descriptor 1: {n}\n".encode())
        subprocess.run(["echo", f"by a child: {n}"], check=True)
        logging.getLogger("shop").warning("logged: %d", n)
        umask = os.umask(0o022)
        os.umask(umask)
        return {
            "folder": str(Path.cwd()),
            "umask": umask,
            "environment": dict(os.environ),
            "path": sys.path,
            "terminates": callable(signal.getsignal(signal.SIGTERM)),
            "reaps": signal.getsignal(signal.SIGCHLD) is signal.SIG_DFL,
            "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
            "locale": locale.setlocale(locale.LC_ALL),
            "recursion": sys.getrecursionlimit(),
            "collects": gc.isenabled(),
            "traced": sys.gettrace() is not None,
            "sockets": socket.getdefaulttimeout(),
            "filters": len(warnings.filters),
            "priority": os.getpriority(os.PRIO_PROCESS, 0),
            "files": resource.getrlimit(resource.RLIMIT_NOFILE),
            "crowded": threading.active_count() > 40,
        }


@queue.task(keep_result=True)
def return_an_object(n: int) -> Any:
    with journal.run(n):
        return object()


@queue.task
def return_a_lock(n: int) -> Any:
    with journal.run(n):
        return threading.Lock()


@queue.task
def raise_a_base_exception(n: int) -> NoReturn:
    with journal.run(n):
        raise BaseException("not even an Exception")


@queue.task
def interrupt_itself(n: int) -> NoReturn:
    with journal.run(n):
        raise KeyboardInterrupt


@queue.task
def exit_the_generator(n: int) -> NoReturn:
    with journal.run(n):
        raise GeneratorExit


@queue.task
def exit_with_success(n: int) -> NoReturn:
    with journal.run(n):
        sys.exit(0)


def _exit_at_once(n: int, status: int) -> NoReturn:
    with journal.run(n):
        os._exit(status)


@queue.task
def exit_at_once_0(n: int) -> NoReturn:
    """As one that drains."""
    _exit_at_once(n, 0)


@queue.task
def exit_at_once_10(n: int) -> NoReturn:
    """As one that makes room."""
    _exit_at_once(n, 10)


@queue.task
def exit_at_once_11(n: int) -> NoReturn:
    """As one that cannot boot."""
    _exit_at_once(n, 11)


@queue.task
def exit_at_once_12(n: int) -> NoReturn:
    """As one whose master is dead."""
    _exit_at_once(n, 12)


@queue.task
def crash(n: int) -> None:
    with journal.run(n):
        faulthandler.disable()
        signal.signal(signal.SIGSEGV, signal.SIG_DFL)
        ctypes.string_at(0)


@queue.task
def ask_itself_to_stop(n: int) -> None:
    with journal.run(n):
        os.kill(os.getpid(), signal.SIGTERM)


@queue.task
def return_twice(n: int) -> None:
    with journal.run(n):
        pass
    if copy := os.fork():
        # What it prints is to be this job's output.
        os.waitid(os.P_PID, copy, os.WEXITED | os.WNOWAIT)
        return
    os.write(1, b"a copy was here\n")
    raise RuntimeError("the copy fails")


@queue.task
def leave_a_child(n: int) -> None:
    with journal.run(n):
        if not os.fork():
            time.sleep(1.0)
            os._exit(0)


@queue.task
def steal_statuses(n: int) -> None:
    with journal.run(n):
        child = subprocess.Popen(["true"])
        try:
            while True:
                os.waitpid(-1, 0)
        except ChildProcessError:
            child.wait()


@queue.task
def go_away(n: int) -> None:
    with journal.run(n):
        os.chdir("/")


@queue.task
def remove_the_ground(n: int) -> None:
    with journal.run(n):
        os.chdir(tempfile.mkdtemp())
        shutil.rmtree(Path.cwd())


@queue.task
def mask_everything(n: int) -> None:
    with journal.run(n):
        os.umask(0o777)


@queue.task
def take_all_signals(n: int) -> None:
    with journal.run(n):
        for number in signal.valid_signals() - {
            signal.SIGKILL,
            signal.SIGSTOP,
            signal.SIGUSR2,
        }:
            signal.signal(number, signal.SIG_IGN)
        signal.set_wakeup_fd(-1)


@queue.task
def take_the_stacks_signal(n: int) -> None:
    """Which is not Python's to put back."""
    with journal.run(n):
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)


@queue.task
def block_all_signals(n: int) -> None:
    with journal.run(n):
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


@queue.task
def set_a_deadly_timer(n: int) -> None:
    """SIGPROF ends a process."""
    with journal.run(n):
        signal.setitimer(signal.ITIMER_PROF, 0.5)
        signal.setitimer(signal.ITIMER_REAL, 0.05)


@queue.task
def speak_in_tongues(n: int) -> None:
    with journal.run(n):
        locale.setlocale(locale.LC_ALL, "C")
        locale.setlocale(locale.LC_ALL, "C.UTF-8")


@queue.task
def redecorate(n: int) -> None:
    with journal.run(n):
        os.environ.clear()
        os.environ["TZ"] = "Asia/Tokyo"
        time.tzset()
        sys.path.clear()


@queue.task
def twist_the_interpreter(n: int) -> None:
    with journal.run(n):
        gc.disable()
        sys.setrecursionlimit(150)
        socket.setdefaulttimeout(1e-6)
        warnings.simplefilter("error")
        random.seed(4)
        sys.settrace(lambda *_: None)


@queue.task
def be_silent(n: int) -> None:
    with journal.run(n):
        logging.disable(logging.CRITICAL)
        logging.basicConfig(force=True, level=logging.CRITICAL, stream=sys.stdout)


@queue.task
def be_nice(n: int) -> None:
    with journal.run(n):
        os.nice(5)


@queue.task
def be_modest(n: int) -> None:
    with journal.run(n):
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))


def _mutter(noisy: bool) -> None:
    while True:
        if noisy:
            print("muttering", flush=True)
        time.sleep(0.01)


@queue.task
def leave_threads(n: int) -> None:
    with journal.run(n):
        for number in range(100):
            threading.Thread(target=_mutter, args=(number == 50,)).start()


_hoard: list[int] = []


@queue.task
def leave_files(n: int) -> None:
    """2,000, or as many as there may be."""
    with journal.run(n), suppress(OSError):
        _hoard.extend(os.open(os.devnull, os.O_RDONLY) for _ in range(2000))


@queue.task
def flood(n: int) -> None:
    """10 MB/s of anything."""
    with journal.run(n):
        noise = os.urandom(1 << 20)
        for _ in range(20):
            os.write(1, noise)
            time.sleep(0.1)


@queue.task
def print_many_lines(n: int) -> None:
    with journal.run(n):
        print("\n" * 60_000)


@queue.task
def close_the_descriptors(n: int) -> None:
    with journal.run(n):
        for descriptor in (0, 1, 2):
            os.close(descriptor)


@queue.task
def take_the_descriptors(n: int) -> None:
    """What is opened next gets their numbers."""
    with journal.run(n):
        for descriptor in (1, 2):
            os.close(descriptor)
            os.open(os.devnull, os.O_WRONLY)


@queue.task
def detach_the_output(n: int) -> None:
    with journal.run(n):
        cast(TextIOWrapper, sys.stdout).detach()
        sys.stderr = None


@queue.task
def close_everything(n: int) -> None:
    """As who makes himself a daemon."""
    with journal.run(n):
        print("not long now")
    os.closerange(3, 4096)
