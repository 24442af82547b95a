"""One round's looks, and what follows from each."""

from collections.abc import Callable, Iterable, Mapping

from qsuper.redis.keyspace import FORBIDDEN, Seen
from qsuper.redis.subscription import Event, Message
from qsuper.roles.listener.calendar import HORIZON, Calendar
from qsuper.roles.listener.inbox import Inbox
from qsuper.roles.listener.plan import Case, Hint, decide
from qsuper.roles.listener.postponed import Postponed
from qsuper.roles.listener.session import Session
from qsuper.roles.listener.writer import Writer
from qsuper.scoreboard import clock
from qsuper.store import ledger
from qsuper.store.database import Connection
from qsuper.store.ledger import Key


class Judge:
    """Adds to the writer's plan what a round has shown."""

    def __init__(
        self,
        inbox: Inbox,
        calendar: Calendar,
        postponed: Postponed,
        writer: Writer,
        hear: Callable[[Session, Iterable[Message], int], None],
    ) -> None:
        """`hear` takes what was pushed while it looked, and the time after which that happened."""
        self._inbox = inbox
        self._calendar = calendar
        self._postponed = postponed
        self._writer = writer
        self._hear = hear
        self._hints: dict[Key, Hint] = {}

    def judge(self, session: Session, connection: Connection, keys: list[Key]) -> None:
        """Decide on these keys. A look counts if all that happened before it is known, and nothing
        happened after it: what was pushed until the answer to a PING is read first."""
        after, seen = session.caught, session.look(keys)
        time = session.now()
        ends, others = _ends_and_others(session.barrier(), seen)
        self._hear(session, ends, after)
        before = {key: len(self._inbox.of(key)) for key in keys}
        self._hear(session, others, after)
        # From here on the database may fail: what was heard stays in the inbox until it answers.
        rows = ledger.read(connection, keys)
        for key in keys:
            heard_after = self._inbox.after(key)
            events = self._inbox.take(key, before[key])
            if seen[key].deadline == FORBIDDEN:
                session.forbidden(key)
                self._calendar.drop(key)
                continue
            case = Case(
                key,
                events,
                rows.get(key),
                later=self._postponed.of(key),
                expected=self._calendar.of(key),
                since=session.since,
                heard_after=time if heard_after is None else heard_after,
                hint=self._hints.pop(key, None),
                look=seen[key],
                counts=not self._inbox.of(key),
            )
            arms = len(self._writer.plan.arms)
            changed = decide(case, time, self._writer.plan)
            if not case.counts:
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
