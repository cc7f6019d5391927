"""A fourth set of simulated programs: mechanisms that the first three do not have, written to be run blind.

Nothing of the procedure was chosen on their first results (docs/diagnosis.md has them): tables that double, bounds by
entries and by bytes, sessions with a time to live, arenas that only ratchet, one-time warm-ups, work of night jobs,
watchdogs, leaders that move, crowds of tenants, weekly cycles, counters with gaps, moves between nodes.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from random import Random

from tests.lab.synthetic import DAY, HOUR, MIN, Base, Batch, Cache, Files, Leak, Load, Part, Plan, Traffic, named


@dataclass
class Table(Part):
    """A hash table of keys that come `per_h` (in its first size) and stay: entries, and slots that double when they are full."""

    first: float  # size of the slots at the start
    fill_s: float  # until the first doubling
    entries: float = 0.5  # size of the entries as a share of full slots
    bound: float = math.inf  # keys, as a multiple of the first size
    keys: float = 0.0

    def reset(self, t: float, rng: Random) -> None:
        self.keys = 0.0

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        self.keys = min(self.bound, self.keys + dt / self.fill_s * rate)
        slots = 2.0 ** max(0, math.ceil(math.log2(max(self.keys, 1.0))))
        return self.first * (slots + self.entries * self.keys)


@dataclass
class Sessions(Part):
    """What arrives stays for `ttl_s` (infinite: nobody removes it)."""

    size: float  # at a rate of 1, when the first ones leave
    ttl_s: float
    level: float = 0.0
    held: deque[tuple[float, float]] = field(default_factory=deque)

    def reset(self, t: float, rng: Random) -> None:
        self.level = 0.0
        self.held.clear()

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        came = self.size * rate * dt / self.ttl_s * rng.uniform(0.6, 1.4)
        self.held.append((t, came))
        self.level += came
        while self.held and self.held[0][0] < t - self.ttl_s:
            self.level -= self.held.popleft()[1]
        return self.level


@dataclass
class Ratchet(Part):
    """An arena that is as large as it ever had to be: the highest of `live` and garbage that varies with the load."""

    live: float
    spread: float
    leak_per_h: float = 0.0
    high: float = 0.0
    leaked: float = 0.0

    def reset(self, t: float, rng: Random) -> None:
        self.high = self.leaked = 0.0

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        self.leaked += self.leak_per_h / HOUR * dt * rate
        needed = self.live * min(1.0, up / 120) + self.leaked + self.spread * min(1.0, rng.betavariate(1.2, 8) * rate)
        self.high = max(self.high, needed)
        return self.high


@dataclass
class Stages(Part):
    """Compiled code and pools: some one-time jumps, ever rarer."""

    size: float
    first_s: float
    count: int = 6

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        return self.size * (1 - 0.5 ** sum(up > self.first_s * 2.2**i for i in range(self.count)))


@dataclass
class Fragments(Part):
    """The allocator's holes: a root of the work done."""

    size: float
    span_s: float
    work: float = 0.0

    def reset(self, t: float, rng: Random) -> None:
        self.work = 0.0

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        self.work += dt * rate
        return self.size * math.sqrt(self.work / self.span_s) * rng.uniform(0.99, 1.01)


@dataclass
class Flushed(Part):
    """A buffer that is written out at `size`, or on its own time; while the target is away (`away`) it is not."""

    size: float
    fill_s: float
    away: tuple[tuple[float, float], ...] = ()
    level: float = 0.0

    def reset(self, t: float, rng: Random) -> None:
        self.level = 0.0

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        self.level += self.size * dt / self.fill_s * rate
        if self.level >= self.size * rng.uniform(0.8, 1.2) and not any(begin <= t < end for begin, end in self.away):
            self.level = 0.0
        return self.level


