"""The workload's other pods as witnesses: all replicas grow, one alone, only those of a new rollout, or all peak at the same time.

A leak is in the code that every replica runs; what one pod alone does is its share of the data or the traffic. Lives are compared
at equal age, because a fresh process grows faster than a settled one; lives too short to show a shape (crash loops) say nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from receiver.diagnosis.memory import stats
from receiver.diagnosis.memory import thresholds as th
from receiver.diagnosis.memory.pace import climb_of_points, pace_of
from receiver.diagnosis.memory.witness import Witness
from receiver.domain.facts import Revision
from receiver.domain.reason import Fact, Reason, reason
from receiver.domain.replicas import Points, ReplicaLife, Replicas
from receiver.domain.report import CauseName

LEAK, SPIKE, LIMIT, UNKNOWN = CauseName.LEAK, CauseName.SPIKE, CauseName.LIMIT_TOO_LOW, CauseName.UNKNOWN

REGRESSION = ("replicas.new_image_grows", "replicas.new_rollout_grows")  # name the rollout that growth began with
SHARED = (*REGRESSION, "replicas.grow_alike", "replicas.grow_alike_per_request", "replicas.older_grow_on")  # others grow as well
ALONE = ("replicas.alone", "replicas.busier_alone")
GROWS, STANDS = 0.4, 0.2  # x this pod's growth at the same age: grows as well; does not grow
ALIKE = 0.8  # of the replicas that could be compared
LONGER = 1.5  # x the age of this life: a replica that saw what comes after
ENOUGH = 3  # replicas that say the same: more add nothing
SAME_PER_REQUEST = 1.5  # highest over lowest growth per request: equal
SURPASSES = 0.05  # of the limit, above where the rollout before ever stood
PEAK = 0.15  # of the limit, above the usual level: less is no peak
RARE = 0.3  # of the time: what is there more often is a level
MIN_PEAK_ROWS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """A life that is long enough."""

    life: ReplicaLife
    points: Points  # start-up left out

    @property
    def length_s(self) -> float:
        return self.points[-1][0] - self.points[0][0]

    @property
    def overall(self) -> float:
        """Growth over all of it, bytes a second."""
        return pace_of(self.points, self.points[0][0], self.points[-1][0])

    def pace(self, since_s: float, until_s: float) -> float:
        """Growth between two ages, bytes a second."""
        begin = self.life.start_s if self.life.start_s is not None else self.points[0][0]
        return pace_of(self.points, begin + since_s, begin + until_s)


def replica_witnesses(
    replicas: Replicas | None, *, pod: str, container: str, scale: float, revisions: Sequence[Revision]
) -> tuple[Witness, ...]:
    """What the others say about the memory of `pod`; nothing where there is one, or where they cannot be compared."""
    if replicas is None or scale <= 0:
        return ()
    runs = [run for life in replicas.lives if (run := _run(life, scale)) is not None]
    own = max((r for r in runs if r.life.pod == pod), key=lambda r: r.length_s, default=None)
    if own is None:
        return ()
    climb = climb_of_points(own.points, scale)
    if climb is None or not (climb.rises or climb.growth >= th.FIRST_GROWTH * scale):
        return _peak_together(replicas.peaks, pod, scale)
    mates = [r for r in runs if r.life.pod != pod and r.life.revision == own.life.revision]
    before = _of_rollout_before(own, runs, revisions)
    regression = _regression(own, mates, before, scale=scale, container=container, revisions=revisions)
    return (*_alike_or_alone(own, mates, replicas.rates), *_older(own, mates), *regression)


def _run(life: ReplicaLife, scale: float) -> _Run | None:
    skip_s = th.STARTUP_SKIP_S if life.start_s is not None else 0.0
    points = tuple(p for p in life.floors if p[0] >= (life.start_s or 0.0) + skip_s)
    if any(b < th.FALL_SHARE * a for (_, a), (_, b) in pairwise(points)):
        return None  # several lives that no label tells apart
    return _Run(life=life, points=points) if len(points) >= th.MIN_BINS and points[-1][0] - points[0][0] >= th.MIN_CLIMBED_S else None


# At equal age


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beside:
    """Another life beside this pod's: both paces over the ages that both were seen at, bytes a second."""

    run: _Run
    pace: float
    own_pace: float

    @property
    def grows(self) -> bool:
        return self.own_pace > 0 and self.pace >= GROWS * self.own_pace

    @property
    def stands(self) -> bool:
        return self.own_pace > 0 and self.pace <= STANDS * self.own_pace


