"""Kill marks that do not cover each other: neighbours merge into one pill with their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from receiver.render.chart.textwidth import width_px

DISC_PX = 12.0  # half of a single kill's mark, with its edge
MERGE_PX = 24.0
PILL_TEXT_PX = 17.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One disc (`count` 1) or pill around `x`, from `left` to `right` of the kills it stands for."""

    x: float
    y: float
    count: int
    half_px: float
    left: float
    right: float


def merged(kills: Sequence[tuple[float, float]], left_px: float, right_px: float) -> tuple[Mark, ...]:
    """Marks for kills at these places, in order of time, kept between the edges. What would overlap is one mark."""
    edges = (left_px, right_px)
    marks = [_mark((x, x), y, 1, edges) for x, y in kills]
    while True:
        after: list[Mark] = []
        for mark in marks:
            if after and _collide(after[-1], mark):
                last = after.pop()
                after.append(_mark((last.left, mark.right), mark.y, last.count + mark.count, edges))
            else:
                after.append(mark)
        if len(after) == len(marks):
            return tuple(after)
        marks = after


def _collide(a: Mark, b: Mark) -> bool:
    return b.x - a.x < max(MERGE_PX, a.half_px + b.half_px + 3)


def _mark(span: tuple[float, float], y: float, count: int, edges: tuple[float, float]) -> Mark:
    left, right = span
    half = DISC_PX if count == 1 else (30 + width_px(f"{count}", PILL_TEXT_PX)) / 2
    x = min(max((left + right) / 2, edges[0] + half), edges[1] - half)
    if count == 1:  # a single disc stands where its kill is, even if that is the edge
        x = left
    return Mark(x=x, y=y, count=count, half_px=half, left=left, right=right)
