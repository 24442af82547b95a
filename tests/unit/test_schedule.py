"""When a cron line is due, and which of its due times become jobs."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from qsuper import Queue
from qsuper.config import Config, ScheduleConfig, TaskConfig
from qsuper.cron import CronLine
from qsuper.errors import ParamError
from qsuper.tasks.registry import Registry, Task
from qsuper.tasks.schedule import (
    MISSED,
    PAUSED,
    Due,
    Schedule,
    distinct,
    line_of,
    named,
    remembered,
)
from qsuper.tasks.scheduled import job_for, schedules_of, sorted_out

BERLIN = "Europe/Berlin"


def at(text: str, zone: str = "UTC", fold: int = 0) -> float:
    """The Unix time of a date in a zone."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def due(cron: str, since: float, until: float, zone: str = BERLIN) -> list[str]:
    """The local dates in between at which a line is due."""
    found = CronLine(cron, zone).within(since, until, 1000)
    return [datetime.fromtimestamp(one, ZoneInfo(zone)).strftime("%d %H:%M %Z") for one in found]


def test_a_line_is_due_after_since_and_up_to_now() -> None:
    noon = at("2026-05-01 12:00")
    line = CronLine("*/5 * * * *")
    assert line.within(noon, noon + 600, 9) == [noon + 300, noon + 600]
    assert line.within(noon - 1, noon, 9) == [noon]
    assert line.within(noon - 0.25, noon + 0.25, 9) == [noon]
    assert line.within(noon + 0.25, noon + 299.75, 9) == []


def test_no_more_are_found_than_asked_for() -> None:
    assert len(CronLine("* * * * *").within(0, 86_400, 7)) == 7


def test_a_fixed_time_that_a_spring_night_skips_is_due_when_the_hour_would_have_ended() -> None:
    night = at("2026-03-29 00:00", BERLIN), at("2026-03-29 06:00", BERLIN)
    assert due("30 2 * * *", *night) == ["29 03:00 CEST"]
    assert due("0,30 2,3 * * *", *night) == ["29 03:00 CEST", "29 03:30 CEST"]
    assert due("15 * * * *", *night) == [f"29 0{hour}:15 {zone}" for hour, zone in SPRING]


SPRING = [(0, "CET"), (1, "CET"), (3, "CEST"), (4, "CEST"), (5, "CEST")]


def test_a_fixed_time_that_an_autumn_night_has_twice_is_due_the_first_time() -> None:
    night = at("2026-10-25 00:00", BERLIN), at("2026-10-25 06:00", BERLIN)
    assert due("30 2 * * *", *night) == ["25 02:30 CEST"]
    hours = [(0, "CEST"), (1, "CEST"), (2, "CEST"), (2, "CET"), (3, "CET"), (4, "CET"), (5, "CET")]
    assert due("15 * * * *", *night) == [f"25 0{hour}:15 {zone}" for hour, zone in hours]


@pytest.mark.parametrize("cron", ["30 2 * * *", "*/20 * * * *", "15 * * * *", "0 1-3 * * *"])
@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_it_does_not_matter_in_how_many_steps_a_night_is_looked_at(cron: str, day: str) -> None:
    line = CronLine(cron, BERLIN)
    begin, end = at(f"{day} 00:00", BERLIN), at(f"{day} 06:00", BERLIN)
    at_once = line.within(begin, end, 1000)
    steps: list[int] = []
    since = begin
    while since < end:
        steps += line.within(since, since + 97, 1000)
        since += 97
    assert [one for one in steps if one <= end] == at_once
    assert at_once == sorted(set(at_once))


def test_leap_days() -> None:
    found = CronLine("0 0 29 2 *").within(at("2023-01-01"), at("2033-01-01"), 9)
    assert [datetime.fromtimestamp(one, UTC).year for one in found] == [2024, 2028, 2032]


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("0 0 30 2 *", "is never due: these months have no such day"),
        ("0 0 31 4,6,9,11 *", "is never due"),
        ("* * * *", "has not five fields"),
        ("* * * * * *", "has not five fields"),
        ("@daily", "has not five fields"),
        ("60 * * * *", "bad minute"),
        ("* * * 13 *", "bad month"),
        ("*/0 * * * *", "bad minute"),
        ("L/2 * * * *", "bad minute"),
        ("9" * 150 + " * * * *", "is wrong"),
        ("*" * 300, "is not a cron line"),
        ("\0 * * * *", "bad minute"),
        (5, "is not a cron line"),
    ],
)
def test_a_line_that_is_none_is_refused_with_the_mend(cron: Any, words: str) -> None:
    with pytest.raises(ParamError, match=words) as refused:
        Schedule(cron, "sweep")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "Europe", "../../etc/passwd", "\0", 4, None])
