"""The legend: what each mark means, with peak and limit as text. Fitted to the card's width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC

from receiver.domain.units import human_bytes
from receiver.render import words
from receiver.render.chart.axis import date_text
from receiver.render.chart.plot import Plot, limit_change
from receiver.render.chart.textwidth import drawable, width_px
from receiver.render.inline import Moment

GAP_PX = 26.0
KEY_PX = 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """`mark` names the drawn key; `variants` are the words, the longest first."""

    mark: str
    variants: tuple[str, ...]

    @property
    def key_px(self) -> float:
        """Room for the drawn key; a word that stands for something absent has none."""
        return KEY_PX if self.mark else 0.0


def entries(plot: Plot) -> tuple[Entry, ...]:
    """What the chart shows, the most important first."""
    memory = plot.words
    found: list[Entry] = []
    if plot.has_cache:
        found.append(Entry(mark="memory", variants=(f"process {memory.process}",)))
        found.append(Entry(mark="cache", variants=(f"file cache {memory.cache}", f"cache {memory.cache}")))
    elif memory.peak:
        found.append(Entry(mark="memory", variants=(f"memory, peak {memory.peak}", f"peak {memory.peak}")))
    else:
        found.append(Entry(mark="memory", variants=("memory",)))
    found += _limit(plot)
    if plot.kills_s:
        found.append(Entry(mark="kill", variants=_kills(plot)))
    if plot.projection:
        mark = "full" if plot.projection.full_s <= plot.end_s else "rise"  # no ring is drawn where the limit lies beyond the edge
        found.append(Entry(mark=mark, variants=(f"full about {_short(plot.projection.full_at)}",)))
    if plot.rollouts:
        found.append(Entry(mark="rollout", variants=_rollouts(plot)))
    return tuple(found)


def fitted(found: Sequence[Entry], room_px: float, size_px: float) -> tuple[tuple[Entry, str], ...]:
    """Each entry with the longest words that fit: the last ones are shortened first, then left out."""
    level = [0] * len(found)

    def needed(count: int) -> float:
        return sum(found[i].key_px + width_px(found[i].variants[level[i]], size_px) for i in range(count)) + GAP_PX * max(0, count - 1)

    count = len(found)
    while count and needed(count) > room_px:
        shorter = next((i for i in reversed(range(count)) if level[i] + 1 < len(found[i].variants)), None)
        if shorter is not None:
            level[shorter] += 1
        else:
            count -= 1
    for i in range(count):  # one that was shortened by much may leave room for a more important one
        while level[i] > 0:
            level[i] -= 1
            if needed(count) > room_px:
                level[i] += 1
                break
    return tuple((found[i], drawable(found[i].variants[level[i]])) for i in range(count))


def rate_text(per_s: float) -> str:
    """A request rate: `0.34/s`, `12/s`, `1,240/s`."""
    return f"{per_s:,.0f}/s" if 10 <= per_s < 1e7 else f"{per_s:.2g}/s"


def _short(moment: Moment) -> str:
    return f"{date_text(moment.at)} {moment.at.astimezone(UTC):%H:%M}" if moment.with_date else moment.short


def _limit(plot: Plot) -> list[Entry]:
    limit = plot.limits[-1][1]
    if not limit:
        return [Entry(mark="", variants=("no limit",))] if plot.words.has_no_limit else []
    change = limit_change(plot)
    now = f"limit {human_bytes(limit)}"
    return [Entry(mark="limit", variants=(f"{now}, was {change[0]}", now) if change and change[0] else (now,))]


def _kills(plot: Plot) -> tuple[str, ...]:
    shown = len(plot.kills_s)
    if plot.kill_count > shown:  # of other replicas, or before this chart begins
        return (f"{shown} of {words.counted(plot.kill_count, 'OOM kill')}", f"{shown} of {plot.kill_count:,} kills")
    return (words.counted(shown, "OOM kill"), words.counted(shown, "kill"))


def _rollouts(plot: Plot) -> tuple[str, ...]:
    if len(plot.rollouts) > 1:
        return (words.counted(len(plot.rollouts), "rollout"),)
    tag = plot.rollouts[0].tag
    return (f"rollout {tag}", "rollout") if tag else ("rollout",)
