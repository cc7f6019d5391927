"""A fifth set of simulated programs: written before the procedure was mended for what the fourth had shown, and run blind after it.

Leaks behind a switch, of errors, in crowds of new users, in quiet nights, under limits that were raised; pile-ups, lunch
times, rebalances; reserved heaps, lowered limits, configuration pushes; imports that fit half of the time; caches that
are cleared at night, heaps that are given back slowly, counters with faults.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from tests.lab.synthetic import DAY, HOUR, MIN, Base, Batch, Cache, Garbage, Leak, Load, Part, Plan, Step, Traffic, named


@dataclass
class Users(Part):
    """A store by user that nobody bounds: new users come ever more rarely, and never stop coming."""

    size: float
    span_s: float
    power: float
    work: float = 0.0

    def reset(self, t: float, rng: Random) -> None:
        self.work = 0.0

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        self.work += dt * rate
        return self.size * math.pow(self.work / self.span_s, self.power)


@dataclass
class Errors(Part):
    """Something is forgotten with each error, and the error rate walks."""

    per_h: float
    speed: float = 1.0
    leaked: float = 0.0

    def reset(self, t: float, rng: Random) -> None:
        self.leaked, self.speed = 0.0, 1.0

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        self.speed = min(4.0, max(0.1, self.speed * math.exp(rng.gauss(0, math.sqrt(dt / HOUR) * 0.4))))
        self.leaked += self.per_h / HOUR * dt * self.speed
        return self.leaked


@dataclass
class Switched(Part):
    """Leaks while a switch is on."""

    per_h: float
    on: tuple[tuple[float, float], ...]
    leaked: float = 0.0

    def reset(self, t: float, rng: Random) -> None:
        self.leaked = 0.0

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        if any(begin <= t < end for begin, end in self.on):
            self.leaked += self.per_h / HOUR * dt * rng.uniform(0.5, 1.5)
        return self.leaked


@dataclass
class PileUp(Part):
    """A lock is held too long: what waits doubles every `doubles_s` until it is let go, or the kernel kills."""

    every_s: float
    doubles_s: float
    lasts: float
    began: float = math.inf
    ends: float = 0.0

    def reset(self, t: float, rng: Random) -> None:
        self.began = math.inf

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        if t < self.began and rng.random() < dt / self.every_s:
            self.began, self.ends = t, t + self.doubles_s * self.lasts * rng.uniform(0.6, 1.3)
        if self.began <= t < self.ends:
            return float(0.01 * 2 ** ((t - self.began) / self.doubles_s))
        if t >= self.ends:
            self.began = math.inf
        return 0.0


@dataclass
class SlowlyGivenBack(Part):
    """Peaks that the runtime gives back with a half-life."""

    size: float
    every_s: float
    half_s: float
    level: float = 0.0

    def reset(self, t: float, rng: Random) -> None:
        self.level = 0.0

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        if rng.random() < dt / self.every_s:
            self.level = max(self.level, self.size * rng.uniform(0.6, 1.0))
        self.level *= 0.5 ** (dt / self.half_s)
        return self.level


@dataclass
class Imports(Part):
    """Needs `size` at its start, give or take `spread`, and half of it later."""

    size: float
    spread: float
    takes_s: float
    now: float = 0.0

    def reset(self, t: float, rng: Random) -> None:
        self.now = self.size * rng.uniform(1 - self.spread, 1 + self.spread)

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        return self.now * (up / self.takes_s if up < self.takes_s else 0.45)


def _hours(rng: Random, low: float, high: float) -> float:
    return math.exp(rng.uniform(math.log(low), math.log(high))) * HOUR


def _step(span: float, rng: Random) -> float:
    return float(min((15, 30, 60, 120, 300), key=lambda s: abs(math.log(span / s / rng.uniform(500, 2500)))))


def _waves(rng: Random, low: float = 0.1, high: float = 0.6) -> Traffic:
    return Traffic(wave=rng.uniform(low, high), period_s=rng.choice((8, 24, 24)) * HOUR, phase=rng.random(), noise=rng.uniform(0.1, 0.5))


# --- leaks ---


def leak_of_users(rng: Random) -> Plan:
    span = _hours(rng, 10, 96)
    return Plan("leak", [Base(rng.uniform(0.1, 0.25)), Users(rng.uniform(1.0, 2.5), span, rng.uniform(0.75, 0.95)), Load(0.05)], span, _step(span, rng),
                _waves(rng), has_rate=rng.random() < 0.4)  # fmt: skip


def leak_of_errors(rng: Random) -> Plan:
    span = _hours(rng, 10, 72)
    return Plan(
        "leak",
        [Base(rng.uniform(0.15, 0.3)), Errors(rng.uniform(0.8, 3) / span * HOUR), Garbage(0.06, span / 50)],
        span,
        _step(span, rng),
        _waves(rng),
    )


def leak_behind_a_switch(rng: Random) -> Plan:
    span = _hours(rng, 16, 72)
    at = sorted(rng.uniform(0.1, 0.9) * span for _ in range(4))
    on = ((at[0], at[1]), (at[2], span))
    return Plan(
        "leak",
        [Base(rng.uniform(0.15, 0.3)), Switched(rng.uniform(1.5, 5) / span * HOUR, on), Load(0.05)],
        span,
        _step(span, rng),
        _waves(rng),
    )


def leak_and_quiet_nights(rng: Random) -> Plan:
    span = _hours(rng, 36, 150)
    nights = tuple((d * DAY + 20 * HOUR, 9 * HOUR, 0.02) for d in range(-1, 8))
    return Plan("leak", [Base(rng.uniform(0.15, 0.25)), Load(0.08), Leak(rng.uniform(0.8, 3.5) / span * HOUR, by_load=True)], span, 300,
                Traffic(bursts=nights, noise=0.2), has_rate=rng.random() < 0.4)  # fmt: skip


def leak_and_raised_limits(rng: Random) -> Plan:
    span = _hours(rng, 16, 72)
    at = (span * rng.uniform(0.25, 0.45), span * rng.uniform(0.55, 0.8))
    return Plan("leak", [Base(rng.uniform(0.2, 0.3)), Leak(rng.uniform(2.5, 8) / span * HOUR, by_load=True), Load(0.06)], span, _step(span, rng), _waves(rng),
                limits=((0.0, 1.0), (at[0], 1.5), (at[1], 2.0)), has_rate=rng.random() < 0.4)  # fmt: skip


def leak_and_faulty_counters(rng: Random) -> Plan:
    span = _hours(rng, 10, 72)
    return Plan(
        "leak",
        [Base(rng.uniform(0.15, 0.3)), Leak(rng.uniform(1.5, 6) / span * HOUR), Load(0.05)],
        span,
        _step(span, rng),
        _waves(rng),
        faults=0.3,
    )


def leak_under_a_large_saw(rng: Random) -> Plan:
    span = _hours(rng, 12, 72)
    saw = Garbage(rng.uniform(0.25, 0.4), span / rng.uniform(12, 40), jitter=0.4)
    return Plan("leak", [Base(rng.uniform(0.1, 0.2)), saw, Leak(rng.uniform(0.5, 2) / span * HOUR)], span, _step(span, rng), _waves(rng))


# --- spikes ---


def spike_pile_ups(rng: Random) -> Plan:
    span = _hours(rng, 6, 48)
    return Plan("spike", [Base(rng.uniform(0.2, 0.5)), PileUp(span / rng.uniform(1.5, 6), rng.uniform(30, 240), rng.uniform(6, 8)), Load(0.05)], span,
                _step(span, rng), _waves(rng), outcome=True)  # fmt: skip


def spike_at_lunch(rng: Random) -> Plan:
    span = rng.uniform(1.5, 6) * DAY
    lunch = tuple((d * DAY + 12 * HOUR, rng.uniform(40, 100) * MIN, rng.uniform(2.2, 3.2)) for d in range(7))
    return Plan("spike", [Base(rng.uniform(0.15, 0.3)), Load(rng.uniform(0.2, 0.3), 300)], span, _step(span, rng), Traffic(bursts=lunch, noise=0.2),
                has_rate=rng.random() < 0.5, outcome=True)  # fmt: skip


def spike_rebalances(rng: Random) -> Plan:
    span = _hours(rng, 12, 72)
    batch = Batch(rng.uniform(0.45, 0.65), span / rng.uniform(2, 6), rng.uniform(15, 70) * MIN, 0.03, vary=0.2)
    return Plan("spike", [Base(rng.uniform(0.2, 0.35)), batch, Load(0.03)], span, _step(span, rng), _waves(rng), outcome=True)


def spike_report_of_the_month(rng: Random) -> Plan:
    span = _hours(rng, 20, 72)
    batch = Batch(rng.uniform(0.6, 0.9), span * 2, rng.uniform(20, 80) * MIN, rng.uniform(0.4, 1.0), first_s=span * rng.uniform(0.3, 0.9))
    return Plan("spike", [Base(rng.uniform(0.2, 0.35)), batch, Load(0.06)], span, _step(span, rng), _waves(rng), outcome=True)


def spike_herd_after_restart(rng: Random) -> Plan:
    span = _hours(rng, 8, 48)
    at = tuple(sorted(span * rng.uniform(0.1, 0.9) for _ in range(rng.randint(1, 3))))
    bursts = tuple((x + rng.uniform(700, 2000), rng.uniform(5, 20) * MIN, rng.uniform(4, 7)) for x in at)
    return Plan("spike", [Base(rng.uniform(0.2, 0.35)), Load(rng.uniform(0.1, 0.15), 60)], span, _step(span, rng), Traffic(bursts=bursts, noise=0.3),
                restarts_at=at, has_rate=rng.random() < 0.5, outcome=True)  # fmt: skip


# --- limits ---


def limit_reserved(rng: Random) -> Plan:
    span = _hours(rng, 3, 72)
    return Plan(
        "limit_too_low",
        [Base(rng.uniform(0.82, 0.9), rng.uniform(10, 120)), Load(rng.uniform(0.01, 0.05), 60)],
        span,
        _step(span, rng),
        _waves(rng),
    )


def limit_by_a_push(rng: Random) -> Plan:
    span = _hours(rng, 24, 96)
    return Plan("limit_too_low", [Base(rng.uniform(0.45, 0.6)), Step(rng.uniform(0.3, 0.34), span * rng.uniform(0.2, 0.5), rng.uniform(30, 900)), Load(0.04)],
                span, _step(span, rng), _waves(rng, 0, 0.4))  # fmt: skip


def limit_of_lives_of_hours(rng: Random) -> Plan:
    span = _hours(rng, 8, 36)
    peaks = Batch(rng.uniform(0.12, 0.2), span / rng.uniform(4, 10), rng.uniform(2, 6) * MIN, vary=0.5)
    return Plan(
        "limit_too_low", [Base(rng.uniform(0.84, 0.89), rng.uniform(20, 200)), peaks, Load(0.02)], span, _step(span, rng), _waves(rng)
    )


def limit_was_lowered(rng: Random) -> Plan:
    span = _hours(rng, 16, 72)
    return Plan("limit_too_low", [Base(rng.uniform(0.5, 0.55)), Load(rng.uniform(0.02, 0.05))], span, _step(span, rng), _waves(rng, 0, 0.4),
                limits=((0.0, 1.0), (span * rng.uniform(0.3, 0.6), rng.uniform(0.62, 0.66))))  # fmt: skip


# --- start-ups ---


def startup_imports(rng: Random) -> Plan:
    span = _hours(rng, 2, 16)
    return Plan("startup", [Imports(rng.uniform(0.95, 1.2), 0.12, rng.uniform(30, 240)), Load(0.05)], span, rng.choice((15.0, 30.0)),
                restarts_at=tuple(span * x for x in (0.3, 0.5, 0.8)))  # fmt: skip


def startup_after_lowering(rng: Random) -> Plan:
    span = _hours(rng, 6, 24)
    at = span * rng.uniform(0.4, 0.7)
    return Plan("startup", [Imports(rng.uniform(0.8, 0.9), 0.03, rng.uniform(40, 200)), Load(0.03)], span, _step(span, rng),
                limits=((0.0, 1.0), (at, 0.6)), restarts_at=(at + 60,))  # fmt: skip


# --- nothing wrong ---


def normal_cleared_at_night(rng: Random) -> Plan:
    span = rng.uniform(1.5, 6) * DAY
    cache = Garbage(rng.uniform(0.15, 0.4), DAY, jitter=0.02)
    return Plan("unknown", [Base(rng.uniform(0.15, 0.25)), cache, Load(0.04)], span, 300, _waves(rng), hard=span < 2.5 * DAY)


def normal_given_back_slowly(rng: Random) -> Plan:
    span = _hours(rng, 12, 96)
    return Plan("unknown", [Base(rng.uniform(0.15, 0.25)), SlowlyGivenBack(rng.uniform(0.2, 0.45), span / rng.uniform(3, 15), rng.uniform(0.5, 4) * HOUR)],
                span, _step(span, rng), _waves(rng))  # fmt: skip


def normal_two_warm_ups(rng: Random) -> Plan:
    span = _hours(rng, 24, 120)
    return Plan("unknown", [Base(rng.uniform(0.1, 0.2)), Cache(rng.uniform(0.1, 0.2), span / 100), Cache(rng.uniform(0.08, 0.2), span / rng.uniform(8, 14)), Load(0.04)],
                span, _step(span, rng), _waves(rng))  # fmt: skip


def normal_faulty_counters(rng: Random) -> Plan:
    span = _hours(rng, 6, 72)
    return Plan("unknown", [Base(rng.uniform(0.2, 0.5)), Load(rng.uniform(0.05, 0.1))], span, _step(span, rng), _waves(rng), faults=0.3,
                restarts_at=tuple(sorted(rng.uniform(0, span) for _ in range(3))))  # fmt: skip


def normal_half_scraped(rng: Random) -> Plan:
    span = _hours(rng, 6, 72)
    return Plan(
        "unknown",
        [Base(rng.uniform(0.2, 0.4)), Load(rng.uniform(0.05, 0.15)), Garbage(0.08, 600)],
        span,
        _step(span, rng),
        _waves(rng),
        loss=0.6,
    )


def normal_restarted_daily(rng: Random) -> Plan:
    span = rng.uniform(2, 6) * DAY
    return Plan("unknown", [Base(rng.uniform(0.15, 0.3)), Cache(rng.uniform(0.1, 0.3), rng.uniform(0.5, 3) * HOUR), Load(0.05)], span, 300, _waves(rng),
                restarts_at=tuple(d * DAY for d in range(1, 7)), are_restarts_counted=rng.random() < 0.5)  # fmt: skip


FIFTH_SET = named(globals(), __name__)
