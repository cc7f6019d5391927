"""Preformatted parts: log lines, container state, lives, events. Plain lines that wrap on a phone, no columns of blanks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from receiver.domain.facts import EventFact, LogFacts, MemoryHistory, Termination
from receiver.domain.report import Kill, Life, Report
from receiver.domain.units import format_quantity, from_epoch, human_bytes, human_duration
from receiver.render import words
from receiver.render.context.memory import container_of, is_peak_unseen, limit_of
from receiver.render.text import clean_block, clean_line

LOG_COLUMNS = 200
KERNEL_LINES = frozenset(("death.kernel_memcg", "death.kernel_global", "death.kernel_victim"))
MAX_LIVES = 6
MAX_EVENTS = 5
MAX_PODS = 6
SPARKS = "▁▂▃▄▅▆▇█"
SPARK_BINS = 8
KILLED = "✕"

# A time that a program writes at the beginning of its lines: `2026-11-23 03:13:55,377`, `[2026-11-23T03:13:55.377Z]`.
_OWN_TIME = re.compile(r"\[?\d{4}-\d\d-\d\d[T ](\d\d:\d\d:\d\d)(?:[.,]\d+)?(?: ?(?:Z|[+-]\d\d:?\d\d))?\]?(?= |$)")


def log_lines(log: LogFacts, shown: Sequence[str]) -> str:
    """The excerpt, each line with its time cut to seconds where the kubelet stamped it."""
    stamps = dict(zip(log.lines, log.times, strict=False))
    return clean_block("\n".join(stamped(line, stamps.get(line)) for line in shown), max_lines=8, max_columns=LOG_COLUMNS)


def stamped(line: str, at: datetime | None) -> str:
    """A log line behind one time, cut to seconds: the kubelet's, else its own."""
    stamp = f"{at.astimezone(UTC):%H:%M:%S}" if at is not None else _clock(line)
    own = line
    rest = own[match.end() :].lstrip() if (match := _OWN_TIME.match(own)) else own
    return f"{stamp} {rest}" if stamp else own


def _clock(line: str) -> str:
    """The time that a line begins with, the kubelet's or its own, cut to seconds."""
    match = _OWN_TIME.match(line)
    return match[1] if match else ""


def shortened(line: str) -> str:
    """A log line without dates and fractions of seconds."""
    return stamped(line, None)


def container_lines(report: Report) -> str:
    """What `kubectl describe` would be read for. Empty when there is neither pod nor pod name."""
    facts, container = report.facts, container_of(report.facts, report.subject.container)
    lines: list[str] = []
    if container is not None:
        newest = container.newest_termination
        if newest is not None:
            lines += [*_termination_lines(newest), *_victim_line(report.kill)]
        since = f" since {container.state_since.astimezone(UTC):%H:%M:%S}" if container.state_since else ""
        reason = f": {clean_line(container.state_reason, 60)}" if container.state_reason else ""
        lines.append(f"now: {container.state.capitalize()}{reason}{since}")
        quality = f", {clean_line(facts.pod.qos_class, 20)}" if facts.pod and facts.pod.qos_class else ""
        lines.append(f"restarts: {container.restart_count}{quality}")
        lines.append(f"request {_size(container.request_bytes)}, limit {_size(container.limit_bytes)}")
        if facts.pod and facts.pod.pod_limit_bytes and container.limit_bytes is None:
            lines.append(f"of the whole pod: request {_size(facts.pod.pod_request_bytes)}, limit {_size(facts.pod.pod_limit_bytes)}")
    if facts.pod is not None:
        if facts.pod.reason:
            lines.append(f"pod: {clean_line(facts.pod.reason, 60)}")
            lines.append(f"  {clean_line(facts.pod.message, 200)}")
        lines.append(f"pod: {clean_line(facts.pod.name, 253)}")
        if facts.pod.node:
            lines.append(f"node: {clean_line(facts.pod.node, 253)}")
    others = [s.pod for s in facts.workload.siblings if s.last_reason == "OOMKilled"] if facts.workload else []
    if others:
        lines.append(f"also killed: {words.listed((clean_line(p, 253) for p in others), MAX_PODS)}")
    return "\n".join(lines)


