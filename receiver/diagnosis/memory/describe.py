"""The verdict as a `Shape`: cause, reasons, lives and every number, ready for charts and text."""

from __future__ import annotations

from receiver.diagnosis.memory import evidence, objections, page_cache, reasons
from receiver.diagnosis.memory.climb import Climb
from receiver.diagnosis.memory.findings import MemoryFindings
from receiver.diagnosis.memory.lives import LifeSpan, Lives
from receiver.diagnosis.memory.measures import measures_of
from receiver.diagnosis.memory.replicas import REGRESSION
from receiver.diagnosis.memory.verdict import Verdict
from receiver.domain.reason import reason
from receiver.domain.report import CauseName, Life, Shape


def no_history(lives: Lives) -> Shape:
    """No row at all: nothing can be said, which is not the same as no problem."""
    return Shape(
        cause=CauseName.UNKNOWN,
        confidence=0.0,
        because=(reason("memory.no_history"),),
        settle_by=reason("memory.look_again", settle_by=reason("memory.settle.scraped_history")),
        detail="no_history",
        kills=tuple(k.at_s for k in lives.kills),
    )


def shape(findings: MemoryFindings, verdict: Verdict) -> Shape:
    """Everything that chart and text quote."""
    c, level, leak = findings.columns, findings.level, findings.leak
    m = measures_of(findings)
    because = reasons.because(findings, verdict, m)
    weighed = ((w.told, w.speaks_for(verdict.cause)) for w in findings.witnesses)
    told = sorted(weighed, key=lambda said: (said[0].code not in REGRESSION, -abs(said[1])))  # what can be undone comes first
    tested = {x.span: x.climb for x in (*leak.tested, *leak.climbing)}
    climbing = {x.span for x in leak.climbing}
    return Shape(
        cause=verdict.cause,
        confidence=round(verdict.confidence, 2),
        because=(*because, *(said for said, weight in told if weight > 0)),
        against=(*(said for said, weight in told if weight < 0), *objections.against(findings, verdict)),
        refused=objections.refused(findings, verdict, because),
        settle_by=objections.settle_by(findings, verdict),
        detail=verdict.detail,
        lives=tuple(_life(findings, span, tested.get(span), span in climbing) for span in findings.lives.spans),
        history_s=findings.history_s,
        missing_s=m.missing_s,
        limit_bytes=m.limit if findings.is_limit_known else None,
        peak_bytes=m.peak,
        median_bytes=m.median,
        current_bytes=c.working_set[-1],
        growth_bytes_per_h=m.growth,
        growth_range_bytes_per_h=m.growth_range,
        time_to_limit_s=m.time_to_limit_s,
        change_at_s=leak.change_at_s if verdict.cause is CauseName.LEAK else None,
        kills=tuple(k.at_s for k in findings.lives.kills),
        cache_share=page_cache.cache_share(c),
        rate_correlation=level.rate_correlation if level is not None else None,
        near_limit_share=level.high_share if level is not None and findings.is_limit_known else None,
        evidence=evidence.reasons_of(verdict.judgement, leak, findings.witnesses),
        numbers=_numbers(findings),
    )


def _life(findings: MemoryFindings, span: LifeSpan, climb: Climb | None, is_ramp: bool) -> Life:
    c = findings.columns
    return Life(
        start_s=span.start_s if span.start_s is not None else c.t[span.first],
        end_s=span.end_s,
        is_killed=span.is_killed,
        peak_bytes=max(c.working_set[span.first : span.last + 1]),
        floor_start_bytes=climb.floors[0] if climb else None,
        floor_end_bytes=climb.floor_end if climb else None,
        growth_bytes_per_h=climb.slope * 3600 if climb else None,
        is_ramp=is_ramp,
    )


def _numbers(findings: MemoryFindings) -> dict[str, float]:
    """What was measured, for `-v`; names say the unit."""
    found: dict[str, float] = {"rows": len(findings.columns.t), "step_s": findings.columns.step_s}
    for i, x in enumerate(findings.leak.tested, 1):
        name = f"life {i}"
        found |= {
            f"{name} kendall tau": round(x.climb.tau, 3),
            f"{name} growth ratio of limit": round(x.climb.growth / findings.scale, 4),
            f"{name} tail ratio of steady": round(x.climb.tail, 3),
        }
    if findings.level is not None:
        level = findings.level
        found |= {
            "median ratio of limit": round(level.median, 3),
            "recent median ratio of limit": round(level.recent_median, 3),
            "share high, later half": round(level.high_share_later, 3),
            "share high, newest part": round(level.high_share_recent, 3),
            "times above 80 %": level.excursions,
        }
    if findings.startup is not None:
        found |= {"kills at start-up": findings.startup.early, "episodes of kills": findings.startup.episodes}
    return found
