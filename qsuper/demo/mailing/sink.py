"""A mail server on a free port of this host: it takes every mail and counts Message-IDs."""

import asyncio
import random
import threading
import time
from collections import Counter
from email import message_from_bytes
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope

LEAST, MOST = 0.010, 0.030
"""Seconds the server takes over a mail: a job is then as long as one with a real server near by."""
SERVER = f"the mail server takes {LEAST * 1000:.0f} to {MOST * 1000:.0f} ms a mail"


class Sink:
    """Its loop runs in a thread of its own. Read its counts from anywhere, as they grow."""

    def __init__(self) -> None:
        self.mails: Counter[str] = Counter()
        """How often each Message-ID arrived."""
        self.last = time.monotonic()
        """When the last mail arrived."""
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(
            self._loop.create_server(self._session, "127.0.0.1", 0)
        )
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self._thread = threading.Thread(target=self._loop.run_forever, name="sink", daemon=True)
        self._thread.start()

    def _session(self) -> SMTP:
        return SMTP(self, hostname="sink.example", loop=self._loop)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        """aiosmtpd's name for: a mail has come. The sender waits for the answer.

        The mail is in the mailbox before the answer is out, as with any server: a sender that is
        killed in between has sent a mail without knowing it.
        """
        pause = random.uniform(LEAST, MOST) / 2
        await asyncio.sleep(pause)
        content = envelope.content
        mail = message_from_bytes(content if isinstance(content, bytes) else b"")
        self.mails[str(mail["Message-ID"]).strip("<> ")] += 1
        self.last = time.monotonic()
        await asyncio.sleep(pause)
        return "250 OK"

    def close(self) -> None:
        """Take no more mail."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()
