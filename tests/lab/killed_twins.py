"""Killed programs whose true demand is known from a twin without a limit, and the raise that is proposed for each.

A pair is one program run twice on the same work: without a limit, which shows its true demand, and under a limit of
1/1.05 to 1/1.6 of that (the range measured on real kills) or, "far", of 1/1.6 to 1/2.5. The second run is all that the
proposal sees: its memory is cut off at the limit, it is killed there and restarted with the kubelet's back-off, and
scraped once a minute with some scrapes missing. "Next day": the work goes on for as long again, and the same raise has
to hold for that as well. Beside simulated programs, recorded runs of real ones that never hit their limit are replayed
under a lower one.

Everything follows from the seeds.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from receiver.diagnosis.diagnose import diagnose
from receiver.diagnosis.memory.csv_series import history_of_csv
from receiver.domain.facts import ContainerFacts, Facts, LogFacts, MemoryHistory, NodeFacts, PodFacts, Sample, Termination, WorkloadFacts
from receiver.domain.identity import Subject, Workload
from receiver.domain.report import Proposal
from receiver.domain.units import GIB, MIB, from_epoch

TRACES = Path("tests/fixtures/traces")
NEAR, FAR = (1.05, 1.6), (1.6, 2.5)  # true demand over limit
EPOCH_S = 1_700_000_000.0
HOUR, DAY = 3600.0, 86400.0
SCRAPE_S = 60.0
LOST = 0.08  # of the scrapes
REPLAYS = 4  # limits tried for each recorded run


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Work and what it needs. `demand(t_s, up_s)` in units of its own; only the shape counts, sizes are set by the pair."""

    family: str
    demand: Callable[[float, float], float]
    span_s: float
    step_s: float
    rate: Callable[[float], float] | None = None
    log: Callable[[float], tuple[str, ...]] | None = None  # of true demand in bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What the killed twin left behind."""

    samples: tuple[Sample, ...]
    lives: tuple[tuple[float, float], ...]  # start and kill, of those that were killed


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One pair: bytes. `ours` None: nothing was proposed."""

    family: str
    limit: float
    demand: float
    next_demand: float
    peak: float
    cause: str
    role: str
    ours: float | None


# --- programs -----------------------------------------------------------------------------------------------------------


def _noise(rng: Random, span_s: float, every_s: float, spread: float) -> Callable[[float], float]:
    values = [rng.gauss(0, spread) for _ in range(int(span_s / every_s) + 2)]
    return lambda t: values[min(int(t / every_s), len(values) - 1)]


def _starting(up_s: float, start_s: float) -> float:
    return min(1.0, 0.2 + 0.8 * up_s / start_s)


def plateau(rng: Random) -> Program:
    """A level, and small peaks on it now and then."""
    wobble, rare = _noise(rng, 2 * DAY, 300, 0.006), _noise(rng, 2 * DAY, 600, 0.03)
    size, start_s = rng.uniform(0.8, 1.6), rng.uniform(20, 120)
    return Program(
        family="plateau",
        span_s=DAY,
        step_s=30,
        demand=lambda t, up: (0.9 + wobble(t) + size * max(0.0, rare(t) - 0.03)) * _starting(up, start_s),
    )


def step_up(rng: Random) -> Program:
    """A level that a change has moved up in the middle of the day."""
    wobble, at, low, start_s = _noise(rng, 2 * DAY, 300, 0.008), rng.uniform(0.3, 0.7) * DAY, rng.uniform(0.5, 0.65), rng.uniform(20, 120)
    return Program(
        family="step up", span_s=DAY, step_s=30, demand=lambda t, up: ((0.95 if t > at else low) + wobble(t)) * _starting(up, start_s)
    )


def bursts(rng: Random) -> Program:
    """Low, with bursts of minutes whose sizes differ: most small, some large."""
    found, t = [], 0.0
    while t < 2 * DAY:
        t += rng.expovariate(1 / (1.5 * HOUR)) + 600
        found.append((t, t + rng.uniform(240, 900), min(rng.lognormvariate(-0.6, 0.45), 2.2)))
    wobble, base = _noise(rng, 2 * DAY, 300, 0.008), rng.uniform(0.15, 0.35)
    return Program(
        family="bursts",
        span_s=DAY,
        step_s=30,
        demand=lambda t, up: (base + wobble(t) + sum(size for a, b, size in found if a <= t < b)) * _starting(up, 30),
    )


def cron(rng: Random) -> Program:
    """A job every hour or two in a container that idles between, its size by the day's data."""
    every, size = rng.choice((HOUR, 2 * HOUR)), _noise(rng, 2 * DAY, HOUR, 0.12)
    base, length = rng.uniform(0.15, 0.3), rng.uniform(300, 900)
    return Program(
        family="cron work",
        span_s=DAY,
        step_s=30,
        demand=lambda t, up: (base + (0.7 * (1 + size(t - t % every)) if t % every < length else 0.0)) * _starting(up, 20),
    )


