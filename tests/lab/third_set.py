"""A third set of simulated programs: what its writers expect of programs that nobody has tuned the procedure on.

Heaps with a ceiling of their own, workers that are recycled, crowds, children that are killed alone, queues, memory by
connections, copies on write, loads that move under a leak. Used to weigh evidence (bench/evidence_weights.py), one
family at a time held out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random

from tests.lab.synthetic import DAY, HOUR, MIN, Base, Batch, Cache, Files, Garbage, Leak, Load, Part, Plan, Step, Tmpfs, Traffic, named


@dataclass
class Heap(Part):
    """Leaks up to a ceiling of its own, stands there for `stands` of the time it took, and exits (0: never)."""

    ceiling: float
    fill_s: float
    stands: float = 0.2
    live_share: float = 1.0  # of what is there, not garbage
    by_load: bool = False
    work: float = 0.0
    ends_at: float = math.inf
    is_over: bool = False

    def reset(self, t: float, rng: Random) -> None:
        self.work, self.is_over = 0.0, False
        self.ends_at = self.fill_s * (1 + self.stands * rng.uniform(0.7, 1.3)) if self.stands else math.inf

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        self.work += dt * (rate if self.by_load else 1.0)
        self.is_over = self.work > self.ends_at
        return self.ceiling * min(1.0, self.work / self.fill_s) * rng.uniform(0.99, 1.0)


@dataclass
class Workers(Part):
    """Workers that leak and are recycled one by one after `life_s` of work: a sum of saws."""

    count: int
    each: float
    leak_each: float  # by the end of its life
    life_s: float
    ages: list[float] = field(default_factory=list)

    def reset(self, t: float, rng: Random) -> None:
        self.ages = [rng.uniform(0, 0.15) for _ in range(self.count)]

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        for i, age in enumerate(self.ages):
            self.ages[i] = age + dt * rate / self.life_s if age < 1 else rng.uniform(0, 0.1)
        return sum(self.each + self.leak_each * age for age in self.ages)


@dataclass
class Giants(Part):
    """Single large requests, at random, about every `every_s`; each takes some minutes."""

    size: float
    every_s: float
    length_s: float = 180.0
    spread: float = 0.3
    until: float = 0.0
    now: float = 0.0

    def reset(self, t: float, rng: Random) -> None:
        self.until = 0.0

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        if t >= self.until and rng.random() < dt / self.every_s:
            self.until = t + self.length_s * rng.uniform(0.5, 1.5)
            self.now = self.size * rng.uniform(1 - self.spread, 1 + self.spread)
        return self.now if t < self.until else 0.0


@dataclass
class Queue(Part):
    """A backlog in memory: grows while work comes in faster than it is done, shrinks after."""

    capacity: float  # x the usual rate
    per_h: float
    level: float = 0.0

    def reset(self, t: float, rng: Random) -> None:
        self.level = 0.0

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        self.level = max(0.0, self.level + (rate - self.capacity) * self.per_h / HOUR * dt)
        return self.level


def _hours(rng: Random, low: float, high: float) -> float:
    return math.exp(rng.uniform(math.log(low), math.log(high))) * HOUR


def _step(span: float, rng: Random) -> float:
    return float(min((15, 30, 60, 120, 300), key=lambda s: abs(math.log(span / s / rng.uniform(600, 2000)))))


def _moving(rng: Random, low: float = 0.3, high: float = 0.8) -> Traffic:
    return Traffic(wave=rng.uniform(low, high), period_s=rng.choice((4, 8, 24)) * HOUR, phase=rng.random(), noise=rng.uniform(0.1, 0.4))


def _bursts(rng: Random, span: float, count: int, low: float, high: float, *, factor: tuple[float, float]) -> Traffic:
    return Traffic(
        bursts=tuple((rng.uniform(0.1, 0.95) * span, rng.uniform(low, high) * MIN, rng.uniform(*factor)) for _ in range(count)), noise=0.3
    )


def leak_to_own_ceiling(rng: Random) -> Plan:
    fill = _hours(rng, 1, 12)
    span = fill * rng.uniform(2.2, 6)
    heap = Heap(rng.uniform(0.35, 0.65), fill, rng.choice((0.05, 0.2, 0.6)), by_load=rng.random() < 0.5)
    return Plan("leak", [Base(rng.uniform(0.08, 0.2)), heap], span, _step(span, rng), _moving(rng, 0.0, 0.5), has_rate=rng.random() < 0.5)


def leak_heap_stands_then_killed(rng: Random) -> Plan:
    fill = _hours(rng, 2, 10)
    span = fill * rng.uniform(2.5, 6)
    parts = [Base(rng.uniform(0.1, 0.2)), Heap(rng.uniform(0.55, 0.65), fill, 0), Leak(rng.uniform(0.02, 0.12) / fill * HOUR, begins=0)]
    return Plan("leak", [*parts, Giants(rng.uniform(0.15, 0.3), fill / 2, 120)], span, _step(span, rng))


def leak_under_moving_load(rng: Random) -> Plan:
    life = _hours(rng, 1, 24)
    base, load = rng.uniform(0.1, 0.25), rng.uniform(0.1, 0.3)
    span = life * rng.uniform(1.2, 12)
    leak = Leak((0.9 - base - load) / life * HOUR, by_load=True)
    return Plan("leak", [Base(base), Load(load, 60), leak], span, _step(span, rng), _moving(rng), has_rate=rng.random() < 0.6)


def leak_by_batches(rng: Random) -> Plan:
    every = _hours(rng, 0.3, 2)
    span = every * rng.uniform(15, 40)
    batch = Batch(rng.uniform(0.05, 0.2), every, every * rng.uniform(0.1, 0.4))
    leak = Leak(rng.uniform(0.6, 2.5) / span * HOUR, chunk=rng.uniform(0.02, 0.05))
    return Plan("leak", [Base(rng.uniform(0.1, 0.3)), batch, leak], span, _step(span, rng))


def leak_of_connections(rng: Random) -> Plan:
    span = _hours(rng, 12, 96)
    return Plan("leak", [Base(rng.uniform(0.1, 0.3)), Load(rng.uniform(0.05, 0.15), 3600), Leak(rng.uniform(0.5, 4) / span * HOUR, by_load=True)],
                span, _step(span, rng), _moving(rng), has_rate=rng.random() < 0.4, are_restarts_counted=rng.random() < 0.8)  # fmt: skip


def leak_native_beside_garbage(rng: Random) -> Plan:
    span = _hours(rng, 6, 72)
    garbage = Garbage(rng.uniform(0.1, 0.3), rng.uniform(0.01, 0.1) * span, jitter=0.5, minor=0.04)
    return Plan("leak", [Base(rng.uniform(0.1, 0.3)), garbage, Leak(rng.uniform(0.4, 3) / span * HOUR)], span, _step(span, rng))


def leak_in_fits(rng: Random) -> Plan:
    span = _hours(rng, 8, 72)
    leak = Leak(rng.uniform(0.5, 3) / span * HOUR, on_share=rng.uniform(0.02, 0.3))
    return Plan("leak", [Base(rng.uniform(0.1, 0.3)), leak, Load(0.05)], span, _step(span, rng), Traffic(noise=0.5))


def leak_with_giants(rng: Random) -> Plan:
    span = _hours(rng, 8, 48)
    giants = Giants(rng.uniform(0.15, 0.35), rng.uniform(0.02, 0.1) * span, rng.uniform(60, 400))
    return Plan("leak", [Base(rng.uniform(0.1, 0.25)), giants, Leak(rng.uniform(0.7, 3) / span * HOUR)], span, _step(span, rng))


def leak_since_release(rng: Random) -> Plan:
    span = _hours(rng, 8, 72)
    at = span * rng.uniform(0.2, 0.7)
    return Plan("leak", [Base(rng.uniform(0.2, 0.4)), Load(rng.uniform(0, 0.08)), Leak(rng.uniform(0.6, 5) / (span - at) * HOUR, begins=at)],
                span, _step(span, rng), _moving(rng, 0, 0.5), restarts_at=(at,), are_restarts_counted=rng.random() < 0.5)  # fmt: skip


def leak_after_cache(rng: Random) -> Plan:
    span = _hours(rng, 10, 48)
    return Plan("leak", [Base(0.1), Cache(rng.uniform(0.1, 0.3), rng.uniform(0.02, 0.1) * span, rng.choice(("exp", "linear"))),
                         Leak(rng.uniform(0.5, 2) / span * HOUR)], span, _step(span, rng))  # fmt: skip


def leak_of_days(rng: Random) -> Plan:
    span = _hours(rng, 96, 300)
    return Plan("leak", [Base(rng.uniform(0.15, 0.4)), Load(rng.uniform(0.02, 0.12)), Leak(rng.uniform(0.25, 1.5) / span * HOUR, by_load=True)],
                span, 300, Traffic(wave=rng.uniform(0.2, 0.7), phase=rng.random()), has_rate=rng.random() < 0.4)  # fmt: skip


def leak_of_minutes(rng: Random) -> Plan:
    life = _hours(rng, 0.25, 0.7)
    return Plan("leak", [Base(rng.uniform(0.1, 0.3)), Load(0.1, 60), Leak(0.65 / life * HOUR, by_load=True)], life * rng.uniform(4, 15),
                rng.choice((15.0, 30.0)), _moving(rng, 0.1, 0.5), has_rate=rng.random() < 0.5)  # fmt: skip


def leak_of_workers(rng: Random) -> Plan:
    span = _hours(rng, 6, 48)
    count = rng.choice((2, 4, 8))
    return Plan("leak", [Base(rng.uniform(0.1, 0.2)), Workers(count, 0.1 / count, rng.uniform(1.0, 3) / count, span * rng.uniform(1.0, 1.5))], span,
                _step(span, rng), _moving(rng, 0, 0.4))  # fmt: skip


def spike_crowds(rng: Random) -> Plan:
    span = _hours(rng, 4, 48)
    traffic = _bursts(rng, span, rng.randint(1, 5), 3, 25, factor=(3, 8))
    return Plan("spike", [Base(rng.uniform(0.1, 0.4)), Load(rng.uniform(0.08, 0.18), 60, kept=rng.uniform(0, 0.4))], span, _step(span, rng), traffic,
                has_rate=rng.random() < 0.5, outcome=True)  # fmt: skip


def spike_giants(rng: Random) -> Plan:
    span = _hours(rng, 6, 72)
    giants = Giants(rng.uniform(0.5, 0.9), span / rng.uniform(1.5, 6), rng.uniform(40, 600))
    return Plan("spike", [Base(rng.uniform(0.15, 0.5)), giants, Garbage(rng.uniform(0, 0.08), 900)], span, _step(span, rng), outcome=True)


def spike_child(rng: Random) -> Plan:
    span = _hours(rng, 6, 48)
    every = span / rng.uniform(3, 20)
    child = Batch(rng.uniform(0.5, 0.75), every, every * rng.uniform(0.05, 0.3), rng.uniform(0.1, 1.0), vary=0.4, is_child=True)
    return Plan("spike", [Base(rng.uniform(0.15, 0.45)), child], span, _step(span, rng), outcome=True)


def spike_wave(rng: Random) -> Plan:
    span = _hours(rng, 24, 96)
    return Plan("spike", [Base(rng.uniform(0.1, 0.25)), Load(rng.uniform(0.32, 0.45), 300)], span, _step(span, rng),
                Traffic(wave=rng.uniform(0.6, 0.95), period_s=rng.choice((8, 12, 24)) * HOUR, phase=rng.random(), noise=0.4),
                has_rate=rng.random() < 0.8, outcome=True)  # fmt: skip


def spike_queue(rng: Random) -> Plan:
    span = _hours(rng, 8, 48)
    traffic = _bursts(rng, span, rng.randint(1, 4), 20, 80, factor=(2.5, 5))
    return Plan("spike", [Base(rng.uniform(0.1, 0.35)), Queue(rng.uniform(1.3, 1.8), rng.uniform(0.2, 0.9))], span, _step(span, rng), traffic,
                has_rate=rng.random() < 0.5, outcome=True)  # fmt: skip


def spike_batches(rng: Random) -> Plan:
    span = _hours(rng, 6, 72)
    every = span / rng.uniform(2, 15)
    batch = Batch(rng.uniform(0.45, 0.8), every, every * rng.uniform(0.03, 0.35), rng.uniform(0.05, 1.0), first_s=every * rng.uniform(0.3, 1), vary=0.3,
                  kept=rng.choice((0, 0, 0.3)))  # fmt: skip
    return Plan("spike", [Base(rng.uniform(0.15, 0.4)), batch], span, _step(span, rng), outcome=True)


def spike_exports_at_night(rng: Random) -> Plan:
    span = _hours(rng, 30, 120)
    batch = Batch(rng.uniform(0.5, 0.9), DAY, rng.uniform(4, 40) * MIN, rng.uniform(0.2, 1.0), first_s=rng.uniform(2, 20) * HOUR, vary=0.2)
    return Plan("spike", [Base(rng.uniform(0.15, 0.4)), Load(0.08), batch], span, _step(span, rng), _moving(rng, 0.2, 0.5), outcome=True)


def limit_warm_up(rng: Random) -> Plan:
    span = _hours(rng, 6, 48)
    cache = Cache(rng.uniform(0.6, 0.72), span * rng.uniform(0.01, 0.08), rng.choice(("exp", "linear")), by_load=rng.random() < 0.5)
    return Plan(
        "limit_too_low", [Base(rng.uniform(0.2, 0.24)), cache], span, _step(span, rng), _moving(rng, 0, 0.3), has_rate=rng.random() < 0.5
    )


def limit_steady_noise(rng: Random) -> Plan:
    span = _hours(rng, 3, 72)
    noise = rng.choice((Load(rng.uniform(0.03, 0.07), 120), Garbage(rng.uniform(0.02, 0.08), 700), Batch(0.1, span / 7, 150, vary=0.5)))
    return Plan("limit_too_low", [Base(rng.uniform(0.8, 0.88), startup_s=rng.uniform(10, 250)), noise], span, _step(span, rng),
                Traffic(noise=0.3), has_rate=rng.random() < 0.5)  # fmt: skip


def limit_heap_reserved(rng: Random) -> Plan:
    span = _hours(rng, 2, 48)
    return Plan("limit_too_low", [Base(rng.uniform(0.78, 0.86), startup_s=rng.uniform(3, 60), noise=0.001), Cache(rng.uniform(0.02, 0.08), 0.2 * span)],
                span, _step(span, rng), begins_s=rng.choice((0, 0, 0.3)) * span)  # fmt: skip


def limit_workers(rng: Random) -> Plan:
    span = _hours(rng, 8, 48)
    count = rng.choice((2, 4, 8))
    return Plan("limit_too_low", [Base(0.1), Workers(count, rng.uniform(0.7, 0.74) / count, rng.uniform(0.06, 0.12) / count, span / rng.uniform(8, 40))],
                span, _step(span, rng))  # fmt: skip


def limit_new_level(rng: Random) -> Plan:
    span = _hours(rng, 8, 48)
    return Plan("limit_too_low", [Base(rng.uniform(0.4, 0.55)), Step(rng.uniform(0.32, 0.36), span * rng.uniform(0.2, 0.6), rng.choice((30, 600, 3000))),
                                  Load(0.03)], span, _step(span, rng), Traffic(noise=0.3))  # fmt: skip


def startup_never(rng: Random) -> Plan:
    return Plan(
        "startup", [Base(rng.uniform(1.05, 1.8), startup_s=rng.uniform(40, 500), noise=0.01)], _hours(rng, 0.4, 3), rng.choice((10, 15, 30))
    )


def startup_peak(rng: Random) -> Plan:
    return Plan("startup", [Base(rng.uniform(0.3, 0.6), startup_s=rng.uniform(40, 400), overshoot=rng.uniform(0.7, 0.95), noise=0.02)], _hours(rng, 0.5, 4),
                rng.choice((10, 15, 30)))  # fmt: skip


def normal_own_ceiling(rng: Random) -> Plan:
    fill = _hours(rng, 0.5, 6)
    span = fill * rng.uniform(2.2, 10)
    return Plan(
        "unknown", [Base(rng.uniform(0.08, 0.2)), Heap(rng.uniform(0.15, 0.5), fill, 0), Garbage(0.03, 600)], span, _step(span, rng)
    )


def normal_recycled_workers(rng: Random) -> Plan:
    span = _hours(rng, 8, 72)
    count = rng.choice((1, 2, 4, 8))
    return Plan("unknown", [Base(rng.uniform(0.1, 0.2)), Workers(count, 0.15 / count, rng.uniform(0.1, 0.4) / count, span / rng.uniform(4, 30))], span,
                _step(span, rng), _moving(rng, 0, 0.5), has_rate=rng.random() < 0.4)  # fmt: skip


def normal_moving_load(rng: Random) -> Plan:
    span = _hours(rng, 20, 96)
    return Plan("unknown", [Base(rng.uniform(0.1, 0.25)), Load(rng.uniform(0.1, 0.25), 300, kept=rng.choice((0, 0.5, 0.9)))], span, _step(span, rng),
                _moving(rng, 0.3, 0.7), has_rate=rng.random() < 0.6)  # fmt: skip


def normal_warm_up(rng: Random) -> Plan:
    span = _hours(rng, 5, 60)
    cache = Cache(rng.uniform(0.15, 0.5), span * rng.uniform(0.01, 0.15), rng.choice(("exp", "linear", "exp")), by_load=rng.random() < 0.5)
    return Plan(
        "unknown",
        [Base(rng.uniform(0.08, 0.2)), cache, Load(0.03)],
        span,
        _step(span, rng),
        _moving(rng, 0, 0.3),
        has_rate=rng.random() < 0.4,
    )


def normal_copies_on_write(rng: Random) -> Plan:
    span = _hours(rng, 5, 60)
    return Plan(
        "unknown",
        [Base(rng.uniform(0.1, 0.3)), Cache(rng.uniform(0.1, 0.3), span * rng.uniform(0.01, 0.04), "log")],
        span,
        _step(span, rng),
    )


def normal_warm_up_and_restarts(rng: Random) -> Plan:
    span = _hours(rng, 20, 96)
    at = tuple(span * (i + rng.uniform(-0.2, 0.2)) / 4 for i in (1, 2, 3))
    return Plan("unknown", [Base(0.15), Cache(rng.uniform(0.15, 0.45), span * rng.uniform(0.005, 0.03), rng.choice(("exp", "linear")))], span,
                _step(span, rng), restarts_at=at, are_restarts_counted=rng.random() < 0.6)  # fmt: skip


def normal_files(rng: Random) -> Plan:
    span = _hours(rng, 5, 60)
    return Plan("unknown", [Base(rng.uniform(0.1, 0.4)), Load(0.04), Files(rng.uniform(1, 6) / span * HOUR, 0.9)], span, _step(span, rng))


def normal_releases(rng: Random) -> Plan:
    span = _hours(rng, 10, 96)
    steps = [Step(rng.uniform(0.03, 0.15), span * rng.uniform(0.1, 0.8), rng.choice((30, 900))) for _ in range(rng.randint(1, 3))]
    return Plan("unknown", [Base(rng.uniform(0.1, 0.3)), *steps, Garbage(0.03, 500)], span, _step(span, rng))


def normal_noise(rng: Random) -> Plan:
    span = _hours(rng, 3, 96)
    parts: list[Part] = [Base(rng.uniform(0.1, 0.4)), Garbage(rng.uniform(0.05, 0.25), span / rng.uniform(5, 200), jitter=0.6), Load(0.04)]
    return Plan("unknown", parts, span, _step(span, rng), Traffic(noise=0.5))


def normal_small_giants(rng: Random) -> Plan:
    span = _hours(rng, 5, 60)
    return Plan(
        "unknown", [Base(rng.uniform(0.1, 0.3)), Giants(rng.uniform(0.1, 0.35), span / rng.uniform(3, 30), 400)], span, _step(span, rng)
    )


def normal_tmpfs_full(rng: Random) -> Plan:
    span = _hours(rng, 5, 40)
    return Plan(
        "unknown", [Base(rng.uniform(0.1, 0.3)), Tmpfs(rng.uniform(2, 8) / span * HOUR, rng.uniform(0.1, 0.35))], span, _step(span, rng)
    )


def hard_cache_beyond_limit(rng: Random) -> Plan:
    span = _hours(rng, 8, 48)
    return Plan(
        "limit_too_low",
        [Base(0.2), Cache(rng.uniform(0.85, 1.1), span * rng.uniform(0.3, 0.8), "linear")],
        span,
        _step(span, rng),
        hard=True,
    )


THIRD_SET = named(globals(), __name__)
