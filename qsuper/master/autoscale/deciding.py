"""How many workers a queue should have: a pure function of what was seen, now and before.

Up fast: as soon as the oldest ready job has waited longer than wanted, by up to twice as many.
Down slowly: after a whole cool-down of calm, to what was needed at most during it.
"""

import math
from collections.abc import Iterator
from dataclasses import replace

from qsuper.config import Autoscale
from qsuper.master.autoscale.course import Course, Decision, Pace, Seen
from qsuper.master.autoscale.pressure import held_back
from qsuper.picture import CAP, span

STALE = 5.0
"""Seconds after which a count of the queues tells nothing any more."""
UP_REST = 1.5
"""Seconds between two steps up: counts come each second, a step shows in the second one at most."""
BOOT_PATIENCE = 3.0
"""Seconds for which workers that still start hold back the next step."""
CALM = 0.5
"""Part of the wanted wait up to which workers may be taken away."""
STEP_LEAST, STEP_MOST = 0.25, 1.0
"""A step up, as parts of the workers there are."""
REGRET = 4.0
"""Cool-downs within which a step up shows that the step down before it was wrong."""
LESSON = 10.0
"""Cool-downs for which a mistake is not made again; doubled for each one in a row."""
LESSONS_MOST = 3
"""Times it is doubled."""
JUDGED_FROM = 16
"""Jobs, at least, from which a pace is judged."""


def decide(course: Course, bounds: Autoscale, seen: Seen) -> Decision:
    """What follows from one look. The course of the decision belongs into the next one."""
    if seen.asked is not None:
        return _obey(course, bounds, seen, seen.asked)
    if seen.barred:
        return _hold(_forget(course), bounds, seen, seen.barred, seen.barred)
    if seen.counted_ago > STALE:
        why = f"the queues were last counted {span(seen.counted_ago)} ago"
        return _hold(_forget(course), bounds, seen, "stale", why)
    within = min(max(course.workers, bounds.min), bounds.max)
    if within != course.workers:
        return _step(course, seen, within, f"the configuration says {bounds.min} to {bounds.max}")
    course = _watch(course, bounds, seen)
    if seen.wait > bounds.wait or (course.workers == 0 and seen.ready):
        return _grow(course, bounds, seen)
    return _shrink(course, bounds, seen)


def _watch(course: Course, bounds: Autoscale, seen: Seen) -> Course:
    """Go on measuring calm, slack and pace."""
    turnout = seen.turnout
    calm = seen.wait <= CALM * bounds.wait
    if calm and turnout.busy < course.workers:
        since = seen.now if course.slack_since is None else course.slack_since
        course = replace(course, slack_since=since, peak=max(course.peak, turnout.busy))
    else:
        course = replace(course, slack_since=None, peak=0)
    if not calm or turnout.busy or seen.ready:
        course = replace(course, idle_since=None)
    elif course.idle_since is None:
        course = replace(course, idle_since=seen.now)
    mark = seen.now, turnout.finished
    if seen.wait <= bounds.wait:
        return replace(course, measured=mark, paces=())
    if course.measured is None and turnout.running >= course.workers:
        return replace(course, measured=mark)
    return course


def _forget(course: Course) -> Course:
    """Nothing is known of the time in which nothing was seen."""
    return replace(course, slack_since=None, peak=0, idle_since=None, measured=None, paces=())


def _grow(course: Course, bounds: Autoscale, seen: Seen) -> Decision:
    """More workers, unless something speaks against it; fewer, where more have not helped."""
    workers, now = course.workers, seen.now
    pace = _pace(course, seen)
    useless = _useless(course.paces, pace)
    if useless and now - course.raised_at >= bounds.cool_down:
        until = now + LESSON * bounds.cool_down
        return _step(replace(course, futile_until=until), seen, useless[0].workers, useless[1])
    # Nothing that is known of more workers speaks against the first one.
    obstacles = () if workers == 0 and _top(bounds, seen) else _obstacles(course, bounds, seen)
    if obstacle := next(iter(obstacles), None):
        cause, why = obstacle
        return _hold(course, bounds, seen, cause, why) if cause else Decision(course)
    if useless:
        return _hold(course, bounds, seen, "useless", useless[1])
    excess = seen.wait / bounds.wait - 1.0
    step = math.ceil(workers * min(STEP_MOST, max(STEP_LEAST, excess)))
    more = min(_top(bounds, seen), workers + max(1, min(step, seen.ready)))
    if pace is not None:
        fewer = (one for one in course.paces if one.workers < workers)
        course = replace(course, paces=(*fewer, pace))
    return _step(_learn(course, bounds, seen), seen, more, _wait(bounds, seen))


def _top(bounds: Autoscale, seen: Seen) -> int:
    return min(bounds.max, seen.room)


