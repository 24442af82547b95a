"""One round after the other: hear, look, make sure of what was heard, decide, write."""

import logging
from collections.abc import Iterable
from itertools import islice

from qsuper import logs
from qsuper.errors import AppError, ParamError, RedisError
from qsuper.place import Place
from qsuper.redis.address import EMBEDDED, url_of
from qsuper.redis.keyspace import NAME_BYTES_MOST
from qsuper.redis.server import Server
from qsuper.redis.subscription import EVENTS_MOST, EVICTED, REMOVED, Call, Event, Message
from qsuper.redis.waking import read_call
from qsuper.roles.listener.calendar import HORIZON, Calendar
from qsuper.roles.listener.inbox import Inbox
from qsuper.roles.listener.judge import Judge
from qsuper.roles.listener.postponed import Postponed
from qsuper.roles.listener.reach import Reach
from qsuper.roles.listener.session import Session
from qsuper.roles.listener.writer import Writer
from qsuper.roles.role import Role
from qsuper.roles.waking import wake
from qsuper.scoreboard import clock
from qsuper.store import ledger
from qsuper.store.database import Connection
from qsuper.store.ledger import Key, Page
from qsuper.tasks import application
from qsuper.tasks.expiry import watches_of

LOOKS_MOST = 500
"""Keys that are due, looked at in one round."""
READ_EVERY = 1.0
"""Seconds between two looks into the ledger for what falls due: other listeners write it, too."""
READ_SHARE = 10
"""Rest after such a look, as a multiple of what it took."""
NOT_FOR_TWO = (
    "other nodes work on this database: an embedded Redis is for one, let all name one redis.url"
)

log = logging.getLogger("qsuper.listener")


