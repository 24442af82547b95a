"""qsuper: an application with the one job, on the store that BENCH_STORE names.

BENCH_BATCH caps the jobs of one claim; BENCH_WAKE=1 publishes each enqueue through Redis.
"""

from bench.contenders.contender import Place
from bench.contenders.job import job
from qsuper import Queue
from qsuper.store import schema
from qsuper.store.database import Database

CONFIG = "qsuper.toml"

queue = Queue()  # reads qsuper.toml of the folder it runs in


@queue.task
def noop(number: int) -> None:
    job(number)


def add(number: int) -> None:
    noop.add(number=number)


def add_many(numbers: range) -> None:
    queue.add_many("noop", [{"number": number} for number in numbers])


def prepare(place: Place) -> None:
    environ = place.environ
    url = environ["BENCH_MYSQL"]
    if environ["BENCH_STORE"] == "sqlite":
        url = "sqlite:///" + environ["BENCH_SQLITE"]
    lines = [
        'app = "bench.contenders.ours:queue"',
        'state_dir = "var"',
        "[store]",
        f'url = "{url}"',
        "[queues.default]",
        f"workers = {place.workers}",
        "[log]",
        'level = "warning"',
    ]
    if batch := environ.get("BENCH_BATCH"):
        lines += ["[worker]", f"batch = {batch}"]
    if environ.get("BENCH_WAKE"):
        lines += ["[redis]", f'url = "{environ["BENCH_REDIS"]}"']
    (place.folder / CONFIG).write_text("\n".join(lines) + "\n")
    schema.upgrade(Database(url))