@dataclass
class Tenants(Part):
    """Jobs of tenants whose sizes have a long tail."""

    median: float
    every_s: float
    tail: float = 1.3
    most: float = 1.2
    now: float = 0.0
    until: float = 0.0
    began: float = 0.0

    def reset(self, t: float, rng: Random) -> None:
        self.now = self.until = 0.0

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        if t >= self.until and rng.random() < dt / self.every_s:
            self.now = min(self.median * rng.paretovariate(self.tail) / 1.7, self.most)
            self.began, self.until = t, t + 90 + 900 * self.now * rng.uniform(0.5, 1.5)
        return self.now * min(1.0, (t - self.began + dt) / (0.4 * (self.until - self.began) + 1)) if t < self.until else 0.0


@dataclass
class NightLeak(Part):
    """Each run of a job forgets some of its memory; nothing grows between the runs."""

    size: float
    forgets: float
    every_s: float
    length_s: float
    first_s: float
    kept: float = 0.0

    def reset(self, t: float, rng: Random) -> None:
        self.kept = 0.0

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        phase = (t - self.first_s) % self.every_s
        if t < self.first_s or phase >= self.length_s:
            return self.kept
        self.kept += self.forgets * dt / self.length_s
        return self.kept + self.size * min(1.0, 4 * phase / self.length_s)


@dataclass
class Watched(Part):
    """A watchdog ends the process when what it leaked reaches `most`."""

    per_h: float
    most: float
    leaked: float = 0.0
    is_over: bool = False

    def reset(self, t: float, rng: Random) -> None:
        self.leaked, self.is_over = 0.0, False

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        self.leaked += self.per_h / HOUR * dt * rate * rng.uniform(0.6, 1.4)
        self.is_over = self.leaked >= self.most
        return self.leaked


@dataclass
class Leader(Part):
    """Holds the leader's state while it leads: some hours at a time."""

    size: float
    turns: tuple[tuple[float, float], ...]

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        return max((self.size * min(1.0, (t - begin) / 300) for begin, end in self.turns if begin <= t < end), default=0.0)


@dataclass
class Data(Part):
    """What a program loads at its start: more with every release."""

    sizes: tuple[float, ...]
    index: int = -1

    def reset(self, t: float, rng: Random) -> None:
        self.index = min(self.index + 1, len(self.sizes) - 1)

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        return self.sizes[self.index] * min(1.0, up / 150) + abs(rng.gauss(0, 0.003))


def _hours(rng: Random, low: float, high: float) -> float:
    return math.exp(rng.uniform(math.log(low), math.log(high))) * HOUR


def _step(span: float, rng: Random) -> float:
    return float(min((15, 30, 60, 120, 300), key=lambda s: abs(math.log(span / s / rng.uniform(500, 2500)))))


def _waves(rng: Random, low: float = 0.1, high: float = 0.6) -> Traffic:
    return Traffic(wave=rng.uniform(low, high), period_s=rng.choice((6, 24, 24)) * HOUR, phase=rng.random(), noise=rng.uniform(0.1, 0.4))


def _at_random(rng: Random, span: float, count: int, low: float = 0.1, high: float = 0.9) -> tuple[float, ...]:
    return tuple(sorted(rng.uniform(low, high) * span for _ in range(count)))


# --- leaks ---


def leak_of_a_table(rng: Random) -> Plan:
    span = _hours(rng, 6, 72)
    first = rng.choice((0.02, 0.035, 0.05))
    return Plan("leak", [Base(rng.uniform(0.1, 0.25)), Table(first, span / rng.uniform(12, 60)), Load(0.04)], span, _step(span, rng),
                _waves(rng), has_rate=rng.random() < 0.4)  # fmt: skip


def leak_of_sessions(rng: Random) -> Plan:
    span = _hours(rng, 12, 96)
    return Plan("leak", [Base(rng.uniform(0.1, 0.3)), Sessions(rng.uniform(0.8, 4), span)], span, _step(span, rng), _waves(rng, 0.3, 0.9),
                has_rate=rng.random() < 0.5)  # fmt: skip


def leak_in_an_arena(rng: Random) -> Plan:
    span = _hours(rng, 8, 72)
    return Plan("leak", [Base(0.08), Ratchet(rng.uniform(0.1, 0.3), rng.uniform(0.1, 0.3), rng.uniform(0.6, 4) / span * HOUR)], span,
                _step(span, rng), _waves(rng), has_rate=rng.random() < 0.4)  # fmt: skip


