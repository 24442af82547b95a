"""What is told of what is wrong: looks are replayed, no clock runs."""

import random
from collections.abc import Iterable, Sequence

import msgspec
import pytest

from qsuper.roles.alerts.episodes import GAP_MOST, Condition, Episodes, Told, step
from qsuper.roles.alerts.growth import Growth
from qsuper.roles.alerts.message import Message
from qsuper.roles.alerts.outbox import MESSAGES_MOST, REST_MOST, Outbox

QUIET = 60.0
START = 1_000_000.0
AWAY = Condition("database", "", "it is away", after=30.0)
WAITS = Condition("oldest_ready", "mail", "it waits")
AT_START = Episodes(looked=START)


def replay(
    looks: Iterable[Sequence[Condition]],
    before: Episodes = AT_START,
    blind: frozenset[str] = frozenset(),
) -> tuple[Episodes, list[tuple[int, str, str]]]:
    """One look a second; what was told, each with the number of its look."""
    episodes = before
    told: list[tuple[int, str, str]] = []
    first = before.looked
    for number, conditions in enumerate(looks, 1):
        episodes, messages = step(episodes, conditions, first + number, quiet=QUIET, blind=blind)
        told += [(number, one.kind, one.state) for one in messages]
    return episodes, told


def test_what_lasts_is_told_once_and_its_end_once() -> None:
    looks = [[WAITS]] * 300 + [[]] * 300
    episodes, told = replay(looks)
    assert told == [(1, "oldest_ready", "begun"), (360, "oldest_ready", "over")]
    assert episodes.open == ()


def test_what_may_last_a_while_is_told_only_when_it_lasts_longer() -> None:
    _, told = replay([[AWAY]] * 29 + [[]] * 300)
    assert told == []
    _, told = replay([[AWAY]] * 40)
    assert told == [(31, "database", "begun")]


def test_what_has_lasted_before_the_first_look_is_told_at_once() -> None:
    old = Condition("database", "", "it is away", since=START - 100, after=30.0)
    _, (told,) = step(Episodes(), [old], START, quiet=QUIET)
    assert (told.state, told.since, told.at) == ("begun", START - 100, START)


def test_what_flaps_is_one_episode() -> None:
    flapping = ([[WAITS]] * 5 + [[]] * 50) * 20
    _, told = replay(flapping + [[]] * 60)
    assert [state for _, _, state in told] == ["begun", "over"]


def test_what_flaps_before_it_is_told_adds_up() -> None:
    _, told = replay(([[AWAY]] * 10 + [[]] * 10) * 5)
    assert told == [(61, "database", "begun")]


def test_a_single_blink_now_and_then_is_not_told() -> None:
    _, told = replay(([[AWAY]] + [[]] * 100) * 50)
    assert told == []


def test_what_comes_again_after_its_end_is_told_again() -> None:
    _, told = replay(([[WAITS]] + [[]] * 60) * 3)
    assert [state for _, _, state in told] == ["begun", "over"] * 3


def test_things_of_one_kind_are_episodes_of_their_own() -> None:
    other = Condition("oldest_ready", "default", "it waits")
    _, told = replay([[WAITS], [WAITS, other], [other]])
    assert told == [(1, "oldest_ready", "begun"), (2, "oldest_ready", "begun")]


def test_time_in_which_nobody_looked_counts_as_neither() -> None:
    episodes, _ = replay([[WAITS], []])
    later = START + 1e6
    episodes, told = step(episodes, [], later, quiet=QUIET)
    assert told == ()
    assert episodes.open[0].well == 1 + GAP_MOST
    pending, _ = replay([[AWAY]])
    _, told = step(pending, [AWAY], later, quiet=QUIET)
    assert told == ()


def test_a_clock_that_is_set_back_ends_nothing_and_begins_nothing() -> None:
    episodes, _ = replay([[WAITS], []])
    episodes, told = step(episodes, [], START - 5000, quiet=QUIET)
    assert told == ()
    _, told_later = replay([[]] * 59, episodes)
    assert [state for _, _, state in told_later] == ["over"]


def test_of_what_nobody_can_say_how_it_is_nothing_changes() -> None:
    open_, _ = replay([[WAITS]])
    kept, told = replay([[]] * 500, open_, blind=frozenset(["oldest_ready"]))
    assert told == []
    assert kept.open == open_.open