def _obstacles(course: Course, bounds: Autoscale, seen: Seen) -> Iterator[tuple[str, str]]:
    """What speaks against more workers, the plainest first: a cause, and it in words. Without a
    cause it is only too early to tell."""
    workers, turnout, now = course.workers, seen.turnout, seen.now
    if workers >= _top(bounds, seen):
        full = seen.room < bounds.max
        where = "the node has no room for more" if full else f"max is {bounds.max}"
        yield "top", f"{_wait(bounds, seen)}, but {where}"
    if now - course.raised_at < UP_REST:
        yield "", ""
    if turnout.failing > workers / 4:
        yield "failing", f"{turnout.failing} of {workers} workers do not come up"
    starting = workers - turnout.running - turnout.failing
    if starting > workers / 4 and now - course.stepped_at < BOOT_PATIENCE:
        yield "", ""
    if turnout.worked < turnout.running / 2:
        found = f"only {turnout.worked} of {turnout.running} workers find work"
        yield "idle", f"{found}, more would not help"
    if pressed := held_back(seen.readings, bounds.pressure):
        yield "pressure", pressed
    if now < course.futile_until:
        again = span(course.futile_until - now)
        yield "useless", f"more workers did not help, tried again in {again}"


def _pace(course: Course, seen: Seen) -> Pace | None:
    """How fast the present workers are; None when they have not been measured."""
    if course.measured is None or seen.now <= course.measured[0]:
        return None
    jobs = seen.turnout.finished - course.measured[1]
    return Pace(course.workers, jobs, seen.now - course.measured[0])


def _useless(paces: tuple[Pace, ...], pace: Pace | None) -> tuple[Pace, str] | None:
    """The fewest workers that were about as fast, and that in words; None when all are of use.

    Of no use are those that bring less than a quarter more, or less than a quarter of what their
    number should. Chance is no excuse: had all been of use, the jobs counted before would lie three
    standard deviations above their mean.
    """
    for before in paces:
        if pace is None or pace.jobs < JUDGED_FROM or not 0 < before.workers < pace.workers:
            continue
        growth = pace.workers / before.workers - 1.0
        mean = before.seconds * pace.rate / (1.0 + growth)
        enough = before.jobs >= mean + 3.0 * math.sqrt(mean) + 1.0
        if enough and pace.rate < before.rate * (1.0 + min(1.0, growth) / 4):
            why = (
                f"more workers do not help: {before.rate:.3g} jobs/s with {before.workers}, "
                f"{pace.rate:.3g} jobs/s with {pace.workers}"
            )
            return before, why
    return None


def _learn(course: Course, bounds: Autoscale, seen: Seen) -> Course:
    """That more are needed soon after a step down says that so few were too few."""
    if seen.now - course.lowered_at > REGRET * bounds.cool_down:
        return replace(course, lessons=0)
    lasts = LESSON * bounds.cool_down * 2 ** min(course.lessons, LESSONS_MOST)
    return replace(
        course,
        floor=course.workers + 1,
        floor_until=seen.now + lasts,
        lowered_at=-math.inf,
        lessons=course.lessons + 1,
    )


def _shrink(course: Course, bounds: Autoscale, seen: Seen) -> Decision:
    """Fewer workers, once it has been calm for long enough."""
    now, rest = seen.now, bounds.cool_down
    if now - course.raised_at < rest or course.workers <= bounds.min:
        return Decision(course)
    if course.idle_since is not None and now - course.idle_since >= rest:
        why = f"nothing to do for {span(now - course.idle_since)}"
        return _step(course, seen, bounds.min, why)
    if course.slack_since is None or now - max(course.slack_since, course.stepped_at) < rest:
        return Decision(course)
    floor = course.floor if now < course.floor_until else 0
    fewer = max(bounds.min, floor, course.peak + 1, math.ceil(course.workers / 2))
    if fewer >= course.workers:
        return Decision(replace(course, slack_since=now, peak=seen.turnout.busy))
    why = (
        f"no more than {course.peak} of {course.workers} workers were busy for "
        f"{span(now - course.slack_since)}"
    )
    return _step(replace(course, lowered_at=now), seen, fewer, why)


def _wait(bounds: Autoscale, seen: Seen) -> str:
    jobs = f"{CAP:,}+" if seen.ready > CAP else f"{seen.ready:,}"
    return f"the oldest of {jobs} ready jobs waits {span(seen.wait)}, wanted is {span(bounds.wait)}"


def _step(course: Course, seen: Seen, workers: int, why: str) -> Decision:
    raised = seen.now if workers > course.workers else course.raised_at
    stepped = replace(
        course,
        workers=workers,
        stepped_at=seen.now,
        raised_at=raised,
        slack_since=None,
        peak=0,
        idle_since=None,
        measured=None,
        cause="",
    )
    return Decision(stepped, why, worth_telling=True)


def _hold(course: Course, bounds: Autoscale, seen: Seen, cause: str, why: str) -> Decision:
    """Change nothing. Told when it begins, and again only after a pause of a whole cool-down."""
    fresh = cause != course.cause or seen.now - course.caused_at > bounds.cool_down
    held = replace(course, cause=cause, caused_at=seen.now)
    return Decision(held, f"held back: {why}", worth_telling=fresh)


def _obey(course: Course, bounds: Autoscale, seen: Seen, asked: int) -> Decision:
    """Somebody knows better; the course goes on from there."""
    why = f"somebody asked for {asked}, until `qsuper scale QUEUE=auto`"
    if asked != course.workers:
        decision = _step(course, seen, asked, why)
        told = replace(decision.course, cause="asked", caused_at=seen.now)
        return replace(decision, course=_forget(told))
    return _hold(_forget(course), bounds, seen, "asked", why)
