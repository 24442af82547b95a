"""The floor of an enqueue: a bare INSERT by PyMySQL, of one row or of many at once."""

import os
from urllib.parse import urlsplit

import pymysql

INSERT = "INSERT INTO queue (task, param) VALUES (%s, %s)"

_url = urlsplit(os.environ["BENCH_MYSQL"])
_cursor = pymysql.connect(
    host=_url.hostname,
    port=_url.port or 3306,
    user=_url.username,
    database=_url.path[1:],
    autocommit=True,
).cursor()


def add(number: int) -> None:
    _cursor.execute(INSERT, ("noop", f'{{"number": {number}}}'))


def add_many(numbers: range) -> None:
    _cursor.executemany(INSERT, [("noop", f'{{"number": {number}}}') for number in numbers])