def test_an_end_says_how_long_it_lasted_and_what_it_was() -> None:
    worse = Condition("oldest_ready", "mail", "it waits even longer")
    episodes, _ = replay([[WAITS]] + [[worse]] * 89)
    _, (told,) = step(
        Episodes(
            episodes.looked, tuple(msgspec.structs.replace(one, well=59.5) for one in episodes.open)
        ),
        [],
        episodes.looked + 1,
        quiet=QUIET,
    )
    assert told.text == "over after 1m 29s: it waits"
    assert told.since == START + 1


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens_begins_and_ends_take_turns(seed: int) -> None:
    chance = random.Random(seed)
    kinds = [AWAY, WAITS, Condition("fatal", "mail", "FATAL", after=5.0)]
    episodes, now = Episodes(), START
    seen: dict[tuple[str, str], str] = {}
    for _ in range(3000):
        now += chance.choice([0.2, 1.0, 1.0, 3.0, 40.0, -20.0])
        wrong = [one for one in kinds if chance.random() < chance.choice([0.02, 0.9])]
        blind = frozenset(["fatal"]) if chance.random() < 0.1 else frozenset[str]()
        wrong = [one for one in wrong if one.kind not in blind]
        # It survives the child at any moment.
        episodes = msgspec.json.decode(msgspec.json.encode(episodes), type=Episodes)
        episodes, told = step(episodes, wrong, now, quiet=10.0, blind=blind)
        for one in told:
            assert seen.get((one.kind, one.about), "over") != one.state
            seen[one.kind, one.about] = one.state
    assert seen


def grown(*looks: tuple[float, float, int], window: float = 600.0) -> int:
    """What has grown after looks of (start of the master, Unix time, its count)."""
    growth = Growth()
    for run, now, total in looks:
        growth = growth.after(run, total, now, window)
    return growth.grown


def test_growth_is_counted_within_the_window_only() -> None:
    assert grown((START, START + 1, 5), (START, START + 100, 7)) == 7
    assert grown((START, START + 1, 5), (START, START + 605, 7)) == 2
    assert grown((START, START + 1, 5), (START, START + 2000, 5)) == 0


def test_a_new_master_counts_from_nothing() -> None:
    first, second = START, START + 50
    assert grown((first, START + 10, 5), (second, START + 60, 3)) == 8


def test_what_an_old_master_has_counted_before_the_first_look_is_of_no_known_time() -> None:
    assert grown((START, START + 10_000, 500)) == 0
    assert grown((START, START + 10_000, 500), (START, START + 10_001, 504)) == 4


def test_growth_takes_little_room_whatever_happens() -> None:
    growth = Growth()
    for second in range(10_000):
        growth = growth.after(START, second * 3, START + second, 600.0)
    assert len(growth.steps) <= 21
    assert growth.grown == pytest.approx(1800, rel=0.06)


def message(kind: str, state: str = "begun", at: float = START, since: float = START) -> Message:
    return Message.of(Told(kind, "", state, "text", since, at), "node")  # type: ignore[arg-type]


def test_of_one_episode_only_the_newest_state_is_told() -> None:
    outbox = Outbox()
    outbox.put(message("dead"))
    outbox.put(message("redis"))
    outbox.put(message("dead", "over"))
    assert [(one.kind, one.state) for one in outbox.messages] == [
        ("redis", "begun"),
        ("dead", "over"),
    ]


def test_the_end_of_one_episode_is_told_although_the_next_has_begun() -> None:
    outbox = Outbox()
    outbox.put(message("dead", "over"))
    outbox.put(message("dead", since=START + 500))
    assert [one.state for one in outbox.messages] == ["over", "begun"]


def test_what_was_delivered_while_something_newer_came_does_not_take_it_away() -> None:
    outbox = Outbox()
    outbox.put(message("dead"))
    outbox.put(message("dead", "over"))
    outbox.delivered(message("dead"))
    assert [one.state for one in outbox.messages] == ["over"]
    outbox.failed(message("dead"), "refused")
    assert [one.state for one in outbox.messages] == ["over"]


def test_who_is_refused_waits_longer_and_lets_others_go_first() -> None:
    outbox = Outbox()
    outbox.put(message("dead"))
    outbox.put(message("redis"))
    rests = []
    for _ in range(10):
        outbox.failed(outbox.messages[0], "refused")
        rests.append(outbox.rest)
    assert rests[:4] == [1.0, 2.0, 4.0, 8.0]
    assert rests[-1] == REST_MOST
    outbox.failed(message("dead"), "refused")
    assert [one.kind for one in outbox.messages] == ["redis", "dead"]
    outbox.delivered(message("redis"))
    assert (outbox.rest, outbox.why) == (0.0, "")


def test_an_outbox_is_bounded_and_the_newest_stay() -> None:
    outbox = Outbox()
    lost = sum(outbox.put(message(f"kind{number}")) for number in range(MESSAGES_MOST + 7))
    assert (lost, len(outbox.messages)) == (7, MESSAGES_MOST)
    assert outbox.messages[-1].kind == f"kind{MESSAGES_MOST + 6}"