def _beside(own: _Run, other: _Run) -> _Beside | None:
    """None when they were not seen at the same ages. Two lives that both began before what was asked are old alike."""
    if (own.life.start_s is None) != (other.life.start_s is None):
        return None
    if own.life.start_s is None:
        since_s, until_s = max(own.points[0][0], other.points[0][0]), min(own.points[-1][0], other.points[-1][0])
        if until_s - since_s < max(th.MIN_CLIMBED_S, own.length_s / 2):
            return None
        paces = [r.pace(since_s - r.points[0][0], until_s - r.points[0][0]) for r in (own, other)]
    else:
        until_s = min(own.length_s, other.length_s)
        if until_s < max(th.MIN_CLIMBED_S, own.length_s / 2):
            return None
        paces = [r.pace(th.STARTUP_SKIP_S, th.STARTUP_SKIP_S + until_s) for r in (own, other)]
    return _Beside(run=other, own_pace=paces[0], pace=paces[1])


def _compared(own: _Run, others: Sequence[_Run]) -> list[_Beside]:
    """The longest life of each other pod that can be compared."""
    by_pod: dict[str, _Beside] = {}
    for run in sorted(others, key=lambda r: r.length_s):
        if (found := _beside(own, run)) is not None:
            by_pod[run.life.pod] = found
    return list(by_pod.values())


Found: TypeAlias = tuple[Witness, ...]


def _alike_or_alone(own: _Run, mates: Sequence[_Run], rates: Mapping[str, float]) -> Found:
    beside = _compared(own, mates)
    grow, stand = [b for b in beside if b.grows], [b for b in beside if b.stands]
    if beside and len(grow) >= ALIKE * len(beside):
        paces = sorted((*(b.pace for b in grow), own.pace(th.STARTUP_SKIP_S, th.STARTUP_SKIP_S + own.length_s)))
        range_per_h = (paces[0] * 3600, paces[-1] * 3600)
        facts: dict[str, Fact] = {"growing": len(grow), "compared": len(beside), "growth_bytes_per_h": range_per_h}
        is_equal = _is_equal_per_request(own, grow, rates)
        told = reason("replicas.grow_alike_per_request", **facts) if is_equal else reason("replicas.grow_alike", **facts)
        weights = {LEAK: 1.1, SPIKE: -0.7} if is_equal else {LEAK: 0.8, SPIKE: -0.6}
        return (_witness(reason("memory.piece.replicas_alike", **facts), told, len(grow) / ENOUGH, weights),)
    if len(stand) >= 2 and len(stand) >= ALIKE * len(beside):
        own_per_h = stats.median([b.own_pace for b in stand]) * 3600
        facts = {"standing": len(stand), "compared": len(beside), "growth_bytes_per_h": own_per_h}
        busier = _times_busier(own, stand, rates)
        told = reason("replicas.busier_alone", busier_ratio=busier, **facts) if busier else reason("replicas.alone", **facts)
        return (
            _witness(
                reason("memory.piece.replica_alone", **facts),
                told,
                len(stand) / ENOUGH,
                {LEAK: -0.6, SPIKE: 0.2},
                advice=("find_hot_replica",),
            ),
        )
    return ()


def _is_equal_per_request(own: _Run, grow: Sequence[_Beside], rates: Mapping[str, float]) -> bool:
    own_rate = rates.get(own.life.pod, 0.0)
    ratios = [1.0, *(b.pace / b.own_pace * own_rate / rate for b in grow if (rate := rates.get(b.run.life.pod, 0.0)) > 0)]
    return own_rate > 0 and len(ratios) > 1 and max(ratios) <= SAME_PER_REQUEST * min(ratios)


def _times_busier(own: _Run, stand: Sequence[_Beside], rates: Mapping[str, float]) -> float | None:
    """How many times the others' requests this pod gets, where that is clearly more."""
    others = [rates[b.run.life.pod] for b in stand if b.run.life.pod in rates]
    own_rate, usual = rates.get(own.life.pod, 0.0), stats.median(others) if others else 0.0
    return own_rate / usual if usual > 0 and own_rate >= SAME_PER_REQUEST * usual else None


def _older(own: _Run, mates: Sequence[_Run]) -> Found:
    """What replicas do that are older than this life: still growing is no warm-up, levelled off is one."""
    if own.life.start_s is None:
        return ()
    own_pace = own.pace(th.STARTUP_SKIP_S, th.STARTUP_SKIP_S + own.length_s)
    goes_on, levelled = [], []
    for run in mates:
        began_s = run.life.start_s if run.life.start_s is not None else run.points[0][0]
        past_s = own.length_s if run.life.start_s is not None else 0.0
        if run.points[-1][0] - began_s < max(LONGER * own.length_s, past_s + th.MIN_CLIMBED_S):
            continue
        pace = run.pace(past_s, run.points[-1][0] - began_s)
        if pace >= GROWS * own_pace:
            goes_on.append(run)
        elif pace <= STANDS * own_pace / 2 and run.life.start_s is not None and run.overall > 0:
            levelled.append(run)
    age_s = max((r.length_s for r in (*goes_on, *levelled)), default=0.0)
    if goes_on and len(goes_on) >= ALIKE * len((*goes_on, *levelled)):
        facts = {"replicas": len(goes_on), "age_s": age_s}
        found = reason("replicas.older_grow_on", **facts)
        weights = {LEAK: 1.2, UNKNOWN: -0.4}
        return (_witness(reason("memory.piece.replicas_older_grow", **facts), found, len(goes_on) / 2, weights, is_past_warm_up=True),)
    if levelled and not goes_on:
        facts = {"replicas": len(levelled), "age_s": age_s}
        found = reason("replicas.older_levelled", **facts)
        return (_witness(reason("memory.piece.replicas_older_level", **facts), found, len(levelled) / 2, {LEAK: -1.2, UNKNOWN: 0.6}),)
    return ()


