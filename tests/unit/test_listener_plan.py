"""What becomes of a key's history: some told one by one, thousands made up."""

import json
import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from qsuper.redis.keyspace import FOR_EVER, GONE, Seen
from qsuper.roles.listener import judge as judging
from qsuper.roles.listener import listener as listeners
from qsuper.roles.listener.listener import Listener
from qsuper.roles.listener.plan import Case, Hint, Plan, decide
from qsuper.roles.listener.writer import Writer
from qsuper.store import ledger
from qsuper.store.ledger import Entry, Row
from qsuper.tasks.registry import Registry
from qsuper.tasks.watch import Watch
from tests.roles.bench import Bench
from tests.store.table import Table
from tests.unit.key_history import KEY, Ear, Story

HISTORIES = 600
STEPS = 25
LONG, TINY = (5, 300, 900, 4000), range(1, 9)
"""Times to live, in ms."""
PROMPT, LATE = (1, 2, 5, 30, 60), (1, 5, 30, 300, 900)
"""Milliseconds between two rounds of somebody."""
WORLDS = {
    "one listener": (1, LONG, LATE),
    "one prompt listener": (1, LONG, PROMPT),
    "one listener and lives of a few ms": (1, TINY, LATE),
    "two listeners": (2, (300, 900, 4000), PROMPT),
}
NOW = 1_000_000
EXPIRED, DEL, SET, EXPIRE, EVICTED = b"expired", b"del", b"set", b"expire", b"evicted"
GONE_NOW, PLAIN = Seen(GONE), Seen(FOR_EVER, b"x")


@dataclass(frozen=True)
class Outcome:
    expired: list[int]
    seen: set[int]
    told: list[int | None]
    """The deadlines that the jobs were told, None where it was not known."""

    @property
    def wrong(self) -> str:
        """What is wrong with the jobs, in a word; empty when nothing is."""
        known = Counter(one for one in self.told if one is not None)
        if any(count > 1 for count in known.values()):
            return "a generation fired twice"
        if not set(known) <= set(self.expired):
            return "a generation fired that has not ended by itself"
        if len(self.told) > len(self.expired):
            return "more jobs than expiries"
        if len(self.told) < len(self.expired):
            return "fewer jobs than expiries"
        return ""


class Stage:
    """Where histories are played before real listeners, with a real ledger."""

    def __init__(self, bench: Bench, patch: pytest.MonkeyPatch) -> None:
        self.bench = bench
        self.patch = patch
        self.place = bench.place()
        self.connections = [bench.table.connect() for _ in range(2)]
        for connection in self.connections:
            connection.raw.execute("PRAGMA synchronous = OFF")

    def listener(self, number: int) -> Listener:
        listener = Listener(self.place)
        os.close(listener._wake_read)
        os.close(listener._wake_write)
        watches = [Watch(KEY.name.decode(), "expired", 0)]
        listener._write_with(Writer(self.bench.config, Registry(), watches, 0, listener.meter))
        listener._writer.by = f"listener {number}"
        return listener

    def play(self, seed: int, count: int, ttls: Sequence[int], rests: Sequence[int]) -> Outcome:
        story = Story(seed, ttls)
        for module in (listeners, judging):
            self.patch.setattr(module, "clock", lambda: story.now / 1000)
        listening = [self.listener(number) for number in range(count)]
        ears = [Ear(story) for _ in listening]
        with ExitStack() as stack:
            self._let_meet(stack, story, listening, ears)
            for _ in range(STEPS):
                story.step(rests)
                number = story.chance.randrange(count)
                self.round(listening[number], ears[number], number)
        for ear in ears:
            ear.meanwhile = lambda: None  # whoever does things to the key has gone home
        for _ in range(8):
            story.now += 1100
            for number, ear in enumerate(ears):
                self.round(listening[number], ear, number)
        return Outcome(story.expired, story.seen, self.jobs())

    def _let_meet(
        self, stack: ExitStack, story: Story, listening: list[Listener], ears: list[Ear]
    ) -> None:
        """In the midst of one's round the other may do a whole one."""
        busy: set[int] = set()

        def meanwhile(number: int) -> None:
            story.step()
            other = len(ears) - 1 - number
            if other != number and not busy and story.chance.random() < 0.3:
                busy.add(other)
                self.round(listening[other], ears[other], other)
                busy.clear()

        for number, ear in enumerate(ears):
            ear.meanwhile = lambda number=number: meanwhile(number)  # type: ignore[misc]

    def round(self, listener: Listener, ear: Ear, number: int) -> None:
        connection = self.connections[number]
        ear.story.now += 1
        listener._write(connection)
        listener._round(ear, connection, ear.now() / 1000)  # type: ignore[arg-type]

    def jobs(self) -> list[int | None]:
        """What was told, and the tables are empty again."""
        rows = self.bench.table.read("SELECT headers FROM queue")
        found = [json.loads(row[0])["watch"] for row in rows]
        for table in ("queue", "watched_keys"):
            self.bench.table.write(f"DELETE FROM {table}")
        deadlines = [one["deadline"] for one in found]
        return [None if one is None else round(one * 1000) for one in deadlines]


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    table = Table(f"sqlite:///{tmp_path}/qsuper.db")
    table.write("PRAGMA synchronous = OFF")
    bench = Bench(table, tmp_path / "bench")
    # A line for each of thousands of jobs is not worth its time.
    monkeypatch.setattr(logging.getLogger("qsuper.listener"), "disabled", True)
    yield Stage(bench, monkeypatch)
    bench.close()
    table.close()


