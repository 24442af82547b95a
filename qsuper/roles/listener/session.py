"""One stay with Redis, from the subscription to the first error."""

import logging
from collections.abc import Iterable, Sequence

from qsuper.errors import RedisError, RedisUnavailable
from qsuper.redis import flags, keyspace
from qsuper.redis.keyspace import Seen
from qsuper.redis.server import Server
from qsuper.redis.subscription import Event, Message, Subscription
from qsuper.roles.listener.walk import REST_LEAST, Walk
from qsuper.scoreboard import clock
from qsuper.store.ledger import Key
from qsuper.tasks.watch import Watch

CHECK = 5.0
"""Seconds between two looks at the flags, at the clock, and whether the server lives."""
WALK_BESIDE_EVENTS = 60.0
"""Seconds between two walks where events come although nobody can tell us that they all do."""
PROOF = {b"set", b"expire"}
"""One event of each class of flags that a SETEX needs: there is no need to poll."""
NEVER = 1 << 62
"""Later than any deadline in ms."""

log = logging.getLogger("qsuper.listener")


class Session:
    """Every method raises `RedisError`, after which it is of no more use."""

    def __init__(self, server: Server, watches: Sequence[Watch]) -> None:
        self.server = server
        self._odd: list[str] = []
        """Watches that cannot be had, each with its reason."""
        self._deaf = ""
        """Why events do not come, as far as is known."""
        self._of_keys = self._of_role = ""
        self._classes: set[bytes] = set()
        self._epoch = 0.0
        """What `clock()` lacks to be Redis' clock: this host's time of day may jump."""
        self._check_at = 0.0
        server.check_version()
        wanted = {(server.db if watch.db is None else watch.db, watch.raw) for watch in watches}
        self._patterns = self._usable(wanted)
        self.caught = int(server.time() * 1000)
        """Everything that happened before this time has been read, or was before our time."""
        # Before the walk: what happens to a key after it was walked past is heard.
        self.subscription = Subscription(server, self._patterns)
        self.since = int(server.time() * 1000)
        """From when on everything is heard, ms of Redis' clock; `NEVER` where that is not sure."""
        self.walk = Walk(server, self._patterns)
        self.walk.start()
        if self.subscription.refused:
            self._go_deaf(
                f"{server}: this user may not listen to keys: grant it"
                f" {' '.join(self.subscription.refused)} (ACL SETUSER); until then keys are polled"
            )

    @property
    def complaint(self) -> str:
        """What is wrong although Redis answers; empty when nothing is."""
        return "; ".join(filter(None, [self._of_role, *self._odd, self._deaf, self._of_keys]))

    @property
    def is_replica(self) -> bool:
        """Whether the server hears from another one that a key is gone, and never why."""
        return bool(self._of_role)

    def now(self) -> int:
        """Redis' clock: Unix time in ms."""
        return int((clock() + self._epoch) * 1000)

    def look(self, keys: Sequence[Key]) -> dict[Key, Seen]:
        """The keys as they are now; one that is due expires by being looked at."""
        seen: dict[Key, Seen] = {}
        for db in {key.db for key in keys}:
            some = [key for key in keys if key.db == db]
            found = keyspace.look(self.server, db, [key.name for key in some])
            seen.update(zip(some, found, strict=True))
        return seen

    def check(self, now: float) -> list[Message]:
        """Every `CHECK` seconds: does the server live, tell of keys, and what time has it? Returns
        what was heard meanwhile."""
        if now < self._check_at:
            return []
        self._check_at = now + CHECK
        before = clock()
        self._epoch = self.server.time() - (before + clock()) / 2
        if self.subscription.refused:
            self._ask_again()
        if self._patterns:
            self._check_flags()
        self._judge_role()
        return self.barrier()

    def barrier(self) -> list[Message]:
        """Read all that was pushed before this very moment."""
        before = self.now()
        messages = self.subscription.barrier()
        self.caught = before
        return messages

    def forbidden(self, key: Key) -> None:
        """This user may listen to a key and not look at it."""
        name = key.name[:60].decode(errors="backslashreplace")
        self._of_keys = f"key {name!r} may not be read: grant it (ACL SETUSER), or watch less"

    def heard(self, messages: Iterable[Message]) -> None:
        """Where nobody lets us see the flags: events show that they are set."""
        if not self._deaf or self.subscription.refused:
            return
        self._classes |= {one.what for one in messages if isinstance(one, Event)} & PROOF
        if self._classes == PROOF:
            log.info("%s: events come; keys are not polled any more", self.server)
            self._deaf, self.walk.every = "", WALK_BESIDE_EVENTS

    def rest(self, now: float) -> float:
        """Seconds until there is something to do here, unless something is heard before."""
        until_check = max(0.0, self._check_at - now)
        walk = self.walk.rest(now)
        return until_check if walk is None else min(until_check, walk)

    def close(self) -> None:
        self.subscription.close()

    def _judge_role(self) -> None:
        try:
            with self.server.words():
                role = self.server.client().info("replication").get("role")
        except RedisUnavailable:
            raise
        except RedisError:
            return
        self._of_role = (
            f"{self.server} is a replica: name its master in redis.url; until then every key that"
            " goes counts as expired at its deadline"
            if role == "slave"
            else ""
        )

    def _check_flags(self) -> None:
        try:
            added = flags.add_missing(self.server)
        except RedisUnavailable:
            raise
        except RedisError as error:
            if self.walk.every is None:
                self._go_deaf(
                    f"{flags.SETTING} cannot be set by us ({error}): put"
                    f" `{flags.SETTING} {flags.NEEDED}` into the server's configuration; until then"
                    " keys are polled"
                )
            return
        if added:
            log.warning("%s: added %r to %s", self.server, added, flags.SETTING)
            self.since = int(self.server.time() * 1000)
            self.walk.start()

    def _ask_again(self) -> None:
        self.subscription.ask_again()
        if not self.subscription.refused:
            self._deaf, self.walk.every = "", None
            self.since = int(self.server.time() * 1000)
            self.walk.start()

    def _go_deaf(self, why: str) -> None:
        self._deaf, self.walk.every, self.since = why, REST_LEAST, NEVER

    def _usable(self, patterns: Iterable[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        """Those whose database there is."""
        found = []
        for db, pattern in sorted(patterns):
            try:
                with self.server.words():
                    self.server.client(db).ping()
            except RedisUnavailable:
                raise
            except RedisError as error:
                name = pattern.decode(errors="replace")
                self._odd.append(f"{name!r} of database {db} cannot be watched: {error}")
            else:
                found.append((db, pattern))
        return found
