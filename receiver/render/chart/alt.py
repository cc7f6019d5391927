"""The chart's story as one sentence, for whoever cannot see it. From the report, not from the picture."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

from receiver.domain.units import human_bytes, human_duration
from receiver.render import words
from receiver.render.chart.legend import rate_text
from receiver.render.chart.plot import Plot, limit_change
from receiver.render.text import cut

MAX_CHARS = 2_000  # Slack's limit of alt_text
MOST_TIMES = 6


def alt_text(plot: Plot) -> str:
    """`Memory of orders-api over 11 h: rising 20-21 MiB/h in 4 of 4 lives ...; 4 OOM kills: 18:51, ... UTC; ...`."""
    history = plot.words.history or human_duration(plot.end_s - plot.start_s)
    return cut(f"Memory of {plot.subject} over {history}: {'; '.join(_clauses(plot))}.", MAX_CHARS)


def _clauses(plot: Plot) -> Iterator[str]:
    yield _course(plot)
    yield _limit(plot)
    if plot.request_bytes:
        yield f"request {human_bytes(plot.request_bytes)}"
    yield _kills(plot)
    if plot.rollouts:
        first = plot.rollouts[-1]
        tag = f" to {first.tag}" if first.tag else ""
        yield f"{'a rollout' if len(plot.rollouts) == 1 else f'{len(plot.rollouts)} rollouts, the newest'}{tag} at {plot.moment(first.t_s)}"
    if plot.projection:
        yield f"a dashed line goes on to the limit, full about {plot.projection.full_at}"
    if plot.rate_peak:
        yield f"requests below it, peak {rate_text(plot.rate_peak)}"
    if plot.gaps:
        missing = human_duration(sum(b - a for a, b in plot.gaps))
        yield f"no data for {missing}" + (f" in {len(plot.gaps)} places" if len(plot.gaps) > 1 else "")


def _course(plot: Plot) -> str:
    memory, growth = plot.words, plot.growth
    peak = f", peak {memory.peak}" if memory.peak else ""
    if plot.has_cache:
        return f"the process itself uses {memory.process}, file cache {memory.cache} on top of it{peak}"
    if growth and plot.is_rising and growth.lives_grown and growth.floor_from:
        lives = f" in {growth.lives_grown} of {words.counted(growth.lives, 'life', 'lives')}" if growth.lives > 1 else ""
        return f"rising {growth.rate}{lives}, from {growth.floor_from} to {'at least ' if plot.kills_s else ''}{growth.floor_to}{peak}"
    if growth and plot.is_rising:
        return f"rising {growth.rate}{peak}"
    return (
        f"mostly near {memory.level}{peak}" if memory.level else f"peak {memory.peak}" if memory.peak else "no more is known of its course"
    )


def _limit(plot: Plot) -> str:
    limit = plot.limits[-1][1]
    now = f"limit {human_bytes(limit)}" if limit else "no limit is set" if plot.words.has_no_limit else "the limit is not known"
    change = limit_change(plot)
    if change is None:
        return now
    before, at_s = change
    return f"{now}, {before or 'none'} until {plot.moment(at_s)}"


def _kills(plot: Plot) -> str:
    kills = plot.kills_s
    if not kills:
        return "no OOM kill in this time"
    moments = [plot.moment(k) for k in kills]
    counted = words.counted(len(kills), "OOM kill")
    if len(kills) > MOST_TIMES:
        return f"{counted} from {moments[0]} to {moments[-1]}"
    has_dates = any(m.with_date for m in moments)
    pattern = "%Y-%m-%d %H:%M" if has_dates else "%H:%M"
    clocks = [m.at.astimezone(UTC).strftime(pattern) for m in moments]
    listed = clocks[0] if len(clocks) == 1 else f"{', '.join(clocks[:-1])} and {clocks[-1]}"
    return f"{counted} at {listed} UTC"
