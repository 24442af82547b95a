"""What of this process a job's code can change: how each is looked at, and how it is put back."""

import decimal
import gc
import locale
import logging
import os
import resource
import signal
import socket
import sys
import time
import warnings

# `signal.getsignal` takes seven times as long, to make an enum of each answer.
from _signal import getsignal  # type: ignore[import-not-found]
from functools import partial
from typing import Any

from qsuper.roles.leaks import leaks
from qsuper.roles.thing import CannotPutBack, Thing

_VITAL_SIGNALS = (
    signal.SIGTERM,
    signal.SIGQUIT,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGALRM,
    signal.SIGCHLD,
    signal.SIGPIPE,
)
_SIGNALS = tuple(sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}))
_LIMITS = (
    resource.RLIMIT_AS,
    resource.RLIMIT_CORE,
    resource.RLIMIT_CPU,
    resource.RLIMIT_DATA,
    resource.RLIMIT_FSIZE,
    resource.RLIMIT_MEMLOCK,
    resource.RLIMIT_NOFILE,
    resource.RLIMIT_NPROC,
    resource.RLIMIT_STACK,
)
_TIMERS = (signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)


def cheap() -> list[Thing]:
    """Things that take a tenth of a microsecond to look at, as they are now."""
    root, ours = logging.getLogger(), logging.getLogger("qsuper")
    environment = vars(os.environ)["_data"]
    umask = os.umask(0o022)
    os.umask(umask)
    return [
        Thing("the working directory", _folder, os.chdir),
        # To look at it is to set it.
        Thing("the umask", partial(os.umask, umask), os.umask),
        _handlers_of(_VITAL_SIGNALS),
        Thing("the environment", lambda: environment, _put_environment_back, _but_our_own),
        Thing("os.environ", lambda: os.environ, partial(setattr, os, "environ")),
        Thing("sys.path", lambda: sys.path, partial(setattr, sys, "path"), _with_all_of),
        Thing("sys.argv", lambda: sys.argv, partial(setattr, sys, "argv")),
        Thing("the exception hook", lambda: sys.excepthook, _put_hook_back, _as_it_is),
        Thing("the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
        Thing("the trace function", sys.gettrace, sys.settrace),
        Thing("the profile function", sys.getprofile, sys.setprofile),
        Thing(
            "the garbage collector", gc.isenabled, lambda on: gc.enable() if on else gc.disable()
        ),
        Thing(
            "the time-out of sockets",
            socket.getdefaulttimeout,
            socket.setdefaulttimeout,
            _as_it_is,
        ),
        Thing("warning filters", lambda: warnings.filters, _put_filters_back, _as_it_is),
        Thing("log records", logging.getLogRecordFactory, logging.setLogRecordFactory, _as_it_is),
        Thing(
            "log handlers",
            lambda: root.handlers,
            partial(setattr, root, "handlers"),
            _with_all_of,
        ),
        Thing("log handlers", lambda: ours.handlers, partial(setattr, ours, "handlers")),
        Thing(
            "log levels", partial(_log_levels, root, ours), partial(_put_levels_back, root, ours)
        ),
    ]


def dear() -> list[Thing]:
    """Things that take longer, or are hardly ever touched."""
    wakeup = signal.set_wakeup_fd(-1)
    _set_wakeup(wakeup)
    return [
        _handlers_of(_SIGNALS),
        Thing("blocked signals", partial(signal.pthread_sigmask, signal.SIG_BLOCK, ()), _block),
        Thing("the wake-up descriptor", partial(_set_wakeup, wakeup), _set_wakeup),
        Thing("interval timers", lambda: [signal.getitimer(one) for one in _TIMERS], _stop_timers),
        Thing("the locale", partial(locale.setlocale, locale.LC_ALL), _put_locale_back, _as_it_is),
        # After the environment, which names it.
        Thing("the time zone", lambda: time.tzname, lambda _: time.tzset(), _as_it_is),
        Thing("decimal's context", _decimal_context, _put_decimals_back, _as_it_is),
        Thing("the garbage collector", gc.get_threshold, lambda wanted: gc.set_threshold(*wanted)),
        Thing("the switch interval", sys.getswitchinterval, sys.setswitchinterval),
        Thing("standard input", _standard_input, _put_input_back),
        Thing(
            "the priority",
            partial(os.getpriority, os.PRIO_PROCESS, 0),
            partial(os.setpriority, os.PRIO_PROCESS, 0),
        ),
        Thing("the processors", partial(os.sched_getaffinity, 0), partial(os.sched_setaffinity, 0)),
        Thing("resource limits", lambda: [resource.getrlimit(one) for one in _LIMITS], _put_limits),
        Thing("user and groups", lambda: (os.getresuid(), os.getresgid()), _refuse),
        Thing("supplementary groups", os.getgroups, os.setgroups),
        Thing("the root directory", lambda: os.lstat("/").st_ino, _refuse),
        *leaks(),
    ]


def _as_it_is(now: Any, _before: Any) -> Any:
    return now


def _with_all_of(now: Any, before: list[Any]) -> list[Any]:
    """A module may add to it: what was there, the log's own handler for one, is needed."""
    return [*now, *(one for one in before if one not in now)] if isinstance(now, list) else before


def _but_our_own(now: dict[bytes, bytes], before: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """By `QSUPER_RUN` the next master finds what this one has left behind."""
    theirs = {name: value for name, value in now.items() if not name.startswith(b"QSUPER_")}
    return theirs | {name: value for name, value in before.items() if name.startswith(b"QSUPER_")}


def _folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109 - a path object takes ten times as long
    except OSError:  # removed under its feet
        return None


def _handlers_of(numbers: tuple[int, ...]) -> Thing:
    def put_back(wanted: list[Any]) -> None:
        for number, handler in zip(numbers, wanted, strict=True):
            if getsignal(number) == handler:
                continue
            if number == signal.SIGUSR2:
                # It is faulthandler's, which Python does not see: what it does see would end us.
                raise CannotPutBack("the handler of SIGUSR2")
            signal.signal(number, handler)

    return Thing("signal handlers", lambda: list(map(getsignal, numbers)), put_back)


def _put_environment_back(wanted: dict[bytes, bytes]) -> None:
    for name in os.environb.keys() - wanted.keys():
        del os.environb[name]
    for name, value in wanted.items():
        if os.environb.get(name) != value:
            os.environb[name] = value


def _put_filters_back(wanted: list[Any]) -> None:
    warnings.filters[:] = wanted  # type: ignore[index]
    # To enter and to leave it tells the module that they have changed.
    with warnings.catch_warnings():
        pass


def _put_hook_back(wanted: Any) -> None:
    sys.excepthook = wanted


def _log_levels(root: logging.Logger, ours: logging.Logger) -> tuple[Any, ...]:
    disabled = ours.manager.disable
    return root.level, disabled, ours.level, ours.propagate, ours.disabled, _log.disabled


def _put_levels_back(root: logging.Logger, ours: logging.Logger, wanted: tuple[Any, ...]) -> None:
    root_level, disabled, level, ours.propagate, _, _ = wanted
    root.setLevel(root_level)
    ours.setLevel(level)
    logging.disable(disabled)
    for name in list(ours.manager.loggerDict):
        if name == "qsuper" or name.startswith("qsuper."):
            logging.getLogger(name).disabled = False


def _block(wanted: set[int]) -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, wanted)


def _set_wakeup(descriptor: int) -> int:
    return signal.set_wakeup_fd(descriptor, warn_on_full_buffer=False)


def _stop_timers(_wanted: object) -> None:
    for one in _TIMERS:
        signal.setitimer(one, 0)


def _put_locale_back(wanted: str) -> None:
    locale.setlocale(locale.LC_ALL, wanted)


def _decimal_context() -> tuple[Any, ...]:
    """What makes one like it; without flags, which any sum raises."""
    *settings, _flags, traps = decimal.getcontext().__reduce__()[1]
    return *settings, [], traps


def _put_decimals_back(wanted: tuple[Any, ...]) -> None:
    decimal.setcontext(decimal.Context(*wanted))


def _standard_input() -> tuple[int, int] | None:
    try:
        found = os.fstat(0)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _put_input_back(_wanted: object) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    if nothing:
        os.dup2(nothing, 0)
        os.close(nothing)


def _put_limits(wanted: list[tuple[int, int]]) -> None:
    for one, limits in zip(_LIMITS, wanted, strict=True):
        resource.setrlimit(one, limits)


def _refuse(_wanted: object) -> None:
    raise PermissionError


_log = logging.getLogger("qsuper.worker")
