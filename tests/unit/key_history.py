"""A Redis of one key that lives in a test, and whose clock goes on when the test says so."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from qsuper.redis.keyspace import FOR_EVER, GONE, Seen
from qsuper.redis.subscription import Event, Message
from qsuper.store.ledger import Key

KEY = Key(0, b"SN1:1")
START = 1_800_000_000_000


@dataclass
class Story:
    """What has happened to the key: the truth that the jobs are judged by."""

    seed: int
    ttls: Sequence[int] = (5, 300, 900, 4000)
    """Milliseconds."""
    now: int = START
    value: bytes = b""
    deadline: int | None = None
    """Of a key that has one; `FOR_EVER` for one without; None while there is none."""
    expired: list[int] = field(default_factory=list)
    """The deadlines of the generations that ended by themselves."""
    seen: set[int] = field(default_factory=set)
    """Deadlines that some look has shown."""
    ears: "list[Ear]" = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self._sets = 0

    def tell(self, *whats: bytes) -> None:
        for ear in self.ears:
            ear.pushed += [Event(KEY.db, KEY.name, what) for what in whats]

    def end_if_due(self) -> None:
        """As Redis does when somebody comes by."""
        if self.deadline is not None and 0 <= self.deadline < self.now:
            self.expired.append(self.deadline)
            self.deadline = None
            self.tell(b"expired")

    def put(self, ttl: int) -> None:
        """SET … PX."""
        self.end_if_due()
        self._sets += 1
        self.value = b"%d" % self._sets
        self.deadline = self.now + ttl
        self.tell(b"set", b"expire")

    def step(self, rests: Sequence[int] = (0, 0, 1, 1, 2)) -> None:
        """Some milliseconds go by, and now and then somebody does something to the key."""
        self.now += self.chance.choice(rests)
        if self.chance.random() < 0.2:
            self.end_if_due()
        if self.chance.random() < 0.35:
            self._act()

    def _act(self) -> None:
        ttl = self.chance.choice(self.ttls)
        act = self.chance.randrange(10)
        if act < 5:
            self.put(ttl)
            return
        self.end_if_due()
        if self.deadline is None:
            return
        if act < 7:
            self.deadline = self.now + ttl
            self.tell(b"expire")
        elif act == 7:
            self.deadline = None
            self.tell(b"del")
        elif act == 8 and self.deadline != FOR_EVER:
            self.deadline = FOR_EVER
            self.tell(b"persist")
        else:
            self.deadline = FOR_EVER
            self.tell(b"set")

    def look(self) -> Seen:
        self.end_if_due()
        if self.deadline is None:
            return Seen(GONE)
        if self.deadline >= 0:
            self.seen.add(self.deadline)
        return Seen(self.deadline, self.value)


class Ear:
    """A listener's session with the story; things happen between any two of its calls."""

    complaint = ""
    is_replica = False

    def __init__(self, story: Story) -> None:
        self.story = story
        self.pushed: list[Message] = []
        self.since = self.caught = story.now
        self.meanwhile: Callable[[], None] = story.step
        self.subscription = self.walk = self
        story.ears.append(self)

    def _let_happen(self) -> None:
        while self.story.chance.random() < 0.4:
            self.meanwhile()

    def now(self) -> int:
        return self.story.now

    def check(self, now: float) -> list[Message]:
        return []

    def heard(self, messages: list[Message]) -> None:
        """Nothing follows."""

    def messages(self) -> list[Message]:
        """Some of what has been pushed, or all of it."""
        self._let_happen()
        count = self.story.chance.randint(0, len(self.pushed))
        taken, self.pushed = self.pushed[:count], self.pushed[count:]
        return taken

    def look(self, keys: Any) -> dict[Key, Seen]:
        self._let_happen()
        seen = {key: self.story.look() for key in keys}
        self._let_happen()
        return seen

    def barrier(self) -> list[Message]:
        taken, self.pushed = self.pushed, []
        self.caught = self.story.now
        return taken

    def step(self, now: float) -> list[Key]:
        """The walk: it has ended."""
        return []
