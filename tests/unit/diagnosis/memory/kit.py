"""Hand-made memory histories in MiB and minutes, for tests of the memory shape."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from receiver.diagnosis.memory.csv_series import history_of_csv
from receiver.domain.facts import MemoryHistory, Sample
from receiver.domain.reason import Fact, Reason
from receiver.domain.report import Shape
from receiver.domain.units import MIB
from tests.places import FIXTURES

TRACES = FIXTURES / "traces"
STEP_S = 30.0


def sample(minute: float, used_mib: float, **over: float | None) -> Sample:
    """One row: `used_mib` in use, limit 100 MiB, nothing killed; bytes given in MiB by *_mib keywords."""
    own = over.pop("own_mib", used_mib)
    limit = over.pop("limit_mib", 100.0)
    cache = over.pop("cache_mib", 0.0)
    return Sample(
        t_s=minute * 60, working_set_bytes=used_mib * MIB, limit_bytes=None if limit is None else limit * MIB,
        rss_bytes=None if own is None else own * MIB, cache_bytes=None if cache is None else cache * MIB,
        **{"restarts": 0.0, "oom_kills": 0.0, **over},
    )  # fmt: skip


def history(rows: Sequence[Sample], **over: Any) -> MemoryHistory:
    """The rows as a history."""
    return MemoryHistory(samples=tuple(rows), step_s=STEP_S, **over)


def minutes(hours: float, step_s: float = STEP_S) -> list[float]:
    """The minutes of so many hours, one per scrape."""
    return [i * step_s / 60 for i in range(int(hours * 3600 / step_s) + 1)]


def drawn(hours: float, level: Callable[[float], float], step_s: float = STEP_S, **over: float | None) -> MemoryHistory:
    """One life whose memory in MiB is a function of the minute; it begins with a process that has just started."""
    return history([sample(m, min(level(m), 5 + 40 * m) if m < 3 else level(m), **over) for m in minutes(hours, step_s)])


def lives(
    count: int,
    life_minutes: float,
    level: Callable[[float], float],
    *,
    step_s: float = STEP_S,
    down_minutes: float = 1.0,
    killed: bool = True,
) -> MemoryHistory:
    """`count` lives of so many minutes, each killed (or only restarted) at its end; `level` is a function of uptime."""
    rows: list[Sample] = []
    for life in range(count):
        begin = life * (life_minutes + down_minutes)
        for i in range(int(life_minutes * 60 / step_s)):
            up = i * step_s / 60
            rows.append(sample(begin + up, level(up), restarts=float(life), oom_kills=float(life if killed else 0)))
    end = count * (life_minutes + down_minutes)
    rows.append(sample(end, level(0), restarts=float(count), oom_kills=float(count if killed else 0)))
    return history(rows)


def labelled_traces() -> list[tuple[str, str, MemoryHistory]]:
    """(name, right cause, history) of every recorded trace."""
    found = []
    with (TRACES / "labels.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            with gzip.open(TRACES / row["file"], "rt") as trace:
                label = "unknown" if row["label"] == "normal" else row["label"]
                found.append((row["file"], label, history_of_csv(trace.read())))
    return found


def reasons_of(shape: Shape) -> tuple[Reason, ...]:
    """Every reason that a shape gives."""
    settle_by = () if shape.settle_by is None else (shape.settle_by,)
    return (*shape.because, *shape.against, *shape.refused.values(), *settle_by)


def numbers_of(fact: Fact) -> Iterator[float]:
    """Every number in a fact, or in a reason and the reasons inside it."""
    match fact:
        case int() | float():
            yield fact
        case Reason():
            for _, inner in fact.facts:
                yield from numbers_of(inner)
        case tuple():
            for inner in fact:
                yield from numbers_of(inner)
