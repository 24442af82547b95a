"""Enqueues for one contender, in its own environment, and prints the seconds it took as JSON.

    python -m bench.contenders.producer MODULE one FIRST COUNT
    python -m bench.contenders.producer MODULE bulk FIRST COUNT SIZE    # lists of SIZE
    python -m bench.contenders.producer MODULE stamp COUNT PAUSE        # one each PAUSE seconds

`one` and `bulk` print the CPU seconds of this process, too.
"""

import gc
import importlib
import json
import random
import sys
import time


def main(module: str, way: str, *words: str) -> dict[str, float]:
    contender = importlib.import_module(module)
    # The first call connects, and may import: it is not what is asked.
    if way == "stamp":
        count, pause = int(words[0]), float(words[1])
        for _ in range(count):
            # Not in step with anything that looks at intervals.
            time.sleep(pause * random.uniform(0.5, 1.5))
            contender.add(time.time_ns())
        return {}
    first, count = int(words[0]), int(words[1])
    gc.collect()
    if way == "one":
        contender.add(first)
        return _timed(lambda: [contender.add(number) for number in range(first + 1, first + count)])
    size = int(words[2])
    if not hasattr(contender, "add_many"):
        return _timed(lambda: [contender.add(number) for number in range(first, first + count)])
    contender.add_many(range(first, first + size))
    lists = [
        range(start, min(start + size, first + count))
        for start in range(first + size, first + count, size)
    ]
    return _timed(lambda: [contender.add_many(numbers) for numbers in lists])


def _timed(work: object) -> dict[str, float]:
    began, cpu = time.perf_counter(), time.process_time()
    work()  # type: ignore[operator]
    return {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
