"""What was seen, as pieces of evidence: each has a strength between 0 and 1 (log-odds of growth: in units of 2) and speaks for
or against causes with the weight of `odds.CAUSES`. The weights add up; nothing vetoes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from receiver.diagnosis.memory import odds, stats
from receiver.diagnosis.memory import thresholds as th
from receiver.diagnosis.memory.findings import MemoryFindings
from receiver.diagnosis.memory.leak import LeakFinding
from receiver.diagnosis.memory.witness import Witness
from receiver.domain.reason import Reason, reason
from receiver.domain.report import CauseName

PIECES: Mapping[str, Reason] = {
    "climb": reason("memory.piece.climb"),
    "climb_many": reason("memory.piece.climb_many"),
    "climb_quiet": reason("memory.piece.climb_quiet"),
    "climb_young": reason("memory.piece.climb_young"),
    "since": reason("memory.piece.since"),
    "since_only": reason("memory.piece.since_only"),
    "kills": reason("memory.piece.kills"),
    "kills_from_below": reason("memory.piece.kills_from_below"),
    "peaks_over_low": reason("memory.piece.peaks_over_low"),
    "peaks_again": reason("memory.piece.peaks_again"),
    "came_back": reason("memory.piece.came_back"),
    "traffic": reason("memory.piece.traffic"),
    "high_half": reason("memory.piece.high_half"),
    "high_lately": reason("memory.piece.high_lately"),
    "stands": reason("memory.piece.stands"),
    "quiet": reason("memory.piece.quiet"),
    "start": reason("memory.piece.start"),
    "start_seen": reason("memory.piece.start_seen"),
    "start_many": reason("memory.piece.start_many"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Strength of each piece that was seen, and what all of them together make of each cause (adds up to 1)."""

    strengths: Mapping[str, float]
    probability: Mapping[CauseName, float]

    @property
    def likeliest(self) -> CauseName:
        """The cause that most speaks for."""
        return max(self.probability, key=self.probability.__getitem__)


def judge(findings: MemoryFindings) -> Judgement:
    """All pieces, weighed."""
    seen = strengths_of(findings)
    scores = dict(odds.CAUSE_BASE)
    for name, strength in seen.items():
        for cause, weight in odds.CAUSES[name].items():
            scores[cause] += weight * strength
    for witness in findings.witnesses:
        for cause, weight in witness.weights.items():
            scores[cause] += weight * witness.strength
    top = max(scores.values())
    shares = {cause: math.exp(score - top) for cause, score in scores.items()}
    total = sum(shares.values())
    return Judgement(strengths=seen, probability={cause: share / total for cause, share in shares.items()})


def reasons_of(judgement: Judgement, leak: LeakFinding, witnesses: Sequence[Witness]) -> tuple[Reason, ...]:
    """Each piece with its strength and its log-odds per cause, the weightiest first; then what each life said. For `-v`."""
    pieces = [(PIECES[name], strength, odds.CAUSES[name]) for name, strength in judgement.strengths.items()]
    pieces += [(w.piece, w.strength, w.weights) for w in witnesses]
    weighed = [
        reason(
            "memory.evidence", what=what, strength=round(strength, 2),
            log_odds=tuple((cause.value, round(weight * strength, 2)) for cause, weight in weights.items()),
        )
        for what, strength, weights in sorted(pieces, key=lambda piece: -max(abs(w * piece[1]) for w in piece[2].values()))
    ]  # fmt: skip
    lives = [
        reason(
            "memory.life_evidence", life=number, life_s=life.length_s, total=round(life.climb.odds, 2), base=odds.LIFE_BASE,
            log_odds=tuple((n, round(w * s, 2)) for (n, w), s in zip(odds.LIFE.items(), life.climb.strengths, strict=True) if s),
        )
        for number, life in list(enumerate(leak.tested, 1))[-th.LIVES_SHOWN:]
    ]  # fmt: skip
    return (*weighed, *lives)


def strengths_of(findings: MemoryFindings) -> dict[str, float]:
    """The pieces that were seen; those of strength 0 are left out."""
    pieces = {**_growth(findings), **_kills_and_peaks(findings), **_level(findings), **_start(findings)}
    return {name: strength for name, strength in pieces.items() if strength}


def _growth(findings: MemoryFindings) -> dict[str, float]:
    leak = findings.leak
    up = max(leak.odds, 0.0) / 2
    since = -2.0 if leak.odds_since is None else min(max(leak.odds_since, -2.0), 3.0)
    return {
        "climb": leak.odds / 2,
        "climb_many": max(leak.odds, -2.0) / 2 * min(1.0, (len(leak.tested) - 1) / 3) if len(leak.tested) > 1 else 0.0,
        "climb_quiet": up * _quiet(findings),
        "climb_young": up * (1 - stats.share(math.log2(max(leak.climbed_s, th.BRIEF_S) / th.BRIEF_S), 0.0, 3.5)),
        "since": since / 2,
        "since_only": stats.share((leak.odds_since or 0.0) - leak.odds, 0.0, 4.0) * 2 if since > 0 else 0.0,
    }


def _quiet(findings: MemoryFindings) -> float:
    """How sure it is that nothing came near the limit."""
    if findings.lives.kills:
        return 0.0
    return 1.0 if findings.level is None else stats.share(0.8 - findings.level.peak_settled, 0.0, 0.1)


def _kills_and_peaks(findings: MemoryFindings) -> dict[str, float]:
    level, kills = findings.level, findings.lives.kills
    found = {"kills": 1.0 if kills else 0.0, "quiet": _quiet(findings)}
    if findings.room_at_kills is not None:
        found["kills_from_below"] = stats.share(findings.room_at_kills, 0.2, 0.6)
    if level is None:
        return found
    low = stats.share(0.75 - min(level.median, level.recent_median), 0.0, 0.25)
    peaks = 1.0 if kills else stats.share(level.peak, 0.75, 0.81)
    follows = stats.share(level.rate_correlation or 0.0, 0.4, 0.8) * stats.share(level.reach, 0.1, 0.3)
    return {
        **found,
        "peaks_over_low": peaks * low,
        "peaks_again": stats.share(math.log2(1 + max(level.excursions, findings.episodes)), 0.0, 2.5) * low,
        "came_back": low if level.excursions and level.recent_median < 0.6 and not level.is_high_now else 0.0,
        "traffic": follows * peaks * low,
    }


def _level(findings: MemoryFindings) -> dict[str, float]:
    level = findings.level
    if level is None:
        return {}
    return {
        "high_half": stats.share(level.high_share_later, 0.3, 0.8) * stats.share(level.p10_later, 0.55, 0.7),
        "high_lately": stats.share(level.high_share_recent, 0.5, 0.9) * stats.share(level.p10_recent, 0.65, 0.75),
        "stands": stats.share(math.log2(1 + level.stood_s / 600), 0.0, 4.5) if level.is_high_now else 0.0,
    }


def _start(findings: MemoryFindings) -> dict[str, float]:
    startup = findings.killed_at_start
    if startup is None:
        return {}
    start = stats.share(startup.early / startup.total, 0.3, 0.7)
    return {
        "start": start,
        "start_seen": start if startup.is_visible else 0.0,
        "start_many": start * stats.share(math.log2(startup.early + 1), 0.0, 3.0),
    }
