"""Sizes a person would write: a limit of 683 MiB is proposed as 704 or 768 MiB."""

from __future__ import annotations

from receiver.domain.units import GIB, MIB


def tidy_up(n_bytes: float) -> int:
    """The smallest tidy size that is at least `n_bytes`."""
    return next(size for size in _ladder(n_bytes) if size >= n_bytes)


def tidy_down(n_bytes: float) -> int:
    """The largest tidy size that is at most `n_bytes`; 0 below the smallest."""
    return max((size for size in _ladder(n_bytes) if size <= n_bytes), default=0)


def _ladder(n_bytes: float) -> tuple[int, ...]:
    """Sizes a person would write, ascending, reaching past `n_bytes`.

    Steps of 8Mi up to 128Mi, then eight steps an octave up to 1Gi and four above, and round hundreds of Mi besides.
    """
    sizes = [n * 8 * MIB for n in range(1, 17)]
    base = 128 * MIB
    while sizes[-1] < n_bytes or sizes[-1] < GIB:
        steps = 8 if base < GIB else 4
        sizes += [base + base * i // steps for i in range(1, steps + 1)]
        base *= 2
    return tuple(sorted({*sizes, *(h * MIB for h in (100, 200, 400, 800))}))
