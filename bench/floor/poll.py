"""The floor of a poll: a bare loop that looks each 22 ms, and claims what it finds."""

import os
import time

from bench.floor.path import connect, run_next

LOOK_EVERY = 0.022


def main() -> None:
    journal = os.open(os.environ["BENCH_JOURNAL"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    while True:
        time.sleep(LOOK_EVERY)
        while run_next(connect(), journal):
            pass


if __name__ == "__main__":
    main()