@pytest.mark.parametrize("world", WORLDS)
def test_whatever_happens_to_a_key_each_expiry_becomes_one_job(world: str, stage: Stage) -> None:
    outcomes = {seed: stage.play(seed, *WORLDS[world]) for seed in range(HISTORIES)}
    assert {seed: one.wrong for seed, one in outcomes.items() if one.wrong} == {}
    expired = sum(len(one.expired) for one in outcomes.values())
    assert expired > HISTORIES / 4, "nothing has happened"
    assert any(None not in one.told for one in outcomes.values() if one.told)


def test_two_listeners_and_no_guard_are_noticed(stage: Stage) -> None:
    """As if each listener believed that every expiry were its own."""
    stage.patch.setattr(ledger, "fire", lambda connection, shot, by: True)
    found = {stage.play(seed, *WORLDS["two listeners"]).wrong for seed in range(60)}
    assert "more jobs than expiries" in found


def test_looks_that_count_although_something_happened_are_noticed(stage: Stage) -> None:
    """As if what is pushed between a look and the answer to the PING were of no matter."""
    stage.patch.setattr(Ear, "barrier", lambda ear: [])
    found = {stage.play(seed, *WORLDS["one listener"]).wrong for seed in range(60)}
    assert found - {""}


def entry(deadline: int, value: bytes = b"unpaid") -> Entry:
    return Entry(KEY, deadline, value, "string")


def armed(deadline: int, fired: int | None = None, value: bytes = b"unpaid") -> Row:
    return Row(entry(deadline, value), True, fired)


def over(deadline: int, fired: int | None = None) -> Row:
    return Row(entry(deadline), False, fired)


def alive(deadline: int, value: bytes = b"unpaid") -> Seen:
    return Seen(deadline, value)


@dataclass
class Told:
    """What a plan says, in few words."""

    fired: list[tuple[int | None, str, bytes | None]] = field(default_factory=list)
    """Deadline, how, value."""
    arms: list[int] = field(default_factory=list)
    disarms: list[int] = field(default_factory=list)


def told(case: Case) -> Told:
    plan = Plan()
    decide(case, NOW, plan)
    return Told(
        [(one.expiry.deadline, one.expiry.how, one.expiry.value) for one in plan.firings],
        [one.deadline for one in plan.arms],
        [one.deadline for one in plan.disarms],
    )


def case(
    events: Sequence[bytes] = (),
    row: Row | None = None,
    seen: Seen | None = GONE_NOW,
    *,
    later: Entry | None = None,
    expected: int | None = None,
    since: int = NOW - 60_000,
    hint: Hint | None = None,
) -> Case:
    return Case(
        KEY,
        events,
        row,
        later=later,
        expected=expected,
        since=since,
        hint=hint,
        look=seen,
        counts=seen is not None,
    )


DUE, SOON, OLD = NOW - 10, NOW + 5000, NOW - 100_000
OBSERVED, PRESUMED = (DUE, "observed", b"unpaid"), (DUE, "presumed", b"unpaid")
BLIND = (None, "observed", None)

