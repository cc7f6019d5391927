"""The memory part of the context: levels, shares, growth, and when the limit is reached."""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median

from receiver.diagnosis.clues import TELLING_RATIO, has_unseen_peak
from receiver.domain.facts import ContainerFacts, Facts
from receiver.domain.report import Life, Report, Shape
from receiver.domain.units import UNLIMITED_BYTES, format_quantity, from_epoch, human_bytes, human_duration
from receiver.render import words
from receiver.render.context.model import GrowthWords, MemoryWords
from receiver.render.inline import Moment, when

MOSTLY_CACHE = 0.5  # of the working set

NO_DATA_S = 900.0  # gaps below a quarter of an hour are not worth a word
FORESEEABLE_S = 365 * 86_400.0  # a limit that is further away is not told: no such rise goes on for so long


def container_of(facts: Facts | None, name: str) -> ContainerFacts | None:
    """The subject's container; the only one of the pod when the alert named none."""
    if facts is None or facts.pod is None:
        return None
    if name:
        return facts.pod.container(name)
    return facts.pod.containers[0] if len(facts.pod.containers) == 1 else None


def limit_of(facts: Facts | None, shape: Shape | None, container_name: str) -> int | None:
    """The limit in force: the container's, else its pod's; from the series only when the pod could not be read."""
    container = container_of(facts, container_name)
    if container is not None:
        limit: float | None = container.limit_bytes or (facts.pod.pod_limit_bytes if facts and facts.pod else None)
    else:
        limit = shape.limit_bytes if shape else None
    return int(limit) if limit and limit < UNLIMITED_BYTES else None


def memory_words(facts: Facts | None, shape: Shape | None, container_name: str, *, killed_at_bytes: int | None = None) -> MemoryWords:
    """What is known of the container's memory. `killed_at_bytes`: the limit that it was killed at: its level is held against that one."""
    container = container_of(facts, container_name)
    limit = limit_of(facts, shape, container_name)
    peak = shape.peak_bytes if shape and not is_peak_unseen(facts, shape, container_name) else None
    level = shape.median_bytes if shape else None
    current = current_of(facts, shape)
    cache = current * shape.cache_share if shape and current is not None and shape.cache_share is not None else None
    process = current - cache if current is not None and cache is not None else None
    return MemoryWords(
        limit=_size(limit),
        limit_value=_quantity(limit),
        request_value=_quantity(container.request_bytes if container else None),
        has_no_limit=container is not None and limit is None,
        limit_is_pods=limit is not None and container is not None and container.limit_bytes is None,
        peak=_size(peak),
        peak_of_limit=_of(peak, limit),
        peak_share=_share(peak, limit),
        level=_size(level),
        level_share=_share(level, killed_at_bytes or limit),
        headroom=_size(limit - level if limit and level and limit > level else None),
        now=_size(current),
        now_of_limit=_of(current, limit),
        now_share=_share(current, limit),
        process=_size(process),
        process_share=_share(process, limit),
        cache=_size(cache),
        is_mostly_cache=_is_mostly_cache(shape),
        history=_span(shape.history_s if shape else None),
        no_data=_span(shape.missing_s if shape and shape.missing_s >= NO_DATA_S else None),
    )


def is_peak_unseen(facts: Facts | None, shape: Shape | None, container_name: str) -> bool:
    """Whether its lives lie between two scrapes, so that its highest scrape, a low one, is no peak."""
    limit = limit_of(facts, shape, container_name)
    peak = shape.peak_bytes if shape else None
    if facts is None or not peak or (limit and peak >= TELLING_RATIO * limit):
        return False
    return has_unseen_peak(container_of(facts, container_name), facts.history, facts.now)


def current_of(facts: Facts | None, shape: Shape | None) -> float | None:
    """The newest memory that is known: of the series, else of one look. Bytes."""
    if shape is not None and shape.current_bytes is not None:
        return shape.current_bytes
    return facts.usage_bytes if facts is not None else None


