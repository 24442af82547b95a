"""One round after the other: hear, look, make sure of what was heard, decide, write."""

import logging
import random
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path

from qsuper import logs
from qsuper.errors import AppError, ParamError, RedisError
from qsuper.place import Place
from qsuper.redis.address import EMBEDDED, url_of
from qsuper.redis.keyspace import NAME_BYTES_MOST, Seen
from qsuper.redis.server import Server
from qsuper.redis.subscription import EVENTS_MOST, Call, Event, Message
from qsuper.redis.waking import read_call
from qsuper.roles.listener.calendar import Calendar
from qsuper.roles.listener.inbox import Inbox
from qsuper.roles.listener.plan import Case, Hint, decide
from qsuper.roles.listener.postponed import Postponed
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
HORIZON = 3000
"""Milliseconds ahead that such a look reaches."""
YOUNG = 2.0
"""Seconds in which an embedded server may still be starting."""
PATIENCE_LEAST, PATIENCE_MOST = 0.2, 5.0
"""Seconds between two tries while Redis is away."""

log = logging.getLogger("qsuper.listener")


class Listener(Role):
    """Hears what expires in Redis and makes jobs of it."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._server: Server | None = None
        self._session: Session | None = None
        self._sessions = 0
        self._inbox = Inbox()
        self._hints: dict[Key, Hint] = {}
        self._calendar = Calendar()
        self._postponed = Postponed()
        self._page = Page()
        self._read_at = 0.0
        self._try_at = 0.0
        self._went_well = False
        self._redis_patience = PATIENCE_LEAST
        self._lost = ""
        """Why Redis was given up last, until a round goes well."""
        self._too_long = 0

    def boot(self) -> None:
        registry = application.load(self.config.app, Path(self.config.folder))
        logs.setup(self.config.log, self.place.name)
        try:
            self._watches = watches_of(self.config, registry)
            self._server = Server(url_of(self.config) or "")
        except (ParamError, RedisError) as error:
            raise AppError(str(error)) from error
        for watch in self._watches:
            if watch.is_everything:
                log.warning(
                    "a watch on %r: every key with a time to live is looked at and written down;"
                    " name a prefix if that is not meant",
                    watch.pattern,
                )
        self._writer = Writer(self.config, registry, self._watches, self._server.db)

    def tick(self, now: float) -> float | None:
        self._went_well = False
        connection = self.connection()
        self._write(connection)
        if self.order or self.record.order:
            self._writer.plan.arms += self._postponed.take_all()
            self._write(connection)
            return None
        self.record.describe(phase="idle")
        try:
            session = self._reach(now)
            if session is None:
                return max(0.0, self._try_at - now)
            self._round(session, connection, now)
            self._all_is_well(session)
            self._went_well = True
            return self._until_next(session)
        except RedisError as error:
            self._lose(error)
            return max(0.0, self._try_at - clock())

    def leave(self) -> None:
        if self._session is not None:
            self._session.close()

    def wakeful(self) -> list[int]:
        # While the database is away, what Redis pushes stays where it is, and shall not wake us.
        if self._session is None or not self._went_well:
            return []
        return [self._session.subscription.fileno()]

    def _reach(self, now: float) -> Session | None:
        """The session, a new one where there is none; None while Redis is given time."""
        if self._session is None and now >= self._try_at and self._server is not None:
            session = Session(self._server, self._watches)
            self._sessions += 1
            self._writer.by = f"{self.record.worker}/{self._sessions}"
            self._session = session
            self._read_at = 0.0
        return self._session

    def _all_is_well(self, session: Session) -> None:
        if self._lost:
            log.info("%s answers again", self._server)
            self._lost, self._redis_patience = "", PATIENCE_LEAST
        self.complaint = session.complaint

    def _lose(self, error: RedisError) -> None:
        """Say it once per spell, and try again after a while."""
        if self._session is not None:
            self._session.close()
            self._session = None
        if self._server is not None:
            self._server.close()
        if self._lost != str(error):
            # The embedded server starts at the same time as we do.
            young = self.config.redis.url == EMBEDDED and clock() - self.record.spawned < YOUNG
            level = logging.INFO if young else logging.WARNING
            log.log(level, "%s; tried again until it answers", error)
        self.complaint = self._lost = str(error)
        self._try_at = clock() + self._redis_patience * random.uniform(0.5, 1.0)
        self._redis_patience = min(PATIENCE_MOST, 2 * self._redis_patience)

    def _round(self, session: Session, connection: Connection, now: float) -> None:
        self._hear(session, session.check(now))
        self._hear(session, session.subscription.messages())
        self._read_ledger(session, connection, now)
        keys = dict.fromkeys(self._calendar.take(session.now(), LOOKS_MOST))
        keys |= dict.fromkeys(islice(self._inbox, EVENTS_MOST))
        if len(keys) < LOOKS_MOST:
            keys |= dict.fromkeys(key for key in session.walk.step(now) if self._is_ours(key))
        if keys:
            self._judge(session, connection, list(keys))
            self._write(connection)
        self._writer.plan.arms += self._postponed.take_due(now)

    def _hear(self, session: Session, messages: Iterable[Message]) -> None:
        messages = list(messages)
        session.heard(messages)
        self._inbox.put(
            one
            for one in messages
            if isinstance(one, Event) and self._is_ours(Key(one.db, one.name))
        )
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
            self._page = Page()
            self._read_at = now + READ_EVERY

    def _judge(self, session: Session, connection: Connection, keys: list[Key]) -> None:
        """Decide on these keys. A look counts if all that happened before it is known, and nothing
        happened after it: what was pushed until the answer to a PING is read first."""
        # Before the looks: a key that is seen alive ends later than this.
        time = session.now()
        seen = session.look(keys)
        ends, others = _ends_and_others(session.subscription.barrier(), seen)
        self._inbox.put(ends)
        before = {key: len(self._inbox.of(key)) for key in keys}
        self._hear(session, others)
        # From here on the database may fail: what was heard stays in the inbox until it answers.
        rows = ledger.read(connection, keys)
        for key in keys:
            events = self._inbox.take(key, before[key])
            case = Case(
                key,
                events,
                rows.get(key),
                self._postponed.of(key),
                self._calendar.of(key),
                session.since,
                self._hints.pop(key, None),
                seen[key] if not self._inbox.of(key) else None,
            )
            arms = len(self._writer.plan.arms)
            changed = decide(case, time, self._writer.plan)
            if case.seen is None:
                self._hints[key] = Hint(seen[key], changed)
            self._remember(case, time, arms)

    def _remember(self, case: Case, time: int, arms: int) -> None:
        """Remember when to look at the key again, and put off what need not be written now."""
        key, seen = case.key, case.seen
        if seen is None:
            if case.ends:
                self._calendar.drop(key)
            return
        self._postponed.drop(key)
        if not seen.armed:
            self._calendar.drop(key)
            return
        if seen.deadline <= time + HORIZON:
            self._calendar.put(key, seen.deadline, time)
        else:
            self._calendar.drop(key)
        plan = self._writer.plan
        if len(plan.arms) > arms and not self._postponed.may_write(case, plan.arms[-1], clock()):
            self._postponed.put(plan.arms.pop())

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


def _ends_and_others(
    window: Iterable[Message], seen: Mapping[Key, Seen]
) -> tuple[list[Event], list[Message]]:
    """What came with the looks: the ends of keys that the looks found gone, and all the rest."""
    window = list(window)
    stirred = {Key(one.db, one.name) for one in window if isinstance(one, Event) and not one.is_end}
    ends: list[Event] = []
    others: list[Message] = []
    for one in window:
        if isinstance(one, Event) and one.is_end:
            key = Key(one.db, one.name)
            if key in seen and seen[key].gone and key not in stirred:
                ends.append(one)
                continue
        others.append(one)
    return ends, others