CASES = {
    "a key that is set is armed": (case([SET, EXPIRE], None, alive(SOON)), Told(arms=[SOON])),
    "what is known already is not written again": (case([], armed(SOON), alive(SOON)), Told()),
    "another value is written": (case([SET], armed(SOON), alive(SOON, b"x")), Told(arms=[SOON])),
    "a later deadline is written": (
        case([EXPIRE], armed(SOON), alive(SOON + 1)),
        Told(arms=[SOON + 1]),
    ),
    "an earlier deadline is written": (
        case([EXPIRE], armed(SOON), alive(SOON - 1)),
        Told(arms=[SOON - 1]),
    ),
    "a deleted key is taken back": (case([DEL], armed(SOON)), Told(disarms=[SOON])),
    "a key that lives for ever is taken back": (
        case([SET], armed(SOON), PLAIN),
        Told(disarms=[SOON]),
    ),
    "a key for ever that nobody has written down is nothing": (case([SET], None, PLAIN), Told()),
    "an expiry fires and its row is done": (
        case([EXPIRED], armed(DUE)),
        Told([OBSERVED], disarms=[DUE]),
    ),
    "an expiry of which nothing is known fires": (case([EXPIRED]), Told([BLIND])),
    "a key set and gone before any look fires, its value unknown": (
        case([SET, EXPIRE, EXPIRED]),
        Told([BLIND]),
    ),
    "set again just after it expired: it fires, the new one is armed": (
        case([EXPIRED, SET, EXPIRE], armed(DUE), alive(SOON)),
        Told([OBSERVED], arms=[SOON]),
    ),
    "expired twice in one round: two jobs, of the second the deadline is not known": (
        case([EXPIRED, SET, EXPIRE, EXPIRED], armed(DUE)),
        Told([OBSERVED, BLIND], disarms=[DUE]),
    ),
    "deleted and set again: no job": (
        case([DEL, SET, EXPIRE], armed(DUE), alive(SOON)),
        Told(arms=[SOON]),
    ),
    "gone, due, and nothing told why: presumed": (case([], armed(DUE)), Told([PRESUMED])),
    "gone before its time and nothing told why: it stays armed": (case([], armed(SOON)), Told()),
    "evicted: it stays armed until its deadline": (case([EVICTED], armed(SOON)), Told()),
    "evicted and then due: presumed": (case([EVICTED], armed(DUE)), Told([PRESUMED])),
    "a look that does not count decides nothing": (case([SET], armed(DUE), None), Told()),
    "an expiry fires although the look does not count": (
        case([EXPIRED], armed(DUE), None),
        Told([OBSERVED]),
    ),
    "what was seen last counts, written or not": (
        case([EXPIRED], armed(OLD, value=b"old"), later=entry(DUE, b"new")),
        Told([(DUE, "observed", b"new")], disarms=[OLD]),
    ),
    "what was put off is not forgotten": (
        case([], armed(OLD), later=entry(SOON)),
        Told(arms=[SOON]),
    ),
    "another listener was quicker: no second job": (
        case([EXPIRED], over(DUE, DUE), expected=DUE),
        Told(),
    ),
    "another one was quicker and has armed the next: that one stays armed": (
        case([EXPIRED, SET, EXPIRE], armed(SOON, DUE), alive(SOON), expected=DUE),
        Told(),
    ),
    "another one has armed the next before the last became a job": (
        case([EXPIRED, SET, EXPIRE], armed(SOON), alive(SOON), expected=DUE),
        Told([(DUE, "observed", None)]),
    ),
    "another one was quicker with a key that was not waited for here": (
        case([EXPIRED], over(DUE, DUE)),
        Told(),
    ),
    "a job of a generation that ended before this listener came is another's": (
        case([EXPIRED], over(OLD, OLD)),
        Told([BLIND]),
    ),
    "the next generation fires although the last one was another's": (
        case([EXPIRED, SET, EXPIRE, EXPIRED], over(DUE, DUE), expected=DUE),
        Told([BLIND]),
    ),
    "seen alive by a look that did not count: that is what has expired": (
        case([EXPIRED], armed(DUE - 500), hint=Hint(alive(DUE, b"new"), True)),
        Told([(DUE, "observed", b"new")], disarms=[DUE - 500]),
    ),
    "the same after the one before it became a job": (
        case([EXPIRED], over(OLD, DUE - 1), hint=Hint(alive(DUE, b"new"), False), expected=OLD),
        Told([(DUE, "observed", b"new")]),
    ),
    "a generation that no look has shown is not taken for the one before it": (
        case([EXPIRED], armed(DUE), hint=Hint(GONE_NOW, True)),
        Told([(None, "observed", b"unpaid")], disarms=[DUE]),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_case_is_decided(name: str) -> None:
    given, wanted = CASES[name]
    assert told(given) == wanted


def test_several_expiries_of_one_key_in_one_round_stand_apart_and_before_the_look() -> None:
    plan = Plan()
    decide(case([EXPIRED, SET, EXPIRED, SET, EXPIRED]), NOW, plan)
    assert [one.shot.fired for one in plan.firings] == [NOW - 2, NOW - 1, NOW]
