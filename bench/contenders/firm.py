"""firm-queue on MariaDB."""

import os

from firm.queue import configure, schema
from firm.queue import job as task
from firm.queue.supervisor import DispatcherConfig, ForkSupervisor, SupervisorConfig, WorkerConfig

from bench.contenders.job import job

runtime = configure(os.environ["BENCH_MYSQL"])


@task()
def noop(number: int) -> None:
    job(number)


def add(number: int) -> None:
    noop.enqueue(number)


def create_tables() -> None:
    schema.create_all(runtime.engine)


def serve(workers: int) -> None:
    """Its command line starts one worker process; several are to be had from Python."""
    supervisor = SupervisorConfig(
        # It sleeps for the interval between two looks even where jobs wait.
        workers=[WorkerConfig(threads=8, poll_interval=0.01) for _ in range(workers)],
        dispatchers=[DispatcherConfig()],
    )
    ForkSupervisor(runtime, supervisor).start()
