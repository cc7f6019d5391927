"""A fix that was made: what was changed since the kill, and what the same verdict expects of it. Pure.

It is said at once when a change cannot help: a limit below what is needed, a heap that is allowed more than the limit, more
replicas of what leaks. Whether it did help shows later: follow_up.py.
"""

from __future__ import annotations

from dataclasses import replace

from receiver.diagnosis.advice import limits_policy as policy
from receiver.diagnosis.advice.changes import changes_of
from receiver.diagnosis.advice.demand import lasts_h
from receiver.diagnosis.advice.sizing import least_need_bytes
from receiver.diagnosis.causes.leaf import Raise, Whose
from receiver.diagnosis.causes.leaves import leaf_of
from receiver.diagnosis.clues import Clues, newest_sibling
from receiver.diagnosis.log.ceilings import allowance_of
from receiver.domain.change import Baseline, Change, What
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Cause, Fix, Kill, KillKind
from receiver.domain.tidy import tidy_up


def fix_of(clues: Clues, kill: Kill, cause: Cause, baseline: Baseline) -> Fix | None:
    """The fix since the newest kill; None where nothing was changed."""
    changes = changes_of(clues, baseline)
    if not changes:
        return None
    forecast, is_enough = _forecast(clues, kill, cause, changes, baseline)
    return Fix(
        changes=changes, at=max(c.at for c in changes), forecast=forecast, is_enough=is_enough, pods=_pods(clues, changes),
        lasts_s=_lasts_s(clues, cause, changes, baseline),
    )  # fmt: skip


def limit_change(changes: tuple[Change, ...]) -> Change | None:
    """The change of the limit among them: of the template before that of a pod."""
    return next((c for c in changes if c.is_of_limit), None)


def _forecast(
    clues: Clues, kill: Kill, cause: Cause, changes: tuple[Change, ...], baseline: Baseline
) -> tuple[Reason | None, bool]:  # fmt: skip
    """What the verdict expects of it, and whether it can be enough."""
    limit = limit_change(changes)
    if limit is not None and limit.after_bytes is not None and leaf_of(cause.name).whose is Whose.CONTAINER:
        return _of_limit(clues, kill, cause, changes, baseline)
    if all(c.what == What.RESTART for c in changes):
        return reason("fix.forecast.restart"), False
    is_spread_only = all(c.what in (What.HPA, What.REPLICAS) for c in changes)
    if is_spread_only and cause.detail != "traffic" and leaf_of(cause.name).a_raise is Raise.DELAYS:
        return reason("fix.forecast.replicas_of_a_leak"), False
    if is_spread_only and cause.name.value == "startup":
        return reason("fix.forecast.replicas_at_startup"), False
    return None, True


def _of_limit(
    clues: Clues, kill: Kill, cause: Cause, changes: tuple[Change, ...], baseline: Baseline
) -> tuple[Reason | None, bool]:  # fmt: skip
    change = limit_change(changes)
    assert change is not None
    limit = change.after_bytes or 0
    allowed = allowance_of(clues.settings, limit) if not any(c.what == What.FLAGS for c in changes) else None
    if allowed is not None and allowed.covering_bytes is not None and not allowed.decides[0].row.is_soft and allowed.allows_bytes >= limit:
        return reason("fix.forecast.heap_above", flag=allowed.decides[0].quoted, heap_bytes=allowed.allows_bytes, limit_bytes=limit), False
    if change.is_lower:
        return reason("fix.forecast.lowered", before_bytes=change.before_bytes, limit_bytes=limit), False
    if kill.kind is KillKind.NONE and leaf_of(cause.name).a_raise is not Raise.DELAYS:
        return None, True
    then = _at_the_kill(clues, baseline)
    if leaf_of(cause.name).a_raise is Raise.DELAYS:
        lasts_s = (lasts_h(then, limit) or 0.0) * 3600
        if not lasts_s:
            return reason("fix.forecast.only_delays"), True
        return reason("fix.forecast.delays", limit_bytes=limit, lasts_s=lasts_s), lasts_s >= policy.STOP_GAP_MIN_S
    need = least_need_bytes(then, cause)
    if limit < need:
        need = tidy_up(need)
        return reason("fix.forecast.below_need", limit_bytes=limit, need_bytes=need), False
    return None, True


def _lasts_s(clues: Clues, cause: Cause, changes: tuple[Change, ...], baseline: Baseline) -> float | None:
    """How long a life lasts under the new limit, where the limit only delays."""
    change = limit_change(changes)
    if change is None or not change.after_bytes or change.is_lower or leaf_of(cause.name).a_raise is not Raise.DELAYS:
        return None
    found = lasts_h(_at_the_kill(clues, baseline), change.after_bytes)
    return found * 3600 if found else None


def _at_the_kill(clues: Clues, baseline: Baseline) -> Clues:
    """The same clues with the limit that it died at: what was needed is measured against that one."""
    return replace(clues, limit_bytes=baseline.setup.limit_bytes or clues.limit_bytes, raises=())


def _pods(clues: Clues, changes: tuple[Change, ...]) -> Reason | None:
    """How far the pods have it: of those there shall be, how many are of the newest template and run."""
    workload = clues.facts.workload
    rollout = workload.rollout if workload is not None else None
    if rollout is None or not any(c.is_in_template and c.what in (What.LIMIT, What.IMAGE, What.FLAGS, What.RESTART) for c in changes):
        return None
    if not rollout.is_complete:
        return reason("fix.rolling_out", updated=min(rollout.updated, rollout.desired), desired=rollout.desired)
    now = newest_sibling(clues.facts)
    return reason("fix.rolled_out", desired=rollout.desired, limit_bytes=now.limit_bytes if now is not None else None)
