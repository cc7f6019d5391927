"""Memory series of simulated programs, for shapes that the recorded traces do not have.

A program is a sum of parts (base, leak, garbage, cache, load, batch, step, file cache, tmpfs) in a container with a
limit: over it the kernel kills, the kubelet restarts with back-off, and scrapes miss some of it. Everything follows
from the seed. Nothing here was used to choose a number of the procedure by search; it is a second opinion on numbers
that were chosen by reasoning and on the recorded traces.

    python -m tests.lab.synthetic DIR [--seeds 20]     writes DIR/FAMILY_SEED.csv and DIR/labels.csv
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from receiver.domain.facts import MemoryHistory, Sample

MIN, HOUR, DAY = 60.0, 3600.0, 86400.0


class Part:
    """One thing that uses memory. Sizes are shares of the limit; `reset` is a fresh process."""

    kind = "anon"
    is_child = False  # a process of its own: it is killed alone
    is_over = False  # it wants its process to exit

    def reset(self, t: float, rng: Random) -> None:
        return None

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        raise NotImplementedError


@dataclass
class Base(Part):
    size: float
    startup_s: float = 20.0
    noise: float = 0.002
    overshoot: float = 0.0  # extra while starting, given back

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        done = min(1.0, up / self.startup_s)
        extra = self.overshoot * math.sin(math.pi * done) if done < 1 else 0.0
        return self.size * (0.08 + 0.92 * done) + extra + abs(rng.gauss(0, self.noise))


@dataclass
class Leak(Part):
    """`per_h` a hour, or per hour at a rate of 1 when `by_load`. `chunk`: the allocator takes that much at once."""

    per_h: float
    by_load: bool = False
    chunk: float = 0.0
    begins: float = 0.0  # absolute
    power: float = 1.0  # of uptime: 1 straight, 2 ever faster
    span: float = DAY
    on_share: float = 1.0
    leaked: float = 0.0

    def reset(self, t: float, rng: Random) -> None:
        self.leaked = 0.0

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        if t >= self.begins and (self.on_share >= 1 or rng.random() < self.on_share):
            speed = self.per_h / HOUR / self.on_share * (rate if self.by_load else 1.0)
            if self.power != 1:
                speed *= self.power * (max(up, 1.0) / self.span) ** (self.power - 1)
            self.leaked += speed * dt * rng.uniform(0.5, 1.5)
        return math.ceil(self.leaked / self.chunk) * self.chunk if self.chunk else self.leaked


@dataclass
class Garbage(Part):
    """Builds up to `size` over `period_s`, then is collected (all but `kept` of it until the next)."""

    size: float
    period_s: float
    jitter: float = 0.3
    minor: float = 0.0  # a second, smaller and quicker saw on top
    level: float = 0.0
    due: float = 0.0
    length: float = 1.0

    def reset(self, t: float, rng: Random) -> None:
        self.level = 0.0
        self._next(rng)

    def _next(self, rng: Random) -> None:
        self.length = self.period_s * rng.uniform(1 - self.jitter, 1 + self.jitter)
        self.due = self.length

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        self.due -= dt
        if self.due <= 0:
            self._next(rng)
        grown = 1 - self.due / self.length
        return self.size * grown + self.minor * rng.random()


@dataclass
class Cache(Part):
    """Fills up to `cap`: `linear` until full, `exp` (time constant fill_s), `log` (new keys ever rarer, never quite done)."""

    cap: float
    fill_s: float
    kind_of_fill: str = "exp"
    by_load: bool = False
    work: float = 0.0

    def reset(self, t: float, rng: Random) -> None:
        self.work = 0.0

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        self.work += dt * (rate if self.by_load else 1.0) * rng.uniform(0.7, 1.3)
        x = self.work / self.fill_s
        if self.kind_of_fill == "linear":
            return self.cap * min(1.0, x)
        if self.kind_of_fill == "log":
            return self.cap * math.log1p(20 * x) / math.log1p(20 * 10)
        return self.cap * (1 - math.exp(-x))


@dataclass
class Load(Part):
    """Memory of requests in flight: `size` at a rate of 1. `kept`: share of each new peak that the allocator never returns."""

    size: float
    smooth_s: float = 120.0
    kept: float = 0.0
    level: float = 0.0
    high: float = 0.0

    def reset(self, t: float, rng: Random) -> None:
        self.level = self.high = 0.0

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        a = min(1.0, dt / self.smooth_s)
        self.level += a * (rate - self.level)
        now = self.size * self.level * rng.uniform(0.85, 1.15)
        self.high = max(self.high, now)
        return max(now, self.kept * self.high)


@dataclass
class Batch(Part):
    """A job every `period_s` for `length_s`, `size` at its top. `climb`: share of its time that it takes to get there."""

    size: float
    period_s: float
    length_s: float
    climb: float = 0.1
    first_s: float = 1800.0
    kept: float = 0.0
    vary: float = 0.1
    is_child: bool = False
    high: float = 0.0
    top: float = 0.0
    was_on: bool = False

    def reset(self, t: float, rng: Random) -> None:
        self.high, self.was_on = 0.0, False

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        phase = (t - self.first_s) % self.period_s
        is_on = t >= self.first_s and phase < self.length_s
        if is_on and not self.was_on:
            self.top = self.size * rng.uniform(1 - self.vary, 1 + self.vary)
        self.was_on = is_on
        now = self.top * min(1.0, phase / max(self.length_s * self.climb, 1.0)) if is_on else 0.0
        self.high = max(self.high, now)
        return max(now, self.kept * self.high)


@dataclass
class Step(Part):
    size: float
    at_s: float
    over_s: float = 60.0

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        return self.size * min(1.0, max(0.0, (t - self.at_s) / self.over_s)) if t > self.at_s else 0.0


@dataclass
class Files(Part):
    """File cache: in the working set and in `cache`, not in rss; never pushes over the limit."""

    per_h: float
    cap: float
    kind: str = "file"
    level: float = 0.0

    def reset(self, t: float, rng: Random) -> None:
        self.level = 0.0

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        self.level = min(self.cap, self.level + self.per_h / HOUR * dt * rng.uniform(0.3, 1.7))
        return self.level * rng.uniform(0.97, 1.0)


@dataclass
class Tmpfs(Part):
    """Files in memory: counted like file cache, but the kernel cannot drop them."""

    per_h: float
    cap: float = 9.0
    kind: str = "shmem"
    level: float = 0.0

    def reset(self, t: float, rng: Random) -> None:
        self.level = 0.0

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        self.level = min(self.cap, self.level + self.per_h / HOUR * dt * rng.uniform(0.3, 1.7))
        return self.level


@dataclass
class Traffic:
    """Requests, about 1 on average: daily waves, bursts (start, length, factor), noise."""

    wave: float = 0.0
    period_s: float = DAY
    phase: float = 0.0
    bursts: tuple[tuple[float, float, float], ...] = ()
    noise: float = 0.15

    def at(self, t: float, rng: Random) -> float:
        rate = 1 + self.wave * math.sin(2 * math.pi * (t / self.period_s + self.phase))
        for start, length, factor in self.bursts:
            if start <= t < start + length:
                rate *= factor
        return max(0.0, rate * rng.uniform(1 - self.noise, 1 + self.noise))


@dataclass
class Plan:
    """One container to simulate. `label`: the right answer; `outcome`: whether the outcome decides between spike and nothing."""

    label: str
    parts: list[Part]
    duration_s: float
    step_s: float = 30.0
    traffic: Traffic = field(default_factory=Traffic)
    has_rate: bool = False
    restarts_at: tuple[float, ...] = ()  # deploys
    are_restarts_counted: bool = True
    limits: tuple[tuple[float, float], ...] = ((0.0, 1.0),)  # (from, x limit)
    begins_s: float = 0.0  # what came before was not scraped
    loss: float = 0.08
    hard: bool = False
    outcome: bool = False
    has_rss: bool = True
    faults: float = 0.0  # share of rows without counters; some come twice, and once the counters start again


def simulate(plan: Plan, seed: str) -> MemoryHistory:
    """The series that scrapes of this container would give."""
    rng = Random(seed)
    size = rng.choice((64, 128, 256, 512, 1024, 2048, 8192)) * 1024.0**2
    rps = rng.choice((3.0, 20.0, 150.0))
    dt = max(plan.step_s / 3, 5.0) if plan.step_s < 60 else plan.step_s / 3
    samples: list[Sample] = []
    restarts = kills = 0
    up, back_off, down_until, deploys = 0.0, 10.0, 0.0, list(plan.restarts_at)
    for part in plan.parts:
        part.reset(0.0, rng)
    next_scrape = rng.uniform(0, plan.step_s)
    t, lost_until = 0.0, -1.0
    while t < plan.duration_s:
        t += dt
        limit = next(x for at, x in reversed(plan.limits) if t >= at)
        rate = plan.traffic.at(t, rng)
        anon = shmem = files = 0.0
        if t >= down_until:
            up += dt
            for part in plan.parts:
                used = part.step(up, t, dt, rate, rng)
                if part.kind == "anon":
                    anon += used
                elif part.kind == "shmem":
                    shmem += used
                else:
                    files += used
            killed = anon + shmem > limit
            child = next((part for part in plan.parts if part.is_child and isinstance(part, Batch) and part.top), None) if killed else None
            if child is not None:
                child.top, kills, killed = 0.0, kills + 1, False
            deployed = bool(deploys) and t >= deploys[0]
            if killed or deployed or any(part.is_over for part in plan.parts):
                if deployed:
                    deploys.pop(0)
                kills += killed
                restarts += 1 if killed or plan.are_restarts_counted else 0
                if killed:
                    back_off = 10.0 if up > 600 else min(back_off * 2, 300.0)
                    down_until = t + (back_off if restarts > 1 else 1.0)
                else:
                    down_until = t + 15
                up = 0.0
                for part in plan.parts:
                    part.reset(t, rng)
                continue
        if t < next_scrape:
            continue
        next_scrape += plan.step_s
        if rng.random() < plan.loss / 8:
            lost_until = t + rng.uniform(2, 14) * plan.step_s
        if t < down_until or t < lost_until or t < plan.begins_s:
            continue
        files = min(files, max(0.0, limit - anon - shmem - 0.01))
        samples.append(Sample(
            t_s=round(t, 1), working_set_bytes=round((anon + shmem + files) * size), limit_bytes=round(limit * size),
            rss_bytes=round(anon * size) if plan.has_rss else None, cache_bytes=round((shmem + files) * size) if plan.has_rss else None,
            request_rate=round(rate * rps, 3) if plan.has_rate else None, restarts=restarts, oom_kills=kills,
        ))  # fmt: skip
    return MemoryHistory(samples=tuple(_faulty(samples, rng, plan.faults) if plan.faults else samples), step_s=plan.step_s)


def _faulty(samples: list[Sample], rng: Random, share: float) -> list[Sample]:
    """What exporters do that restart, and scrapes that come from two of them."""
    again = rng.randrange(len(samples))
    found: list[Sample] = []
    for i, s in enumerate(samples):
        base = samples[again] if i >= again else None
        counters = (
            (s.restarts, s.oom_kills)
            if base is None
            else ((s.restarts or 0) - (base.restarts or 0), (s.oom_kills or 0) - (base.oom_kills or 0))
        )
        kept = counters if rng.random() >= share else (None, None)
        found.append(replace(s, restarts=kept[0], oom_kills=kept[1]))
        if rng.random() < share / 10:
            found.append(replace(found[-1], working_set_bytes=s.working_set_bytes * rng.uniform(0.99, 1.0)))
    return found


# --- families: what a reader would call them, each a function of a random source ---


def _span(rng: Random, *hours: float) -> float:
    return rng.choice(hours) * HOUR


def leak_gc_small_heap(rng: Random) -> Plan:
    return Plan(
        "leak",
        [Base(rng.uniform(0.15, 0.4)), Garbage(rng.uniform(0.05, 0.12), rng.uniform(120, 900)), Leak(rng.uniform(0.015, 0.06))],
        _span(rng, 6, 12, 24),
    )


def leak_gc_major_cycles(rng: Random) -> Plan:
    return Plan(
        "leak",
        [
            Base(rng.uniform(0.1, 0.25)),
            Garbage(rng.uniform(0.15, 0.3), rng.uniform(1, 3) * HOUR, minor=0.03),
            Leak(rng.uniform(0.012, 0.03)),
        ],
        _span(rng, 24, 24, 48),
    )


def leak_arena_stairs(rng: Random) -> Plan:
    return Plan(
        "leak", [Base(rng.uniform(0.15, 0.35)), Leak(rng.uniform(0.02, 0.05), chunk=rng.uniform(0.02, 0.06))], _span(rng, 8, 12, 24)
    )


def leak_killed(rng: Random) -> Plan:
    return Plan(
        "leak",
        [Base(rng.uniform(0.1, 0.4), startup_s=rng.uniform(5, 120)), Leak(rng.uniform(0.15, 0.8))],
        _span(rng, 6, 12, 24),
        step_s=rng.choice((15, 30, 60)),
    )


def leak_killed_quickly(rng: Random) -> Plan:
    return Plan("leak", [Base(rng.uniform(0.1, 0.3)), Leak(rng.uniform(1.6, 2.6))], _span(rng, 3, 6), step_s=rng.choice((10, 15, 30)))


def leak_by_request_daily_wave(rng: Random) -> Plan:
    return Plan(
        "leak",
        [Base(rng.uniform(0.1, 0.3)), Leak(rng.uniform(0.008, 0.02), by_load=True), Load(rng.uniform(0.02, 0.08))],
        _span(rng, 48, 96, 168),
        60,
        Traffic(wave=rng.uniform(0.4, 0.9), phase=rng.random()),
        has_rate=rng.random() < 0.6,
    )


def leak_with_bursts(rng: Random) -> Plan:
    bursts = tuple((rng.uniform(0, 12) * HOUR, rng.uniform(300, 1500), rng.uniform(2, 4)) for _ in range(4))
    return Plan(
        "leak",
        [Base(rng.uniform(0.1, 0.3)), Leak(rng.uniform(0.025, 0.05)), Load(rng.uniform(0.04, 0.09))],
        _span(rng, 10, 12),
        traffic=Traffic(bursts=bursts, noise=0.4),
        has_rate=rng.random() < 0.5,
    )


def leak_reset_by_deploys(rng: Random) -> Plan:
    every = rng.uniform(3, 8) * HOUR
    total = rng.choice((24, 48)) * HOUR
    at = tuple(every * i * rng.uniform(0.93, 1.07) for i in range(1, int(total / every)))
    return Plan(
        "leak",
        [Base(rng.uniform(0.15, 0.3)), Leak(rng.uniform(0.04, 0.09))],
        total,
        restarts_at=at,
        are_restarts_counted=rng.random() < 0.6,
    )


def leak_since_deploy(rng: Random) -> Plan:
    total = _span(rng, 12, 24)
    at = total * rng.uniform(0.4, 0.7)
    return Plan(
        "leak",
        [Base(rng.uniform(0.2, 0.4)), Leak(rng.uniform(0.03, 0.08), begins=at)],
        total,
        restarts_at=(at,) if rng.random() < 0.6 else (),
    )


def leak_ever_faster(rng: Random) -> Plan:
    total = _span(rng, 8, 12, 24)
    return Plan("leak", [Base(rng.uniform(0.15, 0.3)), Leak(rng.uniform(0.35, 0.6) / total * HOUR, power=2, span=total)], total)


def leak_slow_two_weeks(rng: Random) -> Plan:
    return Plan(
        "leak",
        [Base(rng.uniform(0.2, 0.4)), Load(rng.uniform(0.02, 0.06)), Leak(rng.uniform(0.0008, 0.0018))],
        14 * DAY,
        300,
        Traffic(wave=rng.uniform(0.2, 0.6), phase=rng.random()),
        has_rate=rng.random() < 0.4,
    )


def leak_beside_file_cache(rng: Random) -> Plan:
    return Plan("leak", [Base(rng.uniform(0.1, 0.25)), Leak(rng.uniform(0.02, 0.05)), Files(rng.uniform(0.1, 0.3), 0.5)], _span(rng, 8, 12))


def leak_in_tmpfs(rng: Random) -> Plan:
    return Plan("leak", [Base(rng.uniform(0.1, 0.25)), Tmpfs(rng.uniform(0.15, 0.5))], _span(rng, 6, 12))


def leak_with_cron(rng: Random) -> Plan:
    return Plan(
        "leak",
        [
            Base(rng.uniform(0.15, 0.25)),
            Leak(rng.uniform(0.02, 0.04)),
            Batch(rng.uniform(0.1, 0.25), rng.uniform(1, 3) * HOUR, rng.uniform(5, 15) * MIN),
        ],
        _span(rng, 12, 24),
    )


def leak_after_warm_up(rng: Random) -> Plan:
    return Plan(
        "leak", [Base(0.15), Cache(rng.uniform(0.1, 0.25), rng.uniform(10, 40) * MIN), Leak(rng.uniform(0.02, 0.04))], _span(rng, 10, 16)
    )


def leak_mid_life(rng: Random) -> Plan:
    return Plan(
        "leak", [Base(rng.uniform(0.15, 0.3)), Leak(rng.uniform(0.008, 0.02)), Garbage(0.04, 600)], 36 * HOUR, 60, begins_s=12 * HOUR
    )


def leak_raised_limit(rng: Random) -> Plan:
    return Plan("leak", [Base(0.2), Leak(rng.uniform(0.1, 0.2))], 20 * HOUR, limits=((0, 0.6), (9 * HOUR, 1.0)))


def leak_without_rss(rng: Random) -> Plan:
    return Plan(
        "leak", [Base(rng.uniform(0.15, 0.3)), Leak(rng.uniform(0.025, 0.06)), Garbage(0.06, 700)], _span(rng, 8, 12, 24), has_rss=False
    )


def hard_leak_slow(rng: Random) -> Plan:
    return Plan("leak", [Base(rng.uniform(0.2, 0.6)), Leak(rng.uniform(0.0035, 0.006))], _span(rng, 10, 12, 16), hard=True)


def hard_leak_few_hours(rng: Random) -> Plan:
    return Plan(
        "leak",
        [Base(rng.uniform(0.2, 0.4)), Leak(rng.uniform(0.06, 0.12)), Load(0.06)],
        _span(rng, 1, 1.5, 2),
        traffic=Traffic(noise=0.5),
        hard=True,
    )


def spike_bursts(rng: Random) -> Plan:
    bursts = tuple((h * HOUR * rng.uniform(0.95, 1.05), rng.uniform(200, 1200), rng.uniform(3, 6)) for h in (2, 4.5, 8, 10.5))
    return Plan(
        "spike",
        [Base(rng.uniform(0.1, 0.3)), Load(rng.uniform(0.12, 0.2), smooth_s=60, kept=rng.choice((0, 0, 0.4)))],
        12 * HOUR,
        traffic=Traffic(bursts=bursts),
        has_rate=rng.random() < 0.6,
        outcome=True,
    )


def spike_daily_wave(rng: Random) -> Plan:
    return Plan(
        "spike",
        [Base(rng.uniform(0.1, 0.2)), Load(rng.uniform(0.36, 0.46))],
        _span(rng, 24, 48, 96),
        60,
        Traffic(wave=rng.uniform(0.75, 0.95), phase=rng.random(), noise=0.3),
        has_rate=True,
        outcome=True,
    )


def spike_cron(rng: Random) -> Plan:
    return Plan(
        "spike",
        [
            Base(rng.uniform(0.1, 0.35)),
            Batch(rng.uniform(0.5, 0.65), rng.uniform(1, 6) * HOUR, rng.uniform(5, 25) * MIN, climb=rng.uniform(0.1, 0.9), vary=0.2),
        ],
        _span(rng, 12, 24, 48),
        outcome=True,
    )


def spike_cron_long_climb(rng: Random) -> Plan:
    return Plan(
        "spike",
        [
            Base(rng.uniform(0.1, 0.2)),
            Batch(rng.uniform(0.7, 0.8), rng.uniform(4, 8) * HOUR, rng.uniform(40, 80) * MIN, climb=0.95, vary=0.15),
        ],
        _span(rng, 24, 48),
        outcome=True,
    )


def spike_nightly(rng: Random) -> Plan:
    return Plan(
        "spike",
        [
            Base(rng.uniform(0.15, 0.3)),
            Batch(rng.uniform(0.6, 0.75), DAY, rng.uniform(20, 50) * MIN, first_s=rng.uniform(2, 20) * HOUR),
            Load(0.05),
        ],
        7 * DAY,
        120,
        Traffic(wave=0.5),
        outcome=True,
    )


def spike_once_killed(rng: Random) -> Plan:
    at = rng.uniform(3, 8) * HOUR
    return Plan("spike", [Base(rng.uniform(0.2, 0.4)), Batch(1.2, 90 * HOUR, 240, climb=0.5, first_s=at)], 10 * HOUR)


def spike_high_water(rng: Random) -> Plan:
    return Plan(
        "spike",
        [Base(rng.uniform(0.1, 0.2)), Batch(rng.uniform(0.65, 0.72), rng.uniform(2, 3) * HOUR, 600, kept=rng.uniform(0.3, 0.6), vary=0.15)],
        12 * HOUR,
        outcome=True,
    )


def limit_flat(rng: Random) -> Plan:
    return Plan(
        "limit_too_low",
        [Base(rng.uniform(0.83, 0.94), startup_s=rng.uniform(20, 200))],
        _span(rng, 2, 8, 24),
        step_s=rng.choice((15, 30, 60, 300)),
    )


def limit_flat_killed(rng: Random) -> Plan:
    return Plan(
        "limit_too_low",
        [Base(rng.uniform(0.82, 0.88)), Garbage(0.04, 300), Batch(rng.uniform(0.09, 0.14), rng.uniform(2, 5) * HOUR, 120, vary=0.3)],
        _span(rng, 12, 24),
    )


def limit_after_release(rng: Random) -> Plan:
    total = _span(rng, 12, 24)
    return Plan(
        "limit_too_low", [Base(rng.uniform(0.43, 0.5)), Step(0.4, total * rng.uniform(0.3, 0.7), over_s=rng.choice((30, 600)))], total
    )


def limit_warm_cache(rng: Random) -> Plan:
    return Plan(
        "limit_too_low",
        [Base(0.2), Cache(rng.uniform(0.64, 0.72), rng.uniform(10, 60) * MIN, rng.choice(("exp", "linear")))],
        _span(rng, 8, 12, 24),
    )


def limit_gc_busy(rng: Random) -> Plan:
    return Plan("limit_too_low", [Base(rng.uniform(0.76, 0.8)), Garbage(rng.uniform(0.1, 0.14), rng.uniform(200, 1500))], _span(rng, 6, 12))


def limit_lowered(rng: Random) -> Plan:
    return Plan(
        "limit_too_low",
        [Base(rng.uniform(0.44, 0.47)), Garbage(0.03, 600)],
        12 * HOUR,
        limits=((0, 1.0), (5 * HOUR, 0.53)),
        restarts_at=(5 * HOUR,),
    )


def limit_daily_wave_high(rng: Random) -> Plan:
    return Plan(
        "limit_too_low",
        [Base(rng.uniform(0.78, 0.82)), Load(0.06)],
        _span(rng, 24, 48),
        60,
        Traffic(wave=0.7, phase=rng.random()),
        has_rate=True,
    )


def limit_preallocated(rng: Random) -> Plan:
    return Plan("limit_too_low", [Base(rng.uniform(0.86, 0.95), startup_s=3, noise=0.0005)], _span(rng, 1, 3, 12), 60)


def startup_loop(rng: Random) -> Plan:
    return Plan(
        "startup", [Base(rng.uniform(1.1, 1.6), startup_s=rng.uniform(60, 400))], _span(rng, 0.5, 1, 3), step_s=rng.choice((15, 30))
    )


def startup_slow_jvm(rng: Random) -> Plan:
    return Plan("startup", [Base(rng.uniform(1.05, 1.2), startup_s=rng.uniform(300, 520))], _span(rng, 2, 4))


def startup_peak_flaky(rng: Random) -> Plan:
    return Plan(
        "startup",
        [Base(rng.uniform(0.4, 0.55), startup_s=rng.uniform(80, 300), overshoot=rng.uniform(0.72, 0.8), noise=0.01)],
        _span(rng, 1, 3),
    )


def startup_after_deploy(rng: Random) -> Plan:
    class Grown(Base):
        def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
            return super().step(up, t, dt, rate, rng) * (2.6 if t >= 5 * HOUR + 20 else 1)

    return Plan("startup", [Grown(0.45, startup_s=rng.uniform(60, 200))], 7 * HOUR, restarts_at=(5 * HOUR,))


def normal_flat(rng: Random) -> Plan:
    return Plan(
        "unknown",
        [Base(rng.uniform(0.2, 0.7), noise=rng.uniform(0.001, 0.02))],
        _span(rng, 2, 12, 48),
        step_s=rng.choice((10, 30, 60, 300)),
    )


def normal_gc(rng: Random) -> Plan:
    return Plan(
        "unknown",
        [Base(rng.uniform(0.15, 0.35)), Garbage(rng.uniform(0.1, 0.35), rng.uniform(0.1, 4) * HOUR, minor=0.02)],
        _span(rng, 12, 24),
    )


def normal_warm_up(rng: Random) -> Plan:
    return Plan(
        "unknown",
        [Base(rng.uniform(0.1, 0.3)), Cache(rng.uniform(0.15, 0.4), rng.uniform(10, 60) * MIN, rng.choice(("exp", "linear")))],
        _span(rng, 8, 12, 24),
    )


def normal_zipf_cache(rng: Random) -> Plan:
    return Plan("unknown", [Base(rng.uniform(0.1, 0.3)), Cache(rng.uniform(0.2, 0.35), rng.uniform(1, 2) * HOUR, "log")], 24 * HOUR)


def normal_pool_grows(rng: Random) -> Plan:
    return Plan(
        "unknown",
        [Base(rng.uniform(0.15, 0.3)), Load(rng.uniform(0.1, 0.2), kept=1.0, smooth_s=30)],
        _span(rng, 12, 24),
        traffic=Traffic(noise=0.6),
        has_rate=rng.random() < 0.5,
    )


def normal_daily_wave(rng: Random) -> Plan:
    return Plan(
        "unknown",
        [Base(rng.uniform(0.1, 0.3)), Load(rng.uniform(0.1, 0.18))],
        _span(rng, 48, 96, 168),
        60,
        Traffic(wave=0.8, phase=rng.random()),
        has_rate=rng.random() < 0.5,
    )


def normal_step(rng: Random) -> Plan:
    total = _span(rng, 8, 24)
    return Plan(
        "unknown",
        [Base(rng.uniform(0.2, 0.4)), Step(rng.uniform(0.1, 0.25), total * rng.uniform(0.2, 0.8), over_s=rng.choice((10, 300, 1200)))],
        total,
    )


def normal_file_cache(rng: Random) -> Plan:
    return Plan("unknown", [Base(rng.uniform(0.1, 0.4)), Files(rng.uniform(0.03, 0.4), rng.uniform(0.3, 0.9))], _span(rng, 6, 12, 24))


def normal_tmpfs_bounded(rng: Random) -> Plan:
    return Plan("unknown", [Base(rng.uniform(0.1, 0.3)), Tmpfs(rng.uniform(0.1, 0.3), cap=rng.uniform(0.15, 0.35))], 12 * HOUR)


def normal_deploys(rng: Random) -> Plan:
    at = tuple(sorted(rng.uniform(1, 47) * HOUR for _ in range(5)))
    return Plan(
        "unknown",
        [Base(rng.uniform(0.25, 0.5)), Cache(0.1, 15 * MIN), Garbage(0.05, 500)],
        48 * HOUR,
        60,
        restarts_at=at,
        are_restarts_counted=rng.random() < 0.5,
    )


def normal_growth_is_traffic(rng: Random) -> Plan:
    return Plan(
        "unknown",
        [Base(0.15), Load(rng.uniform(0.2, 0.3))],
        10 * HOUR,
        traffic=Traffic(wave=0.8, period_s=40 * HOUR, phase=-0.22, noise=0.3),
        has_rate=True,
    )


def normal_short(rng: Random) -> Plan:
    return Plan("unknown", [Base(rng.uniform(0.2, 0.5)), Cache(0.15, 600)], rng.uniform(5, 25) * MIN, step_s=rng.choice((10, 15, 30)))


def normal_batch_low(rng: Random) -> Plan:
    return Plan(
        "unknown",
        [
            Base(0.15),
            Batch(
                rng.uniform(0.3, 0.5),
                rng.uniform(0.5, 4) * HOUR,
                rng.uniform(5, 40) * MIN,
                climb=rng.uniform(0.1, 0.95),
                kept=rng.choice((0, 0.3)),
            ),
        ],
        _span(rng, 12, 24),
    )


def hard_warm_up_unfinished(rng: Random) -> Plan:
    total = _span(rng, 3, 6, 9)
    return Plan(
        "unknown",
        [Base(0.15), Cache(rng.uniform(0.4, 0.6), total * rng.uniform(0.5, 1.3), rng.choice(("exp", "exp", "linear")))],
        total,
        hard=True,
    )


def hard_wave_rising_no_rate(rng: Random) -> Plan:
    return Plan(
        "unknown",
        [Base(0.15), Load(rng.uniform(0.15, 0.3))],
        10 * HOUR,
        traffic=Traffic(wave=0.8, period_s=24 * HOUR, phase=-0.22, noise=0.4),
        hard=True,
    )


def named(namespace: dict[str, Any], module: str, but: Container[str] = ()) -> tuple[Callable[[Random], Plan], ...]:
    """The families that a module defines, in the order of their definitions."""
    kinds = {"leak", "spike", "limit", "startup", "normal", "hard"}
    return tuple(
        f for name, f in namespace.items() if callable(f) and f.__module__ == module and name not in but and name.split("_")[0] in kinds
    )


FIRST_SET = named(globals(), __name__)

# --- a second set, of mechanisms that the first does not have; written after the procedure was settled ---


@dataclass
class GoHeap(Part):
    """Live memory grows; garbage doubles it before each collection; freed pages go back slowly."""

    live: float
    leak_per_h: float = 0.0
    period_s: float = 300.0
    rss: float = 0.0

    def reset(self, t: float, rng: Random) -> None:
        self.rss = 0.0

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        live = self.live + self.leak_per_h * up / HOUR
        heap = live * (1 + ((up % self.period_s) / self.period_s))
        self.rss = max(heap, self.rss - dt / 1800 * max(self.rss - heap, 0.0))
        return self.rss


@dataclass
class HeapStairs(Part):
    """A managed heap that the runtime extends step by step, ever less often, up to its maximum."""

    first: float
    most: float
    every_s: float
    size: float = 0.0
    due: float = 0.0

    def reset(self, t: float, rng: Random) -> None:
        self.size, self.due = self.first, 0.0

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        if up >= self.due and self.size < self.most:
            self.size = min(self.most, self.size + (self.most - self.size) * rng.uniform(0.15, 0.4) + 0.004)
            self.due = up + self.every_s * rng.uniform(0.5, 1.5) * (1 + 3 * self.size / self.most)
        return self.size


@dataclass
class Backlog(Part):
    """A queue in memory: fills while the consumer stalls, drains afterwards."""

    stalls: tuple[tuple[float, float], ...]
    per_h: float
    level: float = 0.0

    def reset(self, t: float, rng: Random) -> None:
        self.level = 0.0

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        stalled = any(a <= t < a + length for a, length in self.stalls)
        self.level = max(0.0, self.level + (self.per_h if stalled else -3 * self.per_h) * dt / HOUR * rng.uniform(0.6, 1.4))
        return self.level


@dataclass
class Fragments(Part):
    """An allocator that settles: grows with the logarithm of uptime, for ever."""

    per_e_fold: float

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        return self.per_e_fold * math.log1p(up / 600)


@dataclass
class Walk(Part):
    """In-flight work as a slow random walk between 0 and `size`."""

    size: float
    memory_s: float = 1800.0
    x: float = 0.5

    def step(self, up: float, t: float, dt: float, rate: float, rng: Random) -> float:
        a = dt / self.memory_s
        self.x = min(1.0, max(0.0, self.x + a * (0.45 - self.x) + rng.gauss(0, 0.35) * a**0.5))
        return self.size * self.x


def leak_go_heap(rng: Random) -> Plan:
    return Plan("leak", [Base(0.05), GoHeap(rng.uniform(0.08, 0.2), rng.uniform(0.008, 0.03), rng.uniform(60, 900))], _span(rng, 8, 12, 24))


def leak_restarted_daily(rng: Random) -> Plan:
    at = tuple(DAY * i + rng.uniform(0, 600) for i in range(1, 14))
    return Plan(
        "leak",
        [Base(rng.uniform(0.15, 0.3)), Leak(rng.uniform(0.008, 0.025)), Load(0.04)],
        14 * DAY,
        300,
        Traffic(wave=0.5),
        restarts_at=at,
    )


def leak_two_speeds(rng: Random) -> Plan:
    return Plan("leak", [Base(0.2), Leak(rng.uniform(0.008, 0.014)), Leak(rng.uniform(0.03, 0.05), begins=10 * HOUR)], 20 * HOUR)


def leak_under_walk(rng: Random) -> Plan:
    return Plan("leak", [Base(rng.uniform(0.1, 0.2)), Walk(rng.uniform(0.06, 0.14)), Leak(rng.uniform(0.025, 0.045))], _span(rng, 10, 14))


def leak_cache_cleared(rng: Random) -> Plan:
    return Plan(
        "leak",
        [Base(0.15), Garbage(rng.uniform(0.08, 0.15), rng.uniform(2, 3) * HOUR, jitter=0.1), Leak(rng.uniform(0.012, 0.02))],
        24 * HOUR,
        60,
    )


def leak_weekday_wave(rng: Random) -> Plan:
    return Plan(
        "leak",
        [Base(rng.uniform(0.1, 0.2)), Load(rng.uniform(0.05, 0.12)), Leak(rng.uniform(0.003, 0.006))],
        7 * DAY,
        120,
        Traffic(wave=0.7, phase=rng.random()),
    )


def leak_workers(rng: Random) -> Plan:
    leaks = [Leak(rng.uniform(0.004, 0.012), chunk=rng.uniform(0.003, 0.01)) for _ in range(4)]
    return Plan("leak", [Base(0.2, startup_s=60), *leaks, Walk(0.04)], _span(rng, 10, 16))


def leak_killed_under_walk(rng: Random) -> Plan:
    return Plan("leak", [Base(0.15), Walk(rng.uniform(0.08, 0.15), 900), Leak(rng.uniform(0.15, 0.4))], _span(rng, 8, 12, 20))


def spike_backlog(rng: Random) -> Plan:
    stalls = tuple((rng.uniform(2 + 7 * i, 5 + 7 * i) * HOUR, rng.uniform(20, 60) * MIN) for i in range(3))
    return Plan("spike", [Base(rng.uniform(0.2, 0.3)), Backlog(stalls, rng.uniform(1.0, 1.6))], 24 * HOUR, outcome=True)


def spike_rare_giants(rng: Random) -> Plan:
    giants = tuple((rng.uniform(1, 23) * HOUR, rng.uniform(40, 200), rng.uniform(8, 14)) for _ in range(5))
    return Plan(
        "spike",
        [Base(rng.uniform(0.2, 0.3)), Load(0.08, smooth_s=30)],
        24 * HOUR,
        traffic=Traffic(bursts=giants),
        has_rate=rng.random() < 0.5,
        outcome=True,
    )


def spike_hourly_job(rng: Random) -> Plan:
    return Plan(
        "spike",
        [Base(rng.uniform(0.3, 0.4)), Batch(rng.uniform(0.46, 0.55), HOUR, rng.uniform(4, 12) * MIN), Walk(0.06)],
        _span(rng, 6, 12),
        outcome=True,
    )


def limit_heap_full(rng: Random) -> Plan:
    return Plan("limit_too_low", [Base(0.2), HeapStairs(0.2, rng.uniform(0.64, 0.72), rng.uniform(100, 500))], _span(rng, 10, 16, 24))


def limit_walk_high(rng: Random) -> Plan:
    return Plan("limit_too_low", [Base(rng.uniform(0.82, 0.86)), Walk(rng.uniform(0.06, 0.1), 600)], _span(rng, 6, 12))


def limit_walk_killed(rng: Random) -> Plan:
    return Plan("limit_too_low", [Base(rng.uniform(0.8, 0.84)), Walk(rng.uniform(0.2, 0.26), 600)], _span(rng, 8, 16))


def startup_loop_after_peak(rng: Random) -> Plan:
    return Plan(
        "startup", [Base(rng.uniform(0.5, 0.6), startup_s=rng.uniform(60, 240), overshoot=rng.uniform(0.75, 0.9))], _span(rng, 1, 2)
    )


def normal_heap_stairs(rng: Random) -> Plan:
    return Plan("unknown", [Base(0.1), HeapStairs(0.1, rng.uniform(0.3, 0.55), rng.uniform(100, 600)), Walk(0.02)], _span(rng, 10, 16, 24))


def normal_go_heap(rng: Random) -> Plan:
    return Plan("unknown", [Base(0.05), GoHeap(rng.uniform(0.1, 0.3), 0.0, rng.uniform(60, 3600))], _span(rng, 6, 12, 24))


def normal_fragments(rng: Random) -> Plan:
    return Plan("unknown", [Base(rng.uniform(0.2, 0.5)), Fragments(rng.uniform(0.01, 0.025))], _span(rng, 10, 16, 24))


def normal_walk(rng: Random) -> Plan:
    return Plan(
        "unknown",
        [Base(rng.uniform(0.15, 0.3)), Walk(rng.uniform(0.1, 0.4), rng.uniform(900, 7200))],
        _span(rng, 8, 12, 24),
        has_rate=False,
    )


def normal_backlog_low(rng: Random) -> Plan:
    stalls = tuple((rng.uniform(2 + 7 * i, 5 + 7 * i) * HOUR, rng.uniform(20, 60) * MIN) for i in range(3))
    return Plan("unknown", [Base(rng.uniform(0.2, 0.3)), Backlog(stalls, rng.uniform(0.2, 0.4))], 24 * HOUR)


def normal_week(rng: Random) -> Plan:
    return Plan(
        "unknown",
        [Base(rng.uniform(0.1, 0.3)), Load(rng.uniform(0.1, 0.18)), Batch(0.2, DAY, 40 * MIN)],
        _span(rng, 168, 336),
        300,
        Traffic(wave=0.7, phase=rng.random()),
    )


def normal_cache_and_deploys(rng: Random) -> Plan:
    at = tuple(sorted(rng.uniform(2, 46) * HOUR for _ in range(3)))
    return Plan("unknown", [Base(0.2), Cache(rng.uniform(0.15, 0.3), rng.uniform(20, 60) * MIN, "exp")], 48 * HOUR, 60, restarts_at=at)


def normal_leak_was_fixed(rng: Random) -> Plan:
    return Plan("unknown", [Base(rng.uniform(0.3, 0.5)), Walk(0.05)], 30 * HOUR, 60, begins_s=6 * HOUR)


def hard_leak_slow_under_walk(rng: Random) -> Plan:
    return Plan("leak", [Base(rng.uniform(0.2, 0.5)), Walk(0.03), Leak(rng.uniform(0.006, 0.01))], _span(rng, 10, 14), hard=True)


def hard_warm_up_slow(rng: Random) -> Plan:
    return Plan("unknown", [Base(0.2), Cache(rng.uniform(0.2, 0.4), rng.uniform(2.5, 5) * HOUR, "exp")], _span(rng, 9, 12), hard=True)


SECOND_SET = named(globals(), __name__, but={f.__name__ for f in FIRST_SET})
FAMILIES = FIRST_SET + SECOND_SET


def label_of(plan: Plan, history: MemoryHistory) -> str | None:
    """The right answer by what really happened; None when the simulation came out as something else than it was meant to be."""
    rows = history.samples
    settled = [s for s in rows if s.t_s > 600]
    killed = bool(rows) and (rows[-1].oom_kills or 0) > 0
    peak = max((s.working_set_bytes / s.limit_bytes for s in settled if s.limit_bytes), default=0.0)
    if plan.outcome and not killed and peak < 0.8:
        return "unknown"
    if plan.label == "startup" and not killed:
        return None
    if plan.label == "unknown" and (killed or (peak >= 0.78 and not any(p.kind == "file" for p in plan.parts))):
        return None
    return plan.label


def cases(seeds: range, families: tuple[Callable[[Random], Plan], ...] = FAMILIES) -> Iterator[tuple[str, str, bool, MemoryHistory]]:
    """(family, label, is_hard, history) for every family and seed."""
    for family in families:
        for seed in seeds:
            name = f"{family.__name__}:{seed}"
            plan = family(Random(name))
            history = simulate(plan, name)
            label = label_of(plan, history)
            if label is not None and history.samples:
                yield family.__name__, label, plan.hard, history


def main() -> int:
    """Writes the series as CSV files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with (options.folder / "labels.csv").open("w", newline="") as labels:
        index = csv.writer(labels)
        index.writerow(("file", "scenario", "label", "hard"))
        count = 0
        for family, label, hard, history in cases(range(options.seeds)):
            name = f"{family}_{count:04}.csv"
            count += 1
            index.writerow((name, family, "normal" if label == "unknown" else label, int(hard)))
            with (options.folder / name).open("w", newline="") as out:
                writer = csv.writer(out)
                writer.writerow(
                    ("t_seconds", "working_set_bytes", "limit_bytes", "rss_bytes", "cache_bytes", "request_rate", "restarts", "oom_kills")
                )
                for s in history.samples:
                    cells = (s.t_s, s.working_set_bytes, s.limit_bytes, s.rss_bytes, s.cache_bytes, s.request_rate, s.restarts, s.oom_kills)
                    writer.writerow(["" if v is None else v for v in cells])
    print(f"{count} series", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