def _victim_line(kill: Kill) -> list[str]:
    """Whom the kernel killed, where its own line says so."""
    line = next((b for b in kill.because if b.code in KERNEL_LINES), None)
    if line is None or not line["process"]:
        return []
    anon_rss_bytes = line["anon_rss_bytes"]
    held = f", {human_bytes(anon_rss_bytes)} of its own memory" if isinstance(anon_rss_bytes, int) else ""
    pid = f" (pid {line['pid']})" if line["pid"] else ""
    return [f"  victim: {clean_line(str(line['process']), 60)}{pid}{held}"]


def _termination_lines(newest: Termination) -> list[str]:
    code = f", exit {newest.exit_code}" if newest.exit_code is not None else ""
    lines = [f"last: {clean_line(newest.reason, 60) or 'no reason given'}{code}"]
    if newest.started_at and newest.finished_at:
        span = human_duration((newest.finished_at - newest.started_at).total_seconds())
        lines.append(f"  {newest.started_at.astimezone(UTC):%H:%M:%S} to {newest.finished_at.astimezone(UTC):%H:%M:%S} ({span})")
    return lines


def _size(n_bytes: int | None) -> str:
    return format_quantity(n_bytes) if n_bytes else "none"


def life_lines(report: Report) -> str:
    """A line per life: its memory as blocks scaled to the limit, how long it lasted, its peak."""
    shape = report.shape
    if shape is None or not shape.lives:
        return ""
    limit = limit_of(report.facts, shape, report.subject.container)
    top = limit or shape.peak_bytes or max(life.peak_bytes for life in shape.lives)
    is_unseen = is_peak_unseen(report.facts, shape, report.subject.container)
    lines = [_life_line(life, report.facts.history, top, is_unseen=is_unseen) for life in shape.lives[-MAX_LIVES:]]
    left = len(shape.lives) - len(lines)
    return "\n".join([*([f"… {left} earlier"] if left else []), *lines])


def _life_line(life: Life, history: MemoryHistory | None, top_bytes: float, *, is_unseen: bool) -> str:
    spark = sparkline(history, life, top_bytes)
    end = KILLED if life.is_killed else ""
    start = f"{from_epoch(life.start_s):%H:%M} " if life.start_s > 10**8 else ""  # a CSV counts from 0
    drawn = f"{spark}{end} " if spark or end else ""
    if is_unseen:  # its span is the scrapes' as well: the series of a dead container goes on for minutes
        return f"{start}{drawn}highest scrape {human_bytes(life.peak_bytes)}, its peak not seen by the scrapes"
    return f"{start}{drawn}{human_duration(life.end_s - life.start_s)}, peak {human_bytes(life.peak_bytes)}"


def sparkline(history: MemoryHistory | None, life: Life, top_bytes: float) -> str:
    """The life's memory in at most eight blocks, each the maximum of its bin; a bin without a sample is a dot."""
    samples = [s for s in history.samples if life.start_s <= s.t_s <= life.end_s] if history else []
    if not samples or top_bytes <= 0:
        return ""
    bins = min(SPARK_BINS, len(samples))
    width = (life.end_s - life.start_s) / bins or 1.0
    peaks: list[float | None] = [None] * bins
    for sample in samples:
        at = min(bins - 1, int((sample.t_s - life.start_s) / width))
        peaks[at] = max(peaks[at] or 0.0, sample.working_set_bytes)
    return "".join("·" if p is None else SPARKS[min(7, max(0, round(p / top_bytes * 7)))] for p in peaks)


def event_lines(events: Sequence[EventFact], now: datetime) -> str:
    """Two short lines an event, those about memory first, then the newest."""

    def order(event: EventFact) -> tuple[bool, bool, float]:
        return (not event.is_memory_relevant, event.type == "Normal", -(event.at or now).timestamp())

    lines: list[str] = []
    for event in sorted(events, key=order)[:MAX_EVENTS]:
        times = f" x{event.count}" if event.count > 1 else ""
        at = f", last {event.at.astimezone(UTC):%H:%M:%S}" if event.at else ""
        lines += [f"{clean_line(event.reason, 60)}{times}{at}", f"  {clean_line(event.message, 140)}"]
    left = len(events) - MAX_EVENTS
    if left > 0:
        lines.append(f"… {left} more")
    return "\n".join(line for line in lines if line.strip())
