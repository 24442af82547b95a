"""The one job of every contender: one O_APPEND write of 16 bytes.

The record is the job's number; with BENCH_STAMP set the number is a moment (ns since the epoch),
and the record says how many ns have passed since.
"""

import os
import time

_file = os.open(
    os.environ.get("BENCH_JOURNAL", os.devnull), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600
)


def _count(number: int) -> None:
    os.write(_file, b"%015d\n" % number)


def _stamp(number: int) -> None:
    os.write(_file, b"%015d\n" % (time.time_ns() - number))


job = _stamp if "BENCH_STAMP" in os.environ else _count