def test_a_time_zone_that_is_not_known_is_refused(zone: Any) -> None:
    with pytest.raises(ParamError, match="write one such as 'Europe/Berlin'"):
        Schedule("* * * * *", "sweep", timezone=zone)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"misfire": "twice"}, "misfire is one of once, skip, all"),
        ({"overlap": True}, "overlap is one of allow, skip"),
        ({"grace": 1}, "grace is a number of seconds from 5"),
        ({"grace": float("nan")}, "grace is a number of seconds from 5"),
        ({"jitter": -1}, "jitter is a number of seconds from 0"),
        ({"jitter": timedelta(1)}, "jitter is a number of seconds from 0"),
        ({"name": "n" * 191}, "at most 190 characters"),
        ({"name": "a "}, "does not begin or end with a space"),
        ({"name": "a\nb"}, "printable"),
        ({"param": [1]}, "a mapping of named arguments"),
        ({"param": {1: 2}}, "a mapping of named arguments"),
    ],
)
def test_other_mistakes_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ParamError, match=words):
        Schedule("* * * * *", "sweep", **options)


TIMES = [1000, 2000, 3000]


def decided(now: float, **options: Any) -> list[str | None]:
    more, paused = options.pop("more", False), options.pop("paused", False)
    schedule = Schedule("* * * * *", "sweep", grace=60, **options)
    found = schedule.decide(TIMES, now, more=more, paused=paused)
    assert [one.at for one in found] == TIMES
    return [one.note for one in found]


def test_what_is_on_time_makes_a_job_whatever_the_misfire() -> None:
    for misfire in ("once", "skip", "all"):
        schedule = Schedule("* * * * *", "sweep", misfire=misfire, grace=60)
        assert schedule.decide([1000], 1060) == [Due(1000, None)]


def test_once_makes_one_job_for_all_that_were_missed() -> None:
    assert decided(9000) == [MISSED, MISSED, None]


def test_once_makes_no_job_beside_one_that_is_on_time() -> None:
    assert decided(3010) == [MISSED, MISSED, None]


def test_once_leaves_the_job_to_the_last_when_more_is_to_come() -> None:
    assert decided(9000, more=True) == [MISSED, MISSED, MISSED]


def test_skip_makes_none_for_what_was_missed() -> None:
    assert decided(9000, misfire="skip") == [MISSED, MISSED, MISSED]
    assert decided(3010, misfire="skip") == [MISSED, MISSED, None]


def test_all_makes_one_for_each() -> None:
    assert decided(9000, misfire="all") == [None, None, None]


@pytest.mark.parametrize("misfire", ["once", "skip", "all"])
def test_a_paused_schedule_makes_none(misfire: str) -> None:
    assert decided(3010, misfire=misfire, paused=True) == [PAUSED, PAUSED, PAUSED]


def test_jitter_is_the_same_on_every_host_and_spreads() -> None:
    first, second = (Schedule("* * * * *", "sweep", name="a", jitter=100) for _ in range(2))
    times = range(0, 60_000, 60)
    late = [first.lateness(one) for one in times]
    assert late == [second.lateness(one) for one in times]
    assert all(0 <= one < 100 for one in late)
    assert len(set(late)) == len(times)
    assert 40 < sum(late) / len(late) < 60
    other = Schedule("* * * * *", "sweep", name="b", jitter=100)
    assert other.lateness(60) != first.lateness(60)


def test_a_job_waits_for_its_jitter_from_the_due_time_on() -> None:
    schedule = Schedule("* * * * *", "sweep", name="a", jitter=100)
    wanted = 6000 + schedule.lateness(6000)
    assert job_for(schedule, 6000, 6001, Registry(), Config()).at == wanted
    assert job_for(schedule, 6000, 6101, Registry(), Config()).at is None


def test_a_schedule_has_its_tasks_name_and_the_cron_line_where_there_are_several() -> None:
    hourly, daily = Schedule("0 * * * *", "sweep"), Schedule("0  0 * * *", "sweep")
    mail = Schedule("0 * * * *", "mail")
    assert [one.name for one in distinct([hourly, mail])] == ["sweep", "mail"]
    several = distinct([hourly, daily, mail, hourly])
    assert [one.name for one in several] == ["sweep 0 * * * *", "sweep 0 0 * * *", "mail"]


def test_of_two_schedules_of_one_name_the_first_keeps_it() -> None:
    first, second = Schedule("0 * * * *", "sweep", name="a"), Schedule("1 * * * *", "b", name="a")
    long = [Schedule(f"{minute} * * * *", "t" * 185) for minute in (1, 2)]
    found, refused = named([first, second, *long])
    assert found == {"a": first}
    assert [(one.name, one.reason.split(":")[0]) for one in refused] == [
        ("a", "two schedules are named 'a'"),
        *[("t" * 185, "a schedule's name is at most 190 characters")] * 2,
    ]


