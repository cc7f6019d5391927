"""A line of block characters a life, for where no picture can be shown: `▁▂▄▅▇█✕ ▁▃▄▆█✕`."""

from __future__ import annotations

from receiver.domain.report import Report
from receiver.render.chart.plot import Plot, plot_of

BLOCKS = "▁▂▃▄▅▆▇█"
KILL = "✕"
MOST_CHARS = 34  # what a phone shows of a preformatted line
MOST_LIVES = 6


def sparkline(report: Report) -> str:
    """The newest lives, oldest first, each scaled to the limit (or the peak) and ended by a cross where it was killed. May be ""."""
    try:
        plot = plot_of(report)
    except OverflowError:
        return ""
    return _lives(plot) if plot is not None else ""


def _lives(plot: Plot) -> str:
    edges = [*plot.kills_s, float("inf")]
    lives: list[list[tuple[float, float]]] = [[] for _ in edges]
    which = 0
    for piece in plot.pieces:
        for point in piece:
            while point.t_s > edges[which]:
                which += 1
            lives[which].append((point.t_s, point.total_bytes))
    shown = [(life, i < len(plot.kills_s)) for i, life in enumerate(lives) if life][-MOST_LIVES:]
    room = MOST_CHARS - sum(killed for _, killed in shown) - (len(shown) - 1)
    span_s = sum(life[-1][0] - life[0][0] for life, _ in shown) or 1.0
    return " ".join(
        _bars(life, max(1, int(room * (life[-1][0] - life[0][0]) / span_s)), plot.top_bytes) + (KILL if killed else "")
        for life, killed in shown
    )  # fmt: skip


def _bars(life: list[tuple[float, float]], count: int, top: float) -> str:
    """The highest value of each stretch; a stretch without data repeats the one before."""
    start, span = life[0][0], life[-1][0] - life[0][0] or 1.0
    highest: list[float | None] = [None] * count
    for t, value in life:
        i = min(count - 1, int((t - start) / span * count))
        was = highest[i]
        highest[i] = value if was is None else max(was, value)
    drawn, last = [], 0.0
    for level in highest:
        last = level if level is not None else last
        drawn.append(BLOCKS[min(len(BLOCKS) - 1, int(last / top * len(BLOCKS)))])
    return "".join(drawn)
