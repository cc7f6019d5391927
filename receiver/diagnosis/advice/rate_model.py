"""What memory would be at the peak request rate: memory = a + b x rate, fitted on times when nothing was cut off.

A kill hides demand above the limit, but the request rate is not hidden: the peak of traffic is seen even while the
process that should have served it was being restarted. Pure Python, linear in the number of samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, linear_regression

from receiver.diagnosis.memory.thresholds import TRAFFIC_CORRELATION
from receiver.domain.facts import MemoryHistory, Sample

MIN_SAMPLES = 60  # with a rate and not cut off: an hour at the usual step
BINS = 10  # of equal counts over the rate: enough for a line, each with enough samples for a high quantile
HIGH_QUANTILE = 0.95  # of memory within a bin: the limit has to hold the high side of what a rate costs
CUT_OFF_RATIO = 0.9  # of the limit: above it the kernel reclaims and kills, and memory no longer follows demand
AFTER_START_S = 300.0  # a young process has not yet paid for its rate
PEAK_QUANTILE = 0.995  # of the rate: the highest of all may be a scrape artefact


@dataclass(frozen=True, slots=True, kw_only=True)
class RateModel:
    """The line and what it says. Bytes, requests a second; `peak_bytes` is memory at `peak_rate`."""

    base_bytes: float
    bytes_per_rate: float
    peak_rate: float
    peak_bytes: float


def fit(history: MemoryHistory | None, correlation: float | None) -> RateModel | None:
    """The model, or None where no rate is known, memory does not follow it, or too little was seen uncut."""
    if history is None or correlation is None or correlation < TRAFFIC_CORRELATION:
        return None
    rates = sorted(s.request_rate for s in history.samples if s.request_rate is not None)
    uncut = sorted((s.request_rate, s.working_set_bytes) for s in _uncut(history) if s.request_rate is not None)
    if len(uncut) < MIN_SAMPLES:
        return None
    size = -(-len(uncut) // BINS)
    points = [_bin(uncut[i : i + size]) for i in range(0, len(uncut), size)]
    if len({x for x, _ in points}) < 3:
        return None
    slope, base = linear_regression([x for x, _ in points], [y for _, y in points])
    if slope <= 0:
        return None
    peak_rate = rates[min(int(PEAK_QUANTILE * len(rates)), len(rates) - 1)]
    return RateModel(base_bytes=base, bytes_per_rate=slope, peak_rate=peak_rate, peak_bytes=base + slope * peak_rate)


def _uncut(history: MemoryHistory) -> list[Sample]:
    """Samples that show demand: below the limit, and not of a process that has just started."""
    kept = []
    started_s = history.samples[0].t_s if history.samples else 0.0
    for before, sample in pairwise(history.samples):
        if (sample.restarts or 0) > (before.restarts or 0):
            started_s = sample.t_s
        is_cut = sample.limit_bytes is not None and sample.working_set_bytes >= CUT_OFF_RATIO * sample.limit_bytes
        if not is_cut and sample.t_s - started_s >= AFTER_START_S:
            kept.append(sample)
    return kept


def _bin(part: list[tuple[float, float]]) -> tuple[float, float]:
    memory = sorted(m for _, m in part)
    return fmean(r for r, _ in part), memory[min(int(HIGH_QUANTILE * len(memory)), len(memory) - 1)]