def test_one_whose_job_cannot_be_is_set_apart_from_the_others() -> None:
    registry = Registry()
    registry.add(Task("sweep", lambda n: None))
    small = msgspec.structs.replace(Config().job, max_param_bytes=10)
    config = Config(
        job=small,
        schedule=(
            ScheduleConfig(cron="0 * * * *", task="sweep", name="none"),
            ScheduleConfig(cron="0 * * * *", task="sweep", name="large", param={"n": "x" * 9}),
            ScheduleConfig(cron="0 * * * *", task="elsewhere", name="text", param="\udc80" * 4),
            ScheduleConfig(cron="0 * * * *", task="sweep", name="good", param={"n": 1}),
        ),
    )
    found, refused = sorted_out(config, registry)
    assert list(found) == ["good"]
    reasons = {one.name: one.reason for one in refused}
    assert "missing a required argument: 'n'" in reasons["none"]
    assert "larger than 10 bytes (job.max_param_bytes)" in reasons["large"]
    assert "larger than 10 bytes (job.max_param_bytes)" in reasons["text"]


def test_two_schedules_of_one_name_are_a_mistake_where_they_are_declared() -> None:
    queue = Queue()

    @queue.schedule("0 * * * *", name="a")
    def one() -> None: ...

    with pytest.raises(ParamError, match="two schedules are named 'a'"):
        queue.schedule("1 * * * *", name="a")(one)


def test_one_task_may_have_several_schedules() -> None:
    queue = Queue()

    @queue.schedule("0 0 * * *", param={"n": 2})
    @queue.schedule("0 * * * *", param={"n": 1})
    @queue.task(queue="mail", priority=-3, max_age=60)
    def sweep(n: int) -> None: ...

    found = schedules_of(Config(), queue.registry)
    assert [(one.name, one.param) for one in found] == [
        ("sweep 0 * * * *", {"n": 1}),
        ("sweep 0 0 * * *", {"n": 2}),
    ]
    job = job_for(found[0], 3600, 3601, queue.registry, Config())
    assert (job.task, job.param, job.queue, job.priority) == ("sweep", '{"n":1}', "mail", -3)
    assert (job.max_age, job.at) == (60, None)
    assert job.headers == {"schedule": {"name": "sweep 0 * * * *", "due": 3600}}


def test_a_param_that_the_task_cannot_take_is_refused_where_it_is_declared() -> None:
    def sweep(n: int) -> None: ...

    with pytest.raises(ParamError, match="missing a required argument: 'n'"):
        Queue().schedule("0 * * * *")(sweep)


def test_schedules_of_the_configuration_know_their_tasks() -> None:
    registry = Registry()
    registry.add(Task("sweep", lambda n: None, queue="mail"))
    config = Config(
        tasks={"dump": TaskConfig(queue="slow", priority=7)},
        schedule=(
            ScheduleConfig(cron="0 * * * *", task="sweep", param={"n": 1}),
            ScheduleConfig(cron="0 3 * * *", task="dump", param="all", timezone=BERLIN),
            ScheduleConfig(cron="0 4 * * *", task="elsewhere"),
        ),
    )
    sweep, dump, elsewhere = schedules_of(config, registry)
    jobs = [job_for(one, None, 0, registry, config) for one in (sweep, dump, elsewhere)]
    assert [(one.param, one.queue, one.priority) for one in jobs] == [
        ('{"n":1}', "mail", 0),
        ("all", "slow", 7),
        (None, "default", 0),
    ]
    assert jobs[1].headers == {"schedule": {"name": "dump"}}
    wrong = Config(schedule=(ScheduleConfig(cron="0 * * * *", task="sweep", param="{}"),))
    with pytest.raises(ParamError, match=r"the schedule 'sweep': .* missing a required argument"):
        schedules_of(wrong, registry)


def test_a_definition_is_kept_as_text_that_others_may_have_written() -> None:
    schedule = Schedule("0 3 * * *", "sweep", timezone=BERLIN)
    assert line_of(schedule.definition) == schedule.line
    again = remembered("a", schedule.definition)
    assert again is not None
    assert (again.name, again.definition) == ("a", schedule.definition)
    assert remembered("a", schedule.definition[:-1] + ', "zone": "x"}') is None
    for text in ("", "null", "[]", "{}", '{"cron": 3, "timezone": "UTC"}', '{"cron": "x"}'):
        assert line_of(text) is None
        assert remembered("a", text) is None
