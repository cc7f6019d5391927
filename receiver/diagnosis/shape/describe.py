"""The verdict in words and numbers: short sentences that carry what they rest on."""

from __future__ import annotations

from receiver.diagnosis.shape.judge import Seen, Verdict
from receiver.diagnosis.shape.lives import Lives
from receiver.domain.report import CauseName, Life, Shape


def no_history(lives: Lives) -> Shape:
    """No row at all: nothing can be said, which is not the same as no problem."""
    return Shape(
        cause=CauseName.UNKNOWN,
        confidence=0.0,
        because=("No memory history.",),
        settle_by="A scraped memory history.",
        detail="no_history",
        kills=tuple(k.at_s for k in lives.kills),
    )


def shape(seen: Seen, verdict: Verdict) -> Shape:
    """Everything that chart and text quote."""
    c = seen.columns
    tested = {x.span: x.ramp for x in seen.leak.tested}
    lives = []
    for span in seen.lives.spans:
        ramp = tested.get(span)
        lives.append(
            Life(
                start_s=span.start_s if span.start_s is not None else c.t[span.first],
                end_s=span.end_s,
                is_killed=span.is_killed,
                peak_bytes=max(c.working_set[span.first : span.last + 1]),
                floor_start_bytes=ramp.floor_start if ramp else None,
                floor_end_bytes=ramp.floor_end if ramp else None,
                growth_bytes_per_h=ramp.slope * 3600 if ramp else None,
                is_ramp=bool(ramp and ramp.is_ramp),
            )
        )
    return Shape(
        cause=verdict.cause, confidence=round(verdict.confidence, 2), because=(verdict.detail,), detail=verdict.detail, lives=tuple(lives),
        history_s=seen.history_s, limit_bytes=c.limit_now, peak_bytes=max(c.working_set), kills=tuple(k.at_s for k in seen.lives.kills),
    )  # fmt: skip