# Rollouts


def _of_rollout_before(own: _Run, runs: Sequence[_Run], revisions: Sequence[Revision]) -> list[_Run]:
    """The lives of the newest rollout before this pod's that has any."""
    began = {r.name: r.created_at.timestamp() for r in revisions if r.created_at is not None}
    mine = began.get(own.life.revision)
    older = [r for r in runs if mine is not None and began.get(r.life.revision, mine) < mine]
    newest = max((began[r.life.revision] for r in older), default=0.0)
    return [r for r in older if began[r.life.revision] == newest]


def _regression(
    own: _Run, mates: Sequence[_Run], before: Sequence[_Run], *, scale: float, container: str, revisions: Sequence[Revision]
) -> Found:
    """Only the new rollout's pods grow. A life of the one before of unknown age counts where this one has grown past all that it had."""
    old = _compared(own, before)
    aged = [r for r in before if _beside(own, r) is None and r.length_s >= own.length_s and r.overall <= STANDS * own.overall]
    surpassed = [r for r in aged if own.points[-1][1] >= max(v for _, v in r.points) + SURPASSES * scale]
    standing = [*(b.run for b in old if b.stands), *surpassed]
    new = _compared(own, mates)
    if not standing or any(b.grows for b in old) or any(b.stands for b in new):
        return ()
    facts = {
        "new": len([b for b in new if b.grows]) + 1, "old": len(standing),
        "growth_bytes_per_h": own.overall * 3600, "growth_before_bytes_per_h": max(stats.median([r.overall for r in standing]), 0.0) * 3600,
    }  # fmt: skip
    told = _named(own.life.revision, standing[0].life.revision, container, {r.name: r for r in revisions}, facts)
    strength = 0.5 + len(standing) / (2 * ENOUGH)
    return (
        _witness(
            reason("memory.piece.revision_grows", **facts), told, strength, {LEAK: 1.2, LIMIT: -0.3, UNKNOWN: -0.3},
            advice=("compare_revisions",), is_past_warm_up=bool(surpassed) or own.length_s >= th.FIRST_LIFE_SURE_S,
        ),
    )  # fmt: skip


def _named(new: str, old: str, container: str, known: Mapping[str, Revision], facts: Mapping[str, Fact]) -> Reason:
    """By both images where they differ, else by the rollouts' names."""
    image, image_before = (known[name].images.get(container, "") if name in known else "" for name in (new, old))
    if image and image_before and image != image_before:
        return reason("replicas.new_image_grows", image=image, image_before=image_before, **facts)
    return reason("replicas.new_rollout_grows", rollout=new, rollout_before=old, **facts)


# Peaks


def _peak_together(peaks: Mapping[str, Points], pod: str, scale: float) -> Found:
    """Whether others are high when this pod is, and usually are not."""
    own = _high(peaks.get(pod, ()), scale)
    if not own or not any(own.values()):
        return ()
    together, compared = 0, 0
    for name, points in peaks.items():
        other = _high(points, scale)
        shared = [t for t, is_high in own.items() if is_high and t in other]
        if name == pod or not other or len(shared) < max(1, sum(own.values()) / 2):
            continue
        compared += 1
        together += sum(other[t] for t in shared) >= 0.6 * len(shared)
    if compared < 2 or together < ALIKE * compared:
        return ()
    facts = {"together": together, "compared": compared}
    told = reason("replicas.peak_together", **facts)
    return (_witness(reason("memory.piece.replicas_together", **facts), told, together / ENOUGH, {SPIKE: 0.9, LEAK: -0.7}),)


def _high(points: Points, scale: float) -> dict[float, bool]:
    """Which steps stand out above the usual level; nothing where none does, or too many to be peaks."""
    if len(points) < MIN_PEAK_ROWS:
        return {}
    values = [v for _, v in points]
    usual, top = stats.median(values), max(values)
    mark = usual + max((top - usual) / 2, PEAK * scale)
    found = {t: v >= mark for t, v in points}
    return found if top - usual >= PEAK * scale and sum(found.values()) <= RARE * len(found) else dict.fromkeys(found, False)


def _witness(
    piece: Reason, told: Reason, strength: float, weights: Mapping[CauseName, float], *,
    advice: tuple[str, ...] = (), is_past_warm_up: bool = False,
) -> Witness:  # fmt: skip
    share = min(max(strength, 0.0), 1.0)
    return Witness(piece=piece, told=told, strength=share, weights=weights, advice=advice, is_past_warm_up=is_past_warm_up)