class Listener(Role):
    """Hears what expires in Redis and makes jobs of it."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._session: Session | None = None
        self._sessions = 0
        self._inbox = Inbox()
        self._calendar = Calendar()
        self._postponed = Postponed()
        self._walked: list[Key] = []
        """Found by the walk, and not yet looked at."""
        self._page = Page()
        self._pass_began = 0.0
        self._read_at = 0.0
        self._went_well = False
        self._too_long = 0

    def boot(self) -> None:
        registry = application.load(self.config)
        logs.setup(self.config.log, self.place.name)
        try:
            watches = watches_of(self.config, registry)
            server = Server(url_of(self.config) or "")
        except (ParamError, RedisError) as error:
            raise AppError(str(error)) from error
        for watch in watches:
            if watch.is_everything:
                log.warning(
                    "a watch on %r: every key with a time to live is looked at and written down;"
                    " name a prefix if that is not meant",
                    watch.pattern,
                )
        embedded = self.config.redis.url == EMBEDDED
        self._reach = Reach(server, watches, embedded=embedded)
        self._write_with(Writer(self.config, registry, watches, server.db, self.meter))

    def _write_with(self, writer: Writer) -> None:
        self._writer = writer
        self._judge = Judge(self._inbox, self._calendar, self._postponed, writer, self._hear)

    def tick(self, now: float) -> float | None:
        self._went_well = False
        if self._ordered and not self._writer.plan and not self._postponed:
            return None
        connection = self.connection()
        self._write(connection)
        if self._ordered:
            self._writer.plan.arms += self._postponed.take_all()
            self._write(connection)
            return None
        self.record.describe(phase="idle")
        try:
            session = self._reach.session(now)
            if session is None:
                return self._reach.rest(now)
            if session is not self._session:
                self._meet(session)
            self._round(session, connection, now)
            rest = self._until_next(session)
        except RedisError as error:
            self._reach.lose(error)
            self.complaint, self.away = self._reach.complaint, "redis"
            return self._reach.rest(clock())
        if self._reach.is_well(self._not_for_two()):
            self.meter.count("redis_reconnects")
        self.complaint, self.away = self._reach.complaint, ""
        self._went_well = True
        return rest

    @property
    def _ordered(self) -> bool:
        return bool(self.order or self.record.order)

    def leave(self) -> None:
        self._reach.close()

    def wakeful(self) -> list[int]:
        # While the database is away, what Redis pushes stays where it is, and shall not wake us.
        session = self._reach.current
        return [session.subscription.fileno()] if session is not None and self._went_well else []

    def _meet(self, session: Session) -> None:
        """A new subscription, by a name of its own in the ledger: within one each expiry is heard
        once, so what it tells twice are two."""
        self._session = session
        self._sessions += 1
        self._writer.by = f"{self.record.worker}/{self._sessions}"
        self._read_at = 0.0
        self._walked = []

    def _not_for_two(self) -> str:
        header = self.board.header
        others = header.renewed and not header.alone
        return NOT_FOR_TWO if others and self.config.redis.url == EMBEDDED else ""

    def _round(self, session: Session, connection: Connection, now: float) -> None:
        after = session.caught
        self._hear(session, session.check(now), after)
        self._hear(session, session.subscription.messages(), session.caught)
        self._read_ledger(session, connection, now)
        keys = dict.fromkeys(self._calendar.take(session.now(), LOOKS_MOST))
        keys |= dict.fromkeys(islice(self._inbox, EVENTS_MOST))
        if len(keys) < LOOKS_MOST and not self._walked:
            self._walked = [key for key in session.walk.step(now) if self._is_ours(key)]
        keys |= dict.fromkeys(self._walked)
        if keys:
            self._judge.judge(session, connection, list(keys))
            self._walked = []
            self._write(connection)
        self._writer.plan.arms += self._postponed.take_due(now)

    def _hear(self, session: Session, messages: Iterable[Message], after: int) -> None:
        """All of it happened after that time, ms of Redis' clock."""
        messages = list(messages)
        session.heard(messages)
        events = [one for one in messages if isinstance(one, Event)]
        if session.is_replica:
            # It passes its master's deletions on, and tells of expired keys in the same words.
            events = [
                Event(one.db, one.name, EVICTED) if one.what in REMOVED else one for one in events
            ]
        self._inbox.put((one for one in events if self._is_ours(Key(one.db, one.name))), after)
        for one in messages:
            if isinstance(one, Call) and (call := read_call(one.data)):
                wake(self.board, *call)

    def _is_ours(self, key: Key) -> bool:
        if len(key.name) <= NAME_BYTES_MOST:
            return self._writer.is_watched(key)
        if not self._too_long:
            log.warning(
                "a key of %d bytes is not watched: %d are the most (it begins with %r)",
                len(key.name),
                NAME_BYTES_MOST,
                key.name[:60],
            )
        self._too_long += 1
        return False

    def _read_ledger(self, session: Session, connection: Connection, now: float) -> None:
        """What falls due soon, whoever wrote it: page by page, again and again."""
        if now < self._read_at:
            return
        time = session.now()
        entries = ledger.due(connection, time + HORIZON, self._page)
        for entry in entries:
            if self._is_ours(entry.key) and self._postponed.of(entry.key) is None:
                self._calendar.put(entry.key, entry.deadline, time)
        if len(entries) < ledger.PAGE:
            # A long pass is one over keys that nobody watches any more.
            took = now - self._pass_began if self._pass_began else 0.0
            self._page, self._pass_began = Page(), 0.0
            self._read_at = now + max(READ_EVERY, READ_SHARE * took)
        else:
            self._pass_began = self._pass_began or now

    def _write(self, connection: Connection) -> None:
        for queue, count in self._writer.write(connection).items():
            self.record.done += count
            wake(self.board, queue, count)

    def _until_next(self, session: Session) -> float:
        now = clock()
        if len(self._inbox) or self._writer.plan or session.subscription.pending:
            return 0.0
        rests = [self._read_at - now, session.rest(now), self._postponed.rest(now)]
        if (next_look := self._calendar.next()) is not None:
            rests.append((next_look - session.now()) / 1000)
        return max(0.0, min(rests))