def _is_mostly_cache(shape: Shape | None) -> bool:
    return shape is not None and (shape.detail == "page_cache" or (shape.cache_share or 0.0) >= MOSTLY_CACHE)


def _size(n_bytes: float | None) -> str:
    return human_bytes(n_bytes) if n_bytes else ""


def _quantity(n_bytes: int | None) -> str:
    return format_quantity(n_bytes) if n_bytes else ""


def _of(used_bytes: float | None, limit_bytes: float | None) -> str:
    return words.used_of(used_bytes, limit_bytes) if used_bytes and limit_bytes else ""


def _share(used_bytes: float | None, limit_bytes: float | None) -> str:
    return words.share(used_bytes, limit_bytes) if used_bytes else ""


def _span(seconds: float | None) -> str:
    return human_duration(seconds) if seconds else ""


def growth_words(report: Report | None, now: datetime) -> GrowthWords | None:
    """The rise of its floor, and where it leads; None when it does not rise or is not known."""
    shape = report.shape if report else None
    if report is None or shape is None:
        return None
    ramps = [life for life in shape.lives if life.is_ramp]
    slopes = _slopes(shape, ramps)
    if slopes is None:
        return None
    starts = [life.floor_start_bytes for life in ramps if life.floor_start_bytes]
    newest = shape.lives[-1] if shape.lives else None
    full_at = None if report.facts.is_pod_gone else _full_at(report, shape, now)
    return GrowthWords(
        rate=words.growth(*slopes),
        lives=sum(life.is_ramp or life.growth_bytes_per_h is not None for life in shape.lives),  # the others are too short to judge
        lives_grown=len(ramps),
        since=words.about(newest.end_s - newest.start_s) if newest else "",
        floor_from=_size(min(starts, default=None)),
        floor_to=_size(max((life.peak_bytes for life in ramps), default=None)),
        began=_when(from_epoch(shape.change_at_s) if shape.change_at_s else None, now),
        full_at=_when(full_at, now),
        full_in=words.about((full_at - now).total_seconds()) if full_at else "",
        next_kill=_when(full_at if full_at and shape.kills else None if report.facts.is_pod_gone else _next_kill(report, shape, now), now),
    )


def _slopes(shape: Shape, ramps: list[Life]) -> tuple[float, float] | None:
    """The slowest and the fastest rise in bytes an hour; None when memory does not rise."""
    slopes = [life.growth_bytes_per_h for life in ramps if life.growth_bytes_per_h]
    overall = shape.growth_bytes_per_h or (median(slopes) if slopes else 0.0)
    if overall <= 0:
        return None
    return shape.growth_range_bytes_per_h or ((min(slopes), max(slopes)) if slopes else (overall, overall))


def _full_at(report: Report, shape: Shape, now: datetime) -> datetime | None:
    """When the living container reaches its limit at this rate; None when that is past, too far away, or nobody lives."""
    newest = shape.lives[-1] if shape.lives else None
    if newest is None or newest.is_killed or shape.time_to_limit_s is None or shape.time_to_limit_s >= FORESEEABLE_S:
        return None
    if report.kill.at and report.kill.at.timestamp() > newest.start_s:  # newer than the last scrape that saw the life which it ended
        return None
    full_at = from_epoch(newest.end_s + shape.time_to_limit_s)
    return full_at if full_at > now else None


def _when(at: datetime | None, now: datetime) -> Moment | None:
    return when(at, now) if at else None


def _next_kill(report: Report, shape: Shape, now: datetime) -> datetime | None:
    """When the next kill is due: the newest one plus what a growing life lasts. None when that is past, or lives differ much."""
    lengths = [life.end_s - life.start_s for life in shape.lives if life.is_killed and life.is_ramp]
    newest = max((t for t in (report.kill.at, from_epoch(shape.kills[-1]) if shape.kills else None) if t), default=None)
    if newest is None or len(lengths) < 2 or max(lengths) > 2 * min(lengths):
        return None
    due = newest + timedelta(seconds=median(lengths))
    return due if due > now else None