def _traffic(rng: Random, family: str, *, is_known: bool) -> Program:
    phase, swing, jitter = rng.uniform(0, DAY), rng.uniform(0.5, 0.9), _noise(rng, 2 * DAY, 60, 0.05)
    spread, base = _noise(rng, 2 * DAY, 60, 0.02), rng.uniform(0.2, 0.4)

    def rate(t: float) -> float:
        return max(0.02, 1 + swing * math.sin((t + phase) / DAY * 2 * math.pi) + jitter(t))

    return Program(
        family=family,
        span_s=DAY,
        step_s=30,
        rate=rate if is_known else None,
        demand=lambda t, up: (base + 0.35 * rate(t) * (1 + spread(t))) * _starting(up, 40),
    )


def traffic_known(rng: Random) -> Program:
    """Memory follows a request rate that is measured."""
    return _traffic(rng, "traffic, rate known", is_known=True)


def traffic_unknown(rng: Random) -> Program:
    """The same, and nobody measures the rate."""
    return _traffic(rng, "traffic, rate unknown", is_known=False)


def _startup(rng: Random, family: str, log: Callable[[float], tuple[str, ...]] | None) -> Program:
    load_s, after = rng.uniform(8, 90), rng.uniform(0.4, 0.8)
    return Program(
        family=family,
        span_s=3 * HOUR,
        step_s=2,
        log=log,
        demand=lambda t, up: min(1.0, 0.05 + 0.95 * up / load_s) if up < load_s + 10 else after,
    )


def startup_silent(rng: Random) -> Program:
    """Loads more at start than fits, and does not say what."""
    return _startup(rng, "start-up, silent", None)


def startup_announced(rng: Random) -> Program:
    """The same, and its log names the size: of the data, which is less than what it needs."""
    share = rng.uniform(0.75, 0.95)
    return _startup(rng, "start-up, announced", lambda need: (f"INFO loading index into memory ({need * share / MIB:.0f} MiB)",))


FAMILIES = (plateau, step_up, bursts, cron, traffic_known, traffic_unknown, startup_silent, startup_announced)


def recorded() -> Iterator[Program]:
    """Recorded runs of real programs that were never killed, restarted or cut off, for as long as they were watched."""
    lines = (TRACES / "labels.csv").read_text().splitlines()
    names = [line.split(",")[0] for line in lines[1:]]
    for name in sorted(names):
        stem = Path(name).name.removesuffix(".csv.gz").removesuffix(".csv")
        path = TRACES / f"{stem}.csv.gz"
        if "leak" in stem or "pagecache" in stem or not path.exists():
            continue
        samples = history_of_csv(gzip.decompress(path.read_bytes()).decode()).samples
        is_cut = any((s.restarts or 0) > 0 or (s.oom_kills or 0) > 0 for s in samples)
        if is_cut or max(s.working_set_bytes / (s.limit_bytes or math.inf) for s in samples) > 0.97:
            continue
        yield _replayed(stem, samples)


def _replayed(stem: str, samples: tuple[Sample, ...]) -> Program:
    first, last = samples[0].t_s, samples[-1].t_s
    times, values = [s.t_s - first for s in samples], [s.working_set_bytes for s in samples]

    def at(t: float) -> float:
        low, high = 0, len(times) - 1
        t %= max(last - first, 1.0)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if times[middle] <= t else (low, middle - 1)
        return values[low]

    family = f"recorded {stem.partition('_')[0]}"
    return Program(family=family, span_s=last - first, step_s=30, demand=lambda t, up: at(t) * _starting(up, 30))


# --- a pair ----------------------------------------------------------------------------------------------------------------


def pair(program: Program, rng: Random, ratio: float) -> Outcome | None:
    """Both twins and the verdict on the killed one. None where the limit was never hit (a short peak at the very start)."""
    scale = math.exp(rng.uniform(math.log(80 * MIB), math.log(6 * GIB)))
    top = _top(program, 0.0, program.span_s)
    limit = float(round(scale / ratio / MIB) * MIB)
    run = _killed_run(program, rng, scale / top, limit)
    if not run.lives:
        return None
    peak = max(s.working_set_bytes for s in run.samples)
    facts = _facts(program, run, limit, scale)
    report = diagnose(facts)
    said: Proposal = report.proposal
    return Outcome(
        family=program.family, limit=limit, demand=scale, next_demand=_top(program, program.span_s, 2 * program.span_s) * scale / top,
        peak=peak, cause=report.cause.name, role=said.role, ours=float(said.limit_bytes) if said.limit_bytes else None,
    )  # fmt: skip


