"""What is said to idle workers."""

from typing import Any

import redis

from qsuper.redis.waking import CHANNEL
from tests.wait import wait_for


class Ear:
    """Hears what is said on the channel."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url)
        self._pubsub: Any = self._client.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
        self._pubsub.subscribe(CHANNEL)
        # The subscription stands once its answer has come.
        wait_for(lambda: self._pubsub.subscribed and not self._next())

    def _next(self) -> str | None:
        message = self._pubsub.get_message(timeout=0.0)
        return None if message is None else bytes(message["data"]).decode()

    def heard(self) -> list[str]:
        """All that has been said before this call."""
        self._client.publish(CHANNEL, "the end")
        heard: list[str] = []
        while "the end" not in heard:
            heard += filter(None, [self._next()])
        return heard[:-1]

    def close(self) -> None:
        self._pubsub.close()
        self._client.close()