def leak_of_night_jobs(rng: Random) -> Plan:
    every = rng.choice((6, 12, 24)) * HOUR
    span = every * rng.uniform(7, 14)
    job = NightLeak(rng.uniform(0.05, 0.2), rng.uniform(0.05, 0.11), every, rng.uniform(0.5, 2) * HOUR, rng.uniform(1, 5) * HOUR)
    return Plan("leak", [Base(rng.uniform(0.15, 0.3)), job, Load(0.05)], span, _step(span, rng), _waves(rng, 0, 0.5))


def leak_watched(rng: Random) -> Plan:
    life = _hours(rng, 1, 16)
    most = rng.uniform(0.4, 0.7)
    return Plan("leak", [Base(rng.uniform(0.1, 0.2)), Watched(most / life * HOUR, most), Load(0.05)], life * rng.uniform(2.5, 8),
                _step(life * 4, rng), _waves(rng), are_restarts_counted=rng.random() < 0.7, has_rate=rng.random() < 0.4)  # fmt: skip


def leak_between_deploys(rng: Random) -> Plan:
    span = _hours(rng, 48, 150)
    at = tuple(x * DAY * rng.uniform(0.9, 1.1) for x in range(1, int(span // DAY) + 1))
    return Plan("leak", [Base(rng.uniform(0.2, 0.35)), Leak(rng.uniform(0.25, 0.55) / 24, by_load=True), Load(0.06)], span, 300, _waves(rng),
                restarts_at=at, are_restarts_counted=rng.random() < 0.4, has_rate=rng.random() < 0.4)  # fmt: skip


def leak_in_large_steps(rng: Random) -> Plan:
    span = _hours(rng, 8, 72)
    return Plan("leak", [Base(rng.uniform(0.1, 0.25)), Leak(rng.uniform(0.9, 3) / span * HOUR, chunk=rng.uniform(0.08, 0.14)), Load(0.03)], span,
                _step(span, rng), _waves(rng))  # fmt: skip


def leak_and_weekly_cycle(rng: Random) -> Plan:
    span = rng.uniform(9, 14) * DAY
    traffic = Traffic(wave=rng.uniform(0.3, 0.6), noise=0.2, bursts=tuple((d * DAY, 2 * DAY, 0.4) for d in (5, 12)))
    return Plan("leak", [Base(rng.uniform(0.15, 0.3)), Load(rng.uniform(0.05, 0.15), 600), Leak(rng.uniform(0.4, 1.6) / span * HOUR, by_load=True)], span,
                300, traffic, has_rate=rng.random() < 0.4)  # fmt: skip


def leak_and_flushed_buffer(rng: Random) -> Plan:
    span = _hours(rng, 8, 48)
    return Plan("leak", [Base(rng.uniform(0.1, 0.25)), Flushed(rng.uniform(0.08, 0.2), span / rng.uniform(10, 60)), Leak(rng.uniform(0.6, 3) / span * HOUR)],
                span, _step(span, rng), _waves(rng))  # fmt: skip


def leak_and_moved_pods(rng: Random) -> Plan:
    span = _hours(rng, 24, 120)
    return Plan("leak", [Base(rng.uniform(0.15, 0.3)), Leak(rng.uniform(1.2, 4) / span * HOUR), Load(0.05)], span, _step(span, rng), _waves(rng),
                restarts_at=_at_random(rng, span, rng.randint(1, 3)), are_restarts_counted=False)  # fmt: skip


# --- spikes ---


def spike_tenants(rng: Random) -> Plan:
    span = _hours(rng, 6, 72)
    return Plan(
        "spike",
        [Base(rng.uniform(0.12, 0.35)), Tenants(rng.uniform(0.1, 0.25), span / rng.uniform(15, 80))],
        span,
        _step(span, rng),
        outcome=True,
    )


def spike_snapshots(rng: Random) -> Plan:
    span = _hours(rng, 8, 72)
    base, every = rng.uniform(0.4, 0.58), rng.choice((1, 2, 6)) * HOUR
    return Plan(
        "spike",
        [Base(base), Batch(base * rng.uniform(0.6, 1.0), every, rng.uniform(3, 12) * MIN, 0.9, vary=0.3)],
        span,
        _step(span, rng),
        outcome=True,
    )


def spike_model_swaps(rng: Random) -> Plan:
    span = _hours(rng, 12, 72)
    base = rng.uniform(0.42, 0.55)
    return Plan(
        "spike",
        [Base(base), Batch(base, span / rng.uniform(3, 12), rng.uniform(2, 8) * MIN, 0.5, vary=0.08)],
        span,
        _step(span, rng),
        outcome=True,
    )


def spike_while_target_is_away(rng: Random) -> Plan:
    span = _hours(rng, 12, 72)
    fill = rng.uniform(300, 900)
    away = tuple((at, at + fill * rng.uniform(8, 30)) for at in _at_random(rng, span, rng.randint(1, 3), 0.15, 0.85))
    return Plan("spike", [Base(rng.uniform(0.2, 0.4)), Flushed(rng.uniform(0.03, 0.06), fill, away)], span, _step(span, rng), outcome=True)


def spike_retry_storms(rng: Random) -> Plan:
    span = _hours(rng, 6, 48)
    bursts = tuple((at, rng.uniform(2, 10) * MIN, rng.uniform(4, 10)) for at in _at_random(rng, span, rng.randint(1, 5)))
    return Plan("spike", [Base(rng.uniform(0.2, 0.4)), Sessions(rng.uniform(0.06, 0.12), rng.uniform(10, 40) * MIN), Load(0.04, 60)], span,
                _step(span, rng), Traffic(bursts=bursts, noise=0.3), has_rate=rng.random() < 0.5, outcome=True)  # fmt: skip


def spike_weekdays(rng: Random) -> Plan:
    span = rng.uniform(6, 14) * DAY
    traffic = Traffic(wave=rng.uniform(0.5, 0.8), noise=0.3, phase=rng.random(), bursts=tuple((d * DAY, 2 * DAY, 0.4) for d in (5, 12)))
    return Plan(
        "spike",
        [Base(rng.uniform(0.1, 0.2)), Load(rng.uniform(0.36, 0.5), 600)],
        span,
        300,
        traffic,
        has_rate=rng.random() < 0.6,
        outcome=True,
    )


def spike_cron_inside(rng: Random) -> Plan:
    span = _hours(rng, 12, 96)
    big = Batch(
        rng.uniform(0.45, 0.75), rng.choice((4, 8, 24)) * HOUR, rng.uniform(4, 30) * MIN, 0.6, first_s=rng.uniform(1, 4) * HOUR, vary=0.2
    )
    small = Batch(rng.uniform(0.05, 0.15), rng.uniform(10, 40) * MIN, rng.uniform(1, 5) * MIN)
    return Plan("spike", [Base(rng.uniform(0.2, 0.35)), small, big], span, _step(span, rng), outcome=True)


# --- limits ---


def limit_more_data_each_release(rng: Random) -> Plan:
    count = rng.randint(4, 7)
    start = rng.uniform(0.45, 0.6)
    sizes = tuple(start + (rng.uniform(0.88, 0.95) - start) * i / (count - 2) for i in range(count - 1))
    span = count * rng.uniform(8, 30) * HOUR
    at = tuple(span * (i + 1) / (count + 1.5) for i in range(count - 2))
    return Plan(
        "limit_too_low",
        [Data(sizes), Load(0.03)],
        span,
        _step(span, rng),
        _waves(rng, 0, 0.3),
        restarts_at=at,
        are_restarts_counted=rng.random() < 0.5,
    )


def limit_of_sessions(rng: Random) -> Plan:
    ttl = _hours(rng, 0.5, 4)
    return Plan("limit_too_low", [Base(rng.uniform(0.25, 0.4)), Sessions(rng.uniform(0.5, 0.55), ttl)], ttl * rng.uniform(6, 14),
                _step(ttl * 8, rng), _waves(rng, 0.0, 0.08), has_rate=rng.random() < 0.4)  # fmt: skip


def limit_after_stages(rng: Random) -> Plan:
    span = _hours(rng, 10, 72)
    return Plan(
        "limit_too_low",
        [Base(rng.uniform(0.45, 0.6)), Stages(rng.uniform(0.33, 0.36), rng.uniform(60, 600), 5), Load(0.03)],
        span,
        _step(span, rng),
    )


def limit_bounded_by_bytes(rng: Random) -> Plan:
    span = _hours(rng, 8, 48)
    table = Cache(rng.uniform(0.5, 0.55), span * rng.uniform(0.02, 0.12), "linear", by_load=True)
    return Plan("limit_too_low", [Base(rng.uniform(0.32, 0.36)), table, Load(0.02, 60)], span, _step(span, rng), _waves(rng, 0, 0.4))


def limit_two_processes(rng: Random) -> Plan:
    span = _hours(rng, 4, 48)
    traffic = _waves(rng, 0.2, 0.5)
    return Plan("limit_too_low", [Base(rng.uniform(0.5, 0.55)), Base(rng.uniform(0.28, 0.33), rng.uniform(40, 200)), Load(rng.uniform(0.04, 0.07), 120)],
                span, _step(span, rng), traffic, has_rate=rng.random() < 0.5)  # fmt: skip


# --- start-ups ---


def startup_migration(rng: Random) -> Plan:
    span = _hours(rng, 1, 8)
    climb = rng.uniform(100, 480)
    return Plan("startup", [Base(rng.uniform(1.05, 1.6), climb)], span, rng.choice((15.0, 30.0, 60.0)))


def startup_preload(rng: Random) -> Plan:
    span = _hours(rng, 6, 36)
    fine = rng.uniform(0.3, 0.6)
    return Plan("startup", [Data((fine, 1.3)), Load(0.04)], span, _step(span, rng), restarts_at=(span * rng.uniform(0.3, 0.8),),
                are_restarts_counted=rng.random() < 0.5)  # fmt: skip


# --- nothing wrong ---


def normal_table_of_bounded_keys(rng: Random) -> Plan:
    span = _hours(rng, 12, 72)
    return Plan(
        "unknown",
        [Base(rng.uniform(0.1, 0.25)), Table(0.03, span / rng.uniform(60, 200), bound=rng.uniform(3, 9))],
        span,
        _step(span, rng),
        _waves(rng),
    )


def normal_sessions(rng: Random) -> Plan:
    ttl = _hours(rng, 0.5, 6)
    return Plan("unknown", [Base(rng.uniform(0.1, 0.25)), Sessions(rng.uniform(0.1, 0.3), ttl)], ttl * rng.uniform(8, 20), _step(ttl * 12, rng),
                _waves(rng, 0, 0.3), has_rate=rng.random() < 0.5)  # fmt: skip


def normal_arena(rng: Random) -> Plan:
    span = _hours(rng, 8, 96)
    return Plan(
        "unknown", [Base(0.08), Ratchet(rng.uniform(0.1, 0.25), rng.uniform(0.1, 0.35))], span, _step(span, rng), _waves(rng, 0, 0.4)
    )


def normal_stages(rng: Random) -> Plan:
    span = _hours(rng, 8, 72)
    return Plan(
        "unknown",
        [Base(rng.uniform(0.15, 0.3)), Stages(rng.uniform(0.1, 0.3), span * rng.uniform(0.002, 0.01)), Load(0.05)],
        span,
        _step(span, rng),
        _waves(rng),
    )


def normal_fragments(rng: Random) -> Plan:
    span = _hours(rng, 24, 120)
    return Plan(
        "unknown", [Base(rng.uniform(0.2, 0.35)), Fragments(rng.uniform(0.03, 0.15), span), Load(0.05)], span, _step(span, rng), _waves(rng)
    )


def normal_flushed(rng: Random) -> Plan:
    span = _hours(rng, 6, 48)
    return Plan(
        "unknown",
        [Base(rng.uniform(0.15, 0.3)), Flushed(rng.uniform(0.05, 0.3), span / rng.uniform(3, 60))],
        span,
        _step(span, rng),
        _waves(rng),
    )


def normal_leader_moves(rng: Random) -> Plan:
    span = _hours(rng, 12, 96)
    cuts = _at_random(rng, span, rng.choice((1, 2, 4)))
    turns = tuple((a, b) for a, b in zip(cuts[::2], (*cuts[1::2], span * 2), strict=False))
    return Plan(
        "unknown", [Base(rng.uniform(0.15, 0.3)), Leader(rng.uniform(0.1, 0.35), turns), Load(0.05)], span, _step(span, rng), _waves(rng)
    )


def normal_autoscaled(rng: Random) -> Plan:
    span = _hours(rng, 12, 72)
    cuts = _at_random(rng, span, rng.randint(2, 6))
    bursts = tuple((a, b - a, rng.uniform(0.5, 1.9)) for a, b in zip(cuts, (*cuts[1:], span), strict=True))
    return Plan("unknown", [Base(rng.uniform(0.1, 0.25)), Load(rng.uniform(0.08, 0.16), 300)], span, _step(span, rng), Traffic(bursts=bursts, noise=0.2),
                has_rate=rng.random() < 0.5)  # fmt: skip


def normal_weekdays(rng: Random) -> Plan:
    span = rng.uniform(6, 14) * DAY
    traffic = Traffic(wave=rng.uniform(0.3, 0.6), noise=0.2, phase=rng.random(), bursts=tuple((d * DAY, 2 * DAY, 0.4) for d in (5, 12)))
    return Plan(
        "unknown", [Base(rng.uniform(0.15, 0.3)), Load(rng.uniform(0.08, 0.2), 600)], span, 300, traffic, has_rate=rng.random() < 0.5
    )


def normal_minute_lives(rng: Random) -> Plan:
    span = _hours(rng, 2, 12)
    every = rng.uniform(100, 400)
    return Plan(
        "unknown",
        [Base(rng.uniform(0.2, 0.6), rng.uniform(20, 60)), Load(0.05)],
        span,
        30,
        restarts_at=tuple(every * i for i in range(1, int(span / every))),
    )


def normal_moved_pods(rng: Random) -> Plan:
    span = _hours(rng, 12, 96)
    return Plan("unknown", [Base(rng.uniform(0.15, 0.35)), Cache(rng.uniform(0.05, 0.25), span * rng.uniform(0.01, 0.05)), Load(0.05)], span, _step(span, rng),
                _waves(rng), restarts_at=_at_random(rng, span, rng.randint(1, 6)), are_restarts_counted=False)  # fmt: skip


def normal_files_and_sessions(rng: Random) -> Plan:
    span = _hours(rng, 12, 72)
    return Plan("unknown", [Base(rng.uniform(0.15, 0.3)), Files(rng.uniform(0.5, 3) / span * HOUR, rng.uniform(0.3, 1.0)), Sessions(rng.uniform(0.05, 0.2), span / 15)],
                span, _step(span, rng), _waves(rng))  # fmt: skip


def normal_tenants(rng: Random) -> Plan:
    span = _hours(rng, 8, 72)
    return Plan(
        "unknown",
        [Base(rng.uniform(0.12, 0.3)), Tenants(rng.uniform(0.05, 0.12), span / rng.uniform(20, 90), most=0.4)],
        span,
        _step(span, rng),
    )


# --- what memory alone cannot tell ---


def hard_sessions_of_a_day(rng: Random) -> Plan:
    span = _hours(rng, 6, 20)
    return Plan("unknown", [Base(rng.uniform(0.1, 0.25)), Sessions(rng.uniform(0.2, 0.5), DAY)], span, _step(span, rng), hard=True)


def hard_fragments_and_load(rng: Random) -> Plan:
    span = _hours(rng, 6, 20)
    traffic = Traffic(wave=rng.uniform(0.3, 0.6), phase=rng.uniform(0.8, 1.0), noise=0.2)
    return Plan(
        "unknown",
        [Base(rng.uniform(0.15, 0.3)), Fragments(rng.uniform(0.1, 0.2), span), Load(0.1)],
        span,
        _step(span, rng),
        traffic,
        hard=True,
    )


FOURTH_SET = named(globals(), __name__)
