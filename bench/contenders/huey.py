"""huey, on the storage that BENCH_STORE names: redis, mysql or sqlite."""

import os

from bench.contenders.job import job

_store = os.environ["BENCH_STORE"]
if _store == "redis":
    from huey import RedisHuey

    huey = RedisHuey("bench", url=os.environ["BENCH_REDIS"], results=False)
elif _store == "mysql":
    from huey.contrib.sql_huey import SqlHuey

    # peewee names the driver by itself.
    url = os.environ["BENCH_MYSQL"].replace("mysql+pymysql://", "mysql://")
    huey = SqlHuey("bench", database=url, results=False)
else:
    from huey import SqliteHuey

    huey = SqliteHuey("bench", filename=os.environ["BENCH_SQLITE"], results=False)


@huey.task()
def noop(number: int) -> None:
    job(number)


def add(number: int) -> None:
    noop(number)
