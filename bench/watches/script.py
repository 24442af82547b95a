"""The yardstick: a bare `psubscribe` loop, as many shops have one; its keys are `raw:…`."""

import os
import sys
import time

import redis

if __name__ == "__main__":
    _, url, db, path = sys.argv
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    pubsub = redis.Redis.from_url(url).pubsub()  # type: ignore[no-untyped-call]
    pubsub.psubscribe(f"__keyevent@{db}__:expired")
    for message in pubsub.listen():
        if message["type"] == "pmessage" and message["data"].startswith(b"raw:"):
            os.write(file, f"{message['data'].decode()} {time.time()!r}\n".encode())
