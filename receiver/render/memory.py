"""The memory part of the context: levels, shares, growth, and when the limit is reached."""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median

from receiver.domain.facts import ContainerFacts, Facts
from receiver.domain.report import Report, Shape
from receiver.domain.units import format_quantity, from_epoch, human_bytes, human_duration
from receiver.render import words
from receiver.render.context import GrowthWords, MemoryWords
from receiver.render.inline import when

MOSTLY_CACHE = 0.5  # of the working set
UNLIMITED_BYTES = 2**50  # a cgroup without a limit reports about 2^63; no node has a PiB

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


def memory_words(facts: Facts | None, shape: Shape | None, container_name: str) -> MemoryWords:
    """What is known of the container's memory."""
    container = container_of(facts, container_name)
    limit = limit_of(facts, shape, container_name)
    peak = shape.peak_bytes if shape else None
    level = shape.median_bytes if shape else None
    current = shape.current_bytes if shape and shape.current_bytes is not None else (facts.usage_bytes if facts else None)
    cache = current * shape.cache_share if shape and current is not None and shape.cache_share is not None else None
    process = current - cache if current is not None and cache is not None else None
    is_mostly_cache = bool(shape and (shape.detail == "page_cache" or (shape.cache_share or 0.0) >= MOSTLY_CACHE))
    return MemoryWords(
        limit=human_bytes(limit) if limit else "",
        limit_value=format_quantity(limit) if limit else "",
        request_value=format_quantity(container.request_bytes) if container and container.request_bytes else "",
        has_no_limit=container is not None and limit is None,
        limit_is_pods=limit is not None and container is not None and container.limit_bytes is None,
        peak=human_bytes(peak) if peak else "",
        peak_of_limit=words.used_of(peak, limit) if peak and limit else "",
        peak_share=words.share(peak, limit) if peak else "",
        level=human_bytes(level) if level else "",
        level_share=words.share(level, limit) if level else "",
        headroom=human_bytes(limit - level) if limit and level and limit > level else "",
        now=human_bytes(current) if current else "",
        now_of_limit=words.used_of(current, limit) if current and limit else "",
        now_share=words.share(current, limit) if current else "",
        process=human_bytes(process) if process else "",
        process_share=words.share(process, limit) if process else "",
        cache=human_bytes(cache) if cache else "",
        is_mostly_cache=is_mostly_cache,
        history=human_duration(shape.history_s) if shape and shape.history_s else "",
        no_data=human_duration(shape.missing_s) if shape and shape.missing_s >= 900 else "",
    )


def growth_words(report: Report | None, now: datetime) -> GrowthWords | None:
    """The rise of its floor, and where it leads; None when it does not rise or is not known."""
    shape = report.shape if report else None
    if report is None or shape is None:
        return None
    ramps = [life for life in shape.lives if life.is_ramp]
    slopes = [life.growth_bytes_per_h for life in ramps if life.growth_bytes_per_h]
    overall = shape.growth_bytes_per_h or (median(slopes) if slopes else 0.0)
    if overall <= 0:
        return None
    low, high = shape.growth_range_bytes_per_h or ((min(slopes), max(slopes)) if slopes else (overall, overall))
    starts = [life.floor_start_bytes for life in ramps if life.floor_start_bytes]
    ends = [life.peak_bytes for life in ramps]
    newest = shape.lives[-1] if shape.lives else None
    # The death may be newer than the last scrape that saw the life which it ended.
    is_alive = newest is not None and not newest.is_killed and not (report.kill.at and report.kill.at.timestamp() > newest.start_s)
    left_s = shape.time_to_limit_s
    full_s = newest.end_s + left_s if is_alive and newest and left_s is not None and left_s < FORESEEABLE_S else None
    full_at = from_epoch(full_s) if full_s is not None and from_epoch(full_s) > now else None
    next_kill = full_at if full_at and shape.kills else _next_kill(report, shape, now)
    return GrowthWords(
        rate=words.growth(low, high),
        lives=len(
            [life for life in shape.lives if life.is_ramp or life.growth_bytes_per_h is not None]
        ),  # the others are too short to judge
        lives_grown=len(ramps),
        since=words.about(newest.end_s - newest.start_s) if newest else "",
        floor_from=human_bytes(min(starts)) if starts else "",
        floor_to=human_bytes(max(ends)) if ends else "",
        began=when(from_epoch(shape.change_at_s), now) if shape.change_at_s else None,
        full_at=when(full_at, now) if full_at else None,
        full_in=words.about((full_at - now).total_seconds()) if full_at else "",
        next_kill=when(next_kill, now) if next_kill else None,
    )


def _next_kill(report: Report, shape: Shape, now: datetime) -> datetime | None:
    """When the next kill is due: the newest one plus what a growing life lasts. None when that is past, or lives differ much."""
    lengths = [life.end_s - life.start_s for life in shape.lives if life.is_killed and life.is_ramp]
    newest = max((t for t in (report.kill.at, from_epoch(shape.kills[-1]) if shape.kills else None) if t), default=None)
    if newest is None or len(lengths) < 2 or max(lengths) > 2 * min(lengths):
        return None
    due = newest + timedelta(seconds=median(lengths))
    return due if due > now else None