def _top(program: Program, since_s: float, until_s: float) -> float:
    """The true demand of a run without a limit that starts at `since_s` and is never restarted."""
    steps = int((until_s - since_s) / program.step_s)
    return max(program.demand(since_s + i * program.step_s, i * program.step_s) for i in range(steps))


def _killed_run(program: Program, rng: Random, scale: float, limit: float) -> Run:
    samples: list[Sample] = []
    lives: list[tuple[float, float]] = []
    t = started = 0.0
    backoff, next_scrape = 10.0, rng.uniform(0, SCRAPE_S)
    while t < program.span_s:
        need = program.demand(t, t - started) * scale
        if need > limit:
            lives.append((started, t))
            backoff = 10.0 if t - started > 600 else min(2 * backoff, 300.0)
            t += backoff
            started = t
            continue
        while next_scrape <= t:
            if rng.random() > LOST and next_scrape > t - program.step_s:
                samples.append(_sample(program, next_scrape, need, limit, len(lives)))
            next_scrape += SCRAPE_S
        t += program.step_s
    if not samples:  # it never lived long enough to be scraped
        samples.append(_sample(program, program.span_s, limit * 0.3, limit, len(lives)))
    return Run(samples=tuple(samples), lives=tuple(lives))


def _sample(program: Program, t: float, need: float, limit: float, restarts: int) -> Sample:
    rate = program.rate(t) * 100 if program.rate is not None else None
    return Sample(
        t_s=EPOCH_S + t,
        working_set_bytes=need,
        rss_bytes=need,
        limit_bytes=limit,
        restarts=float(restarts),
        oom_kills=None,
        request_rate=rate,
    )


def _facts(program: Program, run: Run, limit: float, demand: float) -> Facts:
    """The facts at the end of the killed run: the container's status, its history, and its log where it says something."""
    start, kill = run.lives[-1]
    now = EPOCH_S + max(run.samples[-1].t_s - EPOCH_S, kill) + 60
    dead = Termination(reason="OOMKilled", exit_code=137, started_at=from_epoch(EPOCH_S + start), finished_at=from_epoch(EPOCH_S + kill))
    container = ContainerFacts(
        name="api",
        limit_bytes=int(limit),
        request_bytes=int(limit * 0.7),
        state="running",
        last_terminated=dead,
        restart_count=len(run.lives),
    )
    lines = program.log(demand) if program.log is not None else ()
    history = MemoryHistory(
        samples=run.samples, step_s=SCRAPE_S, ends_s=now,
        starts_s=tuple(EPOCH_S + s for s, _ in run.lives), kill_times_s=tuple(EPOCH_S + k for _, k in run.lives),
    )  # fmt: skip
    return Facts(
        now=from_epoch(now),
        subject=Subject(cluster="", namespace="shop", pod="api-0", container="api"),
        pod=PodFacts(namespace="shop", name="api-0", containers=(container,)),
        workload=WorkloadFacts(workload=Workload(kind="Deployment", name="api"), replicas_desired=1),
        node=NodeFacts(name="n", allocatable_bytes=256 * GIB, has_memory_pressure=False),
        log=LogFacts(container="api", lines=lines) if lines else None,
        history=history,
    )


# --- what others would do --------------------------------------------------------------------------------------------------


RIVALS: tuple[tuple[str, Callable[[Outcome], float | None]], ...] = (
    ("this project", lambda o: o.ours),
    ("KRR: peak x 1.15", lambda o: o.peak * 1.15),
    ("KRR with OOM data: limit x 1.25", lambda o: max(o.peak * 1.15, o.limit * 1.25)),
    ("VPA: peak x 1.2, + 100 MiB", lambda o: max(o.peak * 1.2, o.peak + 100 * MIB)),
    ("limit x 1.5", lambda o: o.limit * 1.5),
    ("limit x 2", lambda o: o.limit * 2),
)


def outcomes(pairs: int, ratios: tuple[float, float]) -> list[Outcome]:
    """All simulated pairs; the same for the same arguments."""
    found = []
    for family in FAMILIES:
        for seed in range(pairs):
            rng = Random(f"{family.__name__} {seed} {ratios}")
            found.append(pair(family(rng), rng, rng.uniform(*ratios)))
    return [o for o in found if o is not None]


def replays(ratios: tuple[float, float]) -> list[Outcome]:
    """The recorded runs, each under a few lower limits."""
    found = []
    for number, program in enumerate(recorded()):
        for turn in range(REPLAYS):
            rng = Random(f"{number} {turn} {ratios}")
            found.append(pair(program, rng, rng.uniform(*ratios)))
    return [o for o in found if o is not None]
