"""The neighbours: a cache of so many keys, each set again a second after it has ended."""

import random
import sys
import time
from collections import defaultdict

import redis

AT_ONCE = 500

if __name__ == "__main__":
    _, url, count = sys.argv
    client = redis.Redis.from_url(url)
    turn = int(time.time() * 10)
    missed: defaultdict[int, list[int]] = defaultdict(list, {turn: list(range(int(count)))})
    while True:
        while turn <= time.time() * 10:
            numbers = missed.pop(turn, [])
            turn += 1
            for first in range(0, len(numbers), AT_ONCE):
                pipeline = client.pipeline(transaction=False)
                for number in numbers[first : first + AT_ONCE]:
                    seconds = random.uniform(1.0, 120.0)
                    pipeline.set(f"cache:{number}", "v" * 64, px=int(seconds * 1000))
                    missed[int((time.time() + seconds + 1.0) * 10)].append(number)
                pipeline.execute()
        time.sleep(0.02)
