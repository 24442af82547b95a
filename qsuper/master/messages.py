"""What is wrong with the node as a whole, for the bulletin."""

import time
from typing import Any


class Messages:
    """One sentence a topic, until it is mended."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[float, str]] = {}

    def say(self, topic: str, text: str) -> None:
        """Say it; an empty text takes it back."""
        if not text:
            self._said.pop(topic, None)
        elif self._said.get(topic, (0.0, ""))[1] != text:
            self._said[topic] = (time.time(), text)

    def shown(self) -> list[dict[str, Any]]:
        return [{"since": since, "text": text} for since, text in self._said.values()]
