"""Messages and reports for a terminal: wrapped, without control characters, every line of its own."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from receiver.domain.report import Life, Report, Shape
from receiver.domain.units import human_bytes, human_duration, human_percent
from receiver.render.chart.spark import sparkline
from receiver.render.context.memory import limit_of
from receiver.render.text import clean_block
from receiver.render.wording import say_all

WIDTH = 100
MAX_LIVES = 12  # of the numbers: the newest ones
LABEL_WIDTH = 7  # "Facts  "
LABELS = ("Do", "Why", "Next", "Facts")


def wrap(text: str, width: int = WIDTH) -> str:
    """Lines folded at `width`; what follows a label or a list mark is indented under its text. Preformatted lines stay."""
    return "\n".join(folded for line in text.split("\n") for folded in _fold(line, width))


def _fold(line: str, width: int) -> list[str]:
    if line.startswith("    ") or len(line) <= width:
        return [line]
    hang = len(line) - len(line.lstrip())
    head = line.lstrip()
    if head[:2] == "- " or head[:1].isdigit():
        hang += head.index(" ") + 1
    elif line[:LABEL_WIDTH].rstrip() in LABELS:
        hang = LABEL_WIDTH
    return textwrap.wrap(line, width, subsequent_indent=" " * hang, break_long_words=False, break_on_hyphens=False) or [""]


def with_memory(text: str, report: Report) -> str:
    """The first part of a report with its memory as a line of blocks, behind its labelled lines; as it is where no history is known."""
    drawn, shape = sparkline(report), report.shape
    if not drawn or shape is None:
        return text
    limit = limit_of(report.facts, shape, report.subject.container)
    scale = f"of {human_bytes(limit)}" if limit else f"peak {human_bytes(shape.peak_bytes)}" if shape.peak_bytes else ""
    line = f"Memory {drawn}  {scale} in {human_duration(shape.history_s)}"
    lines = text.split("\n")
    labelled = [i for i, found in enumerate(lines) if found[:LABEL_WIDTH].rstrip() in LABELS]
    at = labelled[-1] + 1 if labelled else len(lines)
    return "\n".join([*lines[:at], line, *lines[at:]])


def numbers(report: Report) -> str:
    """Every number behind the verdict, one a line, for `-v`: of kill, cause and proposal, then of the memory series."""
    return clean_block("\n".join([*say_all(report.numbers), *_shape_lines(report.shape)]), max_lines=120)


def _shape_lines(shape: Shape | None) -> list[str]:
    if shape is None:
        return []
    lines = [
        f"shape {shape.cause}, confidence {shape.confidence:.2f}",
        f"history {shape.history_s:.0f} s, of it {shape.missing_s:.0f} s missing",
    ]
    lines += _bytes_line("limit", shape.limit_bytes)
    lines += _bytes_line("peak", shape.peak_bytes)
    lines += _bytes_line("median", shape.median_bytes)
    lines += _bytes_line("current", shape.current_bytes)
    lines += _bytes_line("growth per hour", shape.growth_bytes_per_h)
    if shape.near_limit_share is not None:
        lines.append(f"time at or above 80 % of the limit {human_percent(shape.near_limit_share)}")
    if shape.cache_share is not None:
        lines.append(f"file cache {human_percent(shape.cache_share)} of the working set")
    if shape.rate_correlation is not None:
        lines.append(f"correlation with the request rate {shape.rate_correlation:.2f}")
    lines += say_all(shape.evidence)
    lines += [f"{name} {value:g}" for name, value in sorted(shape.numbers.items())]
    lines += [_life_line(n, life) for n, life in enumerate(shape.lives, 1)][-MAX_LIVES:]
    return lines


def _life_line(number: int, life: Life) -> str:
    parts = [f"life {number}: {life.end_s - life.start_s:.0f} s, peak {human_bytes(life.peak_bytes)}"]
    if life.floor_start_bytes is not None and life.floor_end_bytes is not None:
        parts.append(f"floor {human_bytes(life.floor_start_bytes)} to {human_bytes(life.floor_end_bytes)}")
    if life.growth_bytes_per_h is not None:
        parts.append(f"growth {human_bytes(life.growth_bytes_per_h)} per hour")
    return ", ".join([*parts, *(["a ramp"] if life.is_ramp else []), *(["killed"] if life.is_killed else [])])


def _bytes_line(name: str, n_bytes: float | None) -> list[str]:
    return [f"{name} {human_bytes(n_bytes)} ({n_bytes:.0f} bytes)"] if n_bytes is not None else []


def stack(paragraphs: Iterable[str]) -> str:
    """Paragraphs with an empty line between; empty ones vanish."""
    return "\n\n".join(p.rstrip() for p in paragraphs if p.strip())
