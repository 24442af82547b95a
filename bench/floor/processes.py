"""The floor of memory: seven processes forked from one, each with a connection, and nothing else.

As many as qsuper has for 4 workers. Each writes a record once it is connected, and rests.
"""

import gc
import importlib
import os
import signal
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pymysql

PROCESSES = 7


def by_pymysql(url: str) -> Any:
    parts = urlsplit(url)
    return pymysql.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=parts.username,
        database=parts.path[1:],
        autocommit=True,
    )


def by_sqlalchemy(url: str) -> Any:
    return importlib.import_module("sqlalchemy").create_engine(url).connect()


WAYS: dict[str, Callable[[str], Any]] = {"pymysql": by_pymysql, "sqlalchemy": by_sqlalchemy}


def main(way: str) -> None:
    importlib.import_module(way)
    gc.collect()
    gc.freeze()
    number = next((number for number in range(1, PROCESSES) if os.fork() == 0), 0)
    connection = WAYS[way](os.environ["BENCH_MYSQL"])
    journal = os.open(os.environ["BENCH_JOURNAL"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(journal, b"%015d\n" % number)
    signal.pause()
    connection.close()


if __name__ == "__main__":
    main(sys.argv[1])
