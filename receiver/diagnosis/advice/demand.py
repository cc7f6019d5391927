"""What was seen of a container's need: its peak, its growth, and how long a limit lasts at that growth."""

from __future__ import annotations

from receiver.diagnosis.clues import Clues


def peak_bytes(clues: Clues) -> float | None:
    """The highest memory that was seen: of the history, of the long look, of now. Bytes."""
    history = clues.facts.history
    seen = (
        clues.shape.peak_bytes if clues.shape is not None else None,
        history.peak_bytes_long if history is not None else None,
        max((s.working_set_bytes for s in history.samples), default=None) if history is not None else None,
        clues.facts.usage_bytes,
    )
    return max((float(s) for s in seen if s), default=None)


def lasts_h(clues: Clues, limit_bytes: float) -> float | None:
    """How long a life lasts under this limit at the measured growth, in hours: (limit - floor at the start) / growth."""
    growth = clues.shape.growth_bytes_per_h if clues.shape is not None else None
    if clues.shape is None or not growth or growth <= 0:
        return pace_h(clues, limit_bytes)
    floors = [life.floor_start_bytes for life in clues.shape.lives if life.floor_start_bytes is not None]
    floor = floors[-1] if floors else 0.0
    return max((limit_bytes - floor) / growth, 0.0)


def pace_h(clues: Clues, limit_bytes: float) -> float | None:
    """The same in hours, if the last life was steady growth from nothing and no more is known."""
    if not clues.lives_s or not clues.limit_bytes or clues.lives_s[0] < 1:
        return None
    return clues.lives_s[0] * limit_bytes / _limit_of_last_life(clues, clues.limit_bytes) / 3600


def _limit_of_last_life(clues: Clues, limit_bytes: int) -> int:
    """The limit that the last life ended under: a raise since then does not count for it."""
    death = clues.container.newest_termination if clues.container is not None else None
    since = [r for r in clues.raises if death is not None and death.finished_at is not None and r.at > death.finished_at]
    return since[-1].before_bytes if since else limit_bytes
