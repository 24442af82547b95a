"""Loads of every shape, each from a seed of its own: the same jobs in every run."""

import math
import random
from collections.abc import Callable, Mapping

from tests.unit.backlog_model import Shape

Jobs = list[tuple[float, float]]


def poisson(
    rate: Callable[[float], float],
    seconds: float = 1800.0,
    work: Callable[[random.Random], float] = lambda rng: rng.expovariate(2.0),
    seed: int = 1,
) -> Jobs:
    """Jobs at random: `rate` a second at each moment, each so many seconds of `work`."""
    rng = random.Random(seed)
    most = max(rate(float(second)) for second in range(int(seconds)))
    jobs, now = [], 0.0
    while most and (now := now + rng.expovariate(most)) < seconds:
        if rng.random() < rate(now) / most:
            jobs.append((now, work(rng)))
    return jobs


def burst(at: float, count: int, work: float) -> Jobs:
    return [(at, work)] * count


def between(start: float, end: float, inside: float, outside: float) -> Callable[[float], float]:
    return lambda now: inside if start <= now < end else outside


def square(period: float, high: float, low: float) -> Callable[[float], float]:
    return lambda now: high if now % period < period / 2 else low


def random_walk(seed: int) -> Callable[[float], float]:
    rng = random.Random(seed)
    rates = [5.0]
    for _ in range(60):
        rates.append(min(20.0, max(0.5, rates[-1] * rng.choice((0.6, 1.0, 1.6)))))
    return lambda now: rates[int(now / 30)]


def few_are_long(rng: random.Random) -> float:
    return 5.0 if rng.random() < 0.01 else 0.005


def heavy_tailed(rng: random.Random) -> float:
    return min(30.0, 0.1 * rng.paretovariate(1.5))


def at_regular_times(every: float, work: float, seconds: float = 1800.0) -> Jobs:
    return [(number * every, work) for number in range(int(seconds / every))]


# A job takes half a second unless told otherwise: 2 jobs a second are work for one worker.
SHAPES: Mapping[str, Shape] = {
    "no load": Shape([], steady=True, leaps=0),
    "one job an hour": Shape([(1800.0, 2.0), (5400.0, 2.0)], seconds=7200.0, steady=True, leaps=0),
    "constant, light": Shape(poisson(lambda now: 1.0), steady=True),
    "constant, for six workers": Shape(poisson(lambda now: 11.0), steady=True),
    "constant, without chance": Shape(at_regular_times(0.25, 0.9), steady=True),
    "constant, tiny jobs": Shape(
        poisson(lambda now: 300.0, 900.0, lambda rng: 0.01), 900.0, steady=True
    ),
    "step up": Shape(poisson(lambda now: 1.0 if now < 600 else 16.0), leaps=2, steady=True),
    "step down": Shape(poisson(lambda now: 16.0 if now < 600 else 1.0), steady=True),
    "pulse": Shape(poisson(between(300.0, 480.0, 20.0, 0.5)), steady=True),
    "ramp": Shape(poisson(lambda now: 20.0 * now / 1800)),
    "ramp up and down": Shape(poisson(lambda now: 20.0 * (1 - abs(now - 900) / 900))),
    "sawtooth": Shape(poisson(lambda now: 20.0 * (now % 300) / 300), leaps=6),
    "square, slow": Shape(poisson(square(600.0, 16.0, 1.0)), leaps=3),
    "square, at the cool-down": Shape(poisson(square(66.0, 16.0, 0.0)), leaps=28),
    "square, fast": Shape(poisson(square(20.0, 16.0, 0.0)), steady=True),
    "sine": Shape(poisson(lambda now: 10.0 + 9.0 * math.sin(now / 95.0)), leaps=3),
    "noise": Shape(poisson(random_walk(7), work=heavy_tailed)),
    "burst": Shape(burst(100.0, 200, 0.5), steady=True),
    "bursts": Shape(
        [job for at in range(60, 1800, 300) for job in burst(float(at), 100, 0.5)], leaps=6
    ),
    "long jobs": Shape(poisson(lambda now: 0.1, work=lambda rng: rng.uniform(40, 80)), leaps=3),
    "few are long": Shape(poisson(lambda now: 60.0, 900.0, few_are_long), 900.0),
    "slow to start": Shape(poisson(between(300.0, 900.0, 12.0, 0.5)), boot=8.0, steady=True),
    "spikes of pressure": Shape(
        poisson(lambda now: 1.0 if now < 300 else 12.0),
        pressure=lambda now: 90.0 if now % 120 < 20 else 5.0,
        leaps=2,
        steady=True,
    ),
    "counts that stay away": Shape(
        poisson(square(600.0, 12.0, 1.0)),
        blind=lambda now: 290.0 < now < 400 or now % 97 < 12,
        leaps=3,
    ),
    "more than there is room for": Shape(poisson(lambda now: 40.0), leaps=None, steady=True),
    "limited capacity": Shape(poisson(lambda now: 14.0), capacity=4.0, leaps=None),
    "a limit of two": Shape(poisson(lambda now: 10.0), limit=2, steady=True),
    "nobody gets them": Shape(burst(10.0, 50, 1.0), cannot_be_had=True, leaps=None, steady=True),
    "workers that crash": Shape(poisson(lambda now: 6.0), crashing=True, leaps=None, steady=True),
    "pressure all the time": Shape(
        poisson(lambda now: 12.0), pressure=lambda now: 60.0, leaps=None, steady=True
    ),
}
