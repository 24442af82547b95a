"""What pages hear without asking: server-sent events. One look serves all who listen."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import msgspec

from qsuper.encoding import to_json
from qsuper.errors import QsuperError
from qsuper.picture import Picture
from qsuper.roles.web.answers import Trouble
from qsuper.roles.web.serving.lookout import Lookout
from qsuper.roles.web.serving.pool import Pool
from qsuper.roles.web.site import Site
from qsuper.states import FINISHED
from qsuper.store import following
from qsuper.store.following import Glance

STREAMS_MOST = 32
EVERY = 1.0
"""Seconds between two pictures."""
JOBS_EVERY = 0.5
"""Seconds between two looks at the jobs that are followed."""
RESTING_EVERY = 4
"""Of those looks, each of which sees the jobs that have ended, too: they may be retried."""
CHILDREN_MOST = 256
_ENDED = frozenset(state.word for state in FINISHED)

Looking = Callable[[], Coroutine[Any, Any, None]]

log = logging.getLogger("qsuper.web")


class Stream:
    """One listener: the newest of each kind waits for it, never a queue of them."""

    def __init__(self, job: int | None) -> None:
        self.job = job
        self._waiting: dict[str, bytes] = {}
        self._news = asyncio.Event()
        self.over = False

    def put(self, kind: str, event: bytes) -> None:
        self._waiting[kind] = event
        self._news.set()

    def end(self) -> None:
        self.over = True
        self._news.set()

    async def next(self) -> bytes:
        """What has come since the last time; empty when it is over."""
        await self._news.wait()
        self._news.clear()
        found, self._waiting = b"".join(self._waiting.values()), {}
        return b"" if self.over else found


class Events:
    """The streams, and who looks for them while there are any."""

    def __init__(self, site: Site, pool: Pool, lookout: Lookout) -> None:
        self._site = site
        self._pool = pool
        self._lookout = lookout
        self._streams: set[Stream] = set()
        self._glances: dict[int, Glance] = {}
        self._looking: dict[Looking, asyncio.Task[None]] = {}
        self._closed = False

    def open(self, job: int | None) -> Stream | None:
        """A further stream; None when there are too many, or the process is about to end."""
        if self._closed or len(self._streams) >= STREAMS_MOST:
            return None
        stream = Stream(job)
        self._streams.add(stream)
        if job is not None:
            # Who has just come hears what is known, too.
            self._glances.pop(job, None)
        # Each by itself: the picture comes with the database away.
        for look in (self._look_at_node, self._look_at_jobs):
            if look not in self._looking or self._looking[look].done():
                self._looking[look] = asyncio.create_task(look())
        return stream

    def leave(self, stream: Stream) -> None:
        self._streams.discard(stream)

    def close(self) -> None:
        """End all streams: browsers come back, to another process."""
        self._closed = True
        for stream in self._streams:
            stream.end()

    async def _look_at_node(self) -> None:
        """For as long as somebody listens."""
        while self._streams and not self._closed:
            await self._tell(self._tell_picture())
            await asyncio.sleep(EVERY)

    async def _look_at_jobs(self) -> None:
        """For as long as somebody listens."""
        turn = 0
        while self._streams and not self._closed:
            await self._tell(self._tell_jobs(resting=turn % RESTING_EVERY == 0))
            turn += 1
            await asyncio.sleep(JOBS_EVERY)
        self._glances.clear()

    async def _tell(self, telling: Awaitable[None]) -> None:
        """What goes wrong is said on the page, and does not end the looking."""
        try:
            await telling
        except (QsuperError, Trouble) as error:
            self._send(event("trouble", {"text": str(error)}), "trouble")
        except Exception:
            log.exception("the events")

    async def _tell_picture(self) -> None:
        picture = await self._lookout.picture()
        self._send(event("picture", compact(picture)), "picture")

    async def _tell_jobs(self, *, resting: bool) -> None:
        wanted = {stream.job for stream in self._streams if stream.job is not None}
        for gone in self._glances.keys() - wanted:
            del self._glances[gone]
        ids = [
            job
            for job in wanted
            if resting or job not in self._glances or self._glances[job].state not in _ENDED
        ]
        if not ids:
            return
        found = await self._pool.run(self._glance, sorted(ids))
        running = {}
        with suppress(QsuperError):
            picture = await self._lookout.picture()
            running = {child.job.id: child.job for child in picture.children if child.job}
        for job in ids:
            glance, at_work = found.get(job), running.get(job)
            if glance is None or (glance == self._glances.get(job) and at_work is None):
                continue
            self._glances[job] = glance
            told = asdict(glance) | {"running": msgspec.to_builtins(at_work)}
            self._send(event("job", told), "job", job)

    def _glance(self, ids: list[int]) -> dict[int, Glance]:
        with self._site.connection() as connection:
            return following.look(connection, ids)

    def _send(self, event: bytes, kind: str, job: int | None = None) -> None:
        for stream in self._streams:
            if job is None or stream.job == job:
                stream.put(kind, event)


def event(kind: str, value: Any) -> bytes:
    """One event: its kind, and a line of JSON."""
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), to_json(value))


def compact(picture: Picture) -> dict[str, Any]:
    """What changes on the pages from one second to the next."""
    told: dict[str, Any] = msgspec.to_builtins(picture)
    del told["totals"]
    told["children"] = told["children"][:CHILDREN_MOST]
    minute = picture.minute
    told["minute"] = {
        "seconds": minute.seconds,
        "outcomes": dict(minute.outcomes),
        "ran": {part: minute.ran.percentile(at) for part, at in _PARTS.items()},
        "waited": {part: minute.waited.percentile(at) for part, at in _PARTS.items()},
    }
    return told


_PARTS = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
