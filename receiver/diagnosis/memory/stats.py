"""Small robust statistics in pure Python: medians, quantiles, rank correlation, slopes, lines.

Inputs here are short (at most some hundred bins) except for `quantile`, so clarity goes before speed. Nothing here
knows about memory.
"""

from __future__ import annotations

from collections.abc import Sequence


def quantile(values: Sequence[float], q: float) -> float:
    """The q-quantile (0-1), linear between neighbours. ValueError on an empty sequence. What is sorted is sorted again at little cost."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no quantile of nothing")
    position = q * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def median(values: Sequence[float]) -> float:
    """The middle value. ValueError on an empty sequence."""
    return quantile(values, 0.5)


def share(value: float, low: float, high: float) -> float:
    """How far the value is on the way from `low` to `high`, 0 to 1."""
    return min(max((value - low) / (high - low), 0.0), 1.0)


def kendall_tau(values: Sequence[float], noise: float = 0.0) -> float:
    """How steadily the values rise in their order: 1 always, -1 always fall. Differences up to `noise` count as none."""
    n = len(values)
    if n < 2:
        return 0.0
    score = 0
    for i in range(n - 1):
        for j in range(i + 1, n):
            difference = values[j] - values[i]
            score += (difference > noise) - (difference < -noise)
    return score / (n * (n - 1) / 2)


def theil_sen(xs: Sequence[float], ys: Sequence[float]) -> float:
    """The median slope over all pairs: one outlier in three changes nothing. 0 with fewer than two points."""
    slopes = [(ys[j] - ys[i]) / (xs[j] - xs[i]) for i in range(len(xs) - 1) for j in range(i + 1, len(xs)) if xs[j] != xs[i]]
    return median(slopes) if slopes else 0.0


def pearson(xs: Sequence[float], ys: Sequence[float]) -> float | None:
    """Linear correlation; None when either side does not vary or there are fewer than three pairs."""
    n = len(xs)
    if n < 3:
        return None
    mean_x, mean_y = sum(xs) / n, sum(ys) / n
    dx, dy = [x - mean_x for x in xs], [y - mean_y for y in ys]
    var_x, var_y = sum(d * d for d in dx), sum(d * d for d in dy)
    # Relative, so that rounding noise of a constant is not taken for variation.
    if var_x <= 1e-18 * n * mean_x * mean_x or var_y <= 1e-18 * n * mean_y * mean_y or not var_x or not var_y:
        return None
    return float(sum(a * b for a, b in zip(dx, dy, strict=True)) / (var_x * var_y) ** 0.5)


def explained(xs: Sequence[float], ys: Sequence[float]) -> float:
    """R squared of a line of ys over xs that rises; 0 when none does."""
    r = pearson(xs, ys)
    return r * r if r is not None and r > 0 else 0.0
