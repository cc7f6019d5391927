"""The nine items for this incident: done with what result, still to do, or why it could not be checked.

One function an item, in the order in which a person would go. Results are a few words: the message shows nine of them below each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from receiver.diagnosis.advice.elsewhere import ELSEWHERE
from receiver.diagnosis.advice.limits_policy import is_futile
from receiver.diagnosis.advice.sizing import FIX
from receiver.diagnosis.causes.common import is_regression
from receiver.diagnosis.causes.leaf import Raise, Whose
from receiver.diagnosis.causes.leaves import leaf_of
from receiver.diagnosis.causes.settings import CEILING
from receiver.diagnosis.clues import Clues
from receiver.diagnosis.death.refusals import refusal_in
from receiver.domain.change import Change, What
from receiver.domain.confidence import UNSURE
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Cause, CauseName, CheckItem, Fix, Kill, KillKind, Proposal, Tick

DONE = "done"
TODO = "todo"
COULD_NOT_CHECK = "could_not_check"
NOT_APPLICABLE = "not_applicable"
OPEN = frozenset({TODO, COULD_NOT_CHECK})  # what a person may tick: evidence neither says that it is done nor that it does not apply

APPLY_FIX = "apply_fix"
SIGKILL_EXIT = 137  # 128 + SIGKILL
MOST_RULES = 3  # named in one line

# An item's state and the few words behind it.
Checked: TypeAlias = "tuple[str, Reason]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What the items are told from."""

    clues: Clues
    kill: Kill
    cause: Cause
    proposal: Proposal
    fix: Fix | None = None

    @property
    def has_no_pod(self) -> bool:
        """Whether this is about a node or a namespace: the container's items do not apply then."""
        return not self.clues.facts.subject.names_a_pod

    @property
    def is_not_ours(self) -> bool:
        """Whether nothing about the container's memory is to be fixed."""
        return leaf_of(self.cause.name).whose is Whose.NOBODY and self.cause.confidence > UNSURE


def checklist(clues: Clues, kill: Kill, cause: Cause, proposal: Proposal, fix: Fix | None = None) -> tuple[CheckItem, ...]:
    """The nine items in their order."""
    findings = Findings(clues=clues, kill=kill, cause=cause, proposal=proposal, fix=fix)
    return tuple(CheckItem(id=item_id, state=state, result=result) for item_id, check in ITEMS for state, result in (check(findings),))


def with_ticks(items: Sequence[CheckItem], ticks: Mapping[str, Tick], *, now: datetime) -> tuple[CheckItem, ...]:
    """The items with what people say is done, by item id. Where the evidence says it too, its result stays."""

    def seen(item: CheckItem) -> CheckItem:
        tick = ticks.get(item.id)
        if tick is None or item.state not in OPEN:
            return item
        return replace(item, state=DONE, result=reason("check.ticked", by=tick.by, at=tick.at, now=now), tick=tick)

    return tuple(seen(item) for item in items)


def _describe_pod(f: Findings) -> Checked:
    if f.has_no_pod:
        return NOT_APPLICABLE, reason("check.not_one_pod")
    pod, container = f.clues.facts.pod, f.clues.container
    if pod is None:
        return COULD_NOT_CHECK, _gap(f, "pod") or reason("check.pod_not_read")
    if pod.is_pieced_together:
        restarts = container.restart_count if container is not None else 0
        return DONE, reason(
            "check.pod_pieced_together", state=f.kill.reason or "no end seen", restarts=restarts, why=f.clues.missing_why("pod")
        )
    if pod.reason:
        return DONE, reason("check.pod_reason", reason=pod.reason, phase=pod.phase)
    if container is None:
        return DONE, reason("check.container_not_named", phase=pod.phase)
    now = container.state_reason or container.state
    died_of = "" if f.kill.is_of_child else f.kill.reason
    return DONE, reason("check.container_state", state=died_of or now, restarts=container.restart_count)


def _exit_code(f: Findings) -> Checked:
    if f.has_no_pod:
        return NOT_APPLICABLE, reason("check.not_one_container")
    if f.clues.container is None:
        return COULD_NOT_CHECK, _gap(f, "pod") or reason("check.status_not_read")
    if f.kill.is_of_child:
        return NOT_APPLICABLE, reason("check.child_died")
    if f.kill.kind is KillKind.EVICTION:
        return NOT_APPLICABLE, reason("check.evicted")
    if f.cause.detail == "refused":
        return NOT_APPLICABLE, reason("check.never_ran")
    code, named = f.kill.exit_code, f.kill.reason
    if code is None and f.kill.at is not None and not f.clues.could_ask_kubernetes:
        return COULD_NOT_CHECK, reason("check.exit_code_not_kept", reason=named)
    if code is None:
        return (COULD_NOT_CHECK, reason("check.exit_not_kept")) if f.kill.is_open_end else (NOT_APPLICABLE, reason("check.not_exited"))
    return DONE, _meaning_of_exit(f.kill, code, named)


def _meaning_of_exit(kill: Kill, code: int, named: str) -> Reason:
    if named == "OOMKilled" and code == SIGKILL_EXIT:
        return reason("check.exit_oom", exit_code=code)
    if named == "OOMKilled":
        return reason("check.exit_child_oom", exit_code=code)
    if kill.kind is KillKind.CONTAINER_OOM:
        return reason("check.exit_before_start", exit_code=code, reason=named)
    if code == SIGKILL_EXIT:
        return reason("check.exit_sigkill", exit_code=code, reason=named)
    return reason("check.exit_no_kill", exit_code=code, reason=named)


def _memory_limits(f: Findings) -> Checked:
    if f.has_no_pod:
        return NOT_APPLICABLE, reason("check.not_one_container")
    pod = f.clues.facts.pod
    if pod is None:
        if f.clues.limit_bytes is not None:
            return DONE, reason("check.limit_by_metrics", limit_bytes=f.clues.limit_bytes)
        return COULD_NOT_CHECK, _gap(f, "pod") or reason("check.pod_not_read")
    return DONE, reason(
        "check.limits", limit_bytes=f.clues.limit_bytes, request_bytes=f.clues.request_bytes, is_pod_level=f.clues.limit_is_pod_level,
        qos_class=pod.qos_class,
    )  # fmt: skip


def _previous_logs(f: Findings) -> Checked:
    if f.has_no_pod:
        return NOT_APPLICABLE, reason("check.not_one_container")
    log, signature = f.clues.facts.log, f.clues.signature
    if log is None:
        return COULD_NOT_CHECK, _gap(f, "log") or reason("check.no_log_read")
    if not log.lines:
        return DONE, reason("check.log_empty", is_current=log.is_current)
    if signature is not None:
        return DONE, reason("check.log_names", meaning=signature.meaning, is_current=log.is_current)
    if f.cause.detail == "loading" and f.clues.loading:
        return DONE, reason("check.log_ends_loading", is_current=log.is_current)
    return DONE, reason("check.log_without_error", is_current=log.is_current)


def _memory_history(f: Findings) -> Checked:
    if f.has_no_pod:
        return NOT_APPLICABLE, reason("check.not_one_container")
    history, shape = f.clues.facts.history, f.clues.shape
    if history is None:
        return COULD_NOT_CHECK, _gap(f, "history", "prometheus") or reason("check.no_prometheus")
    if not history.samples:
        return COULD_NOT_CHECK, reason("check.no_samples")
    span_s = history.samples[-1].t_s - history.samples[0].t_s
    if shape is None:
        return DONE, reason("check.history", span_s=span_s, lives=0, missing_s=0.0)
    missing_s = shape.missing_s if shape.missing_s > 2 * history.step_s else 0.0
    return DONE, reason("check.history", span_s=shape.history_s or span_s, lives=len(shape.lives), missing_s=missing_s)


def _root_cause(f: Findings) -> Checked:
    leaf = leaf_of(f.cause.name)
    is_open = leaf.name is CauseName.UNKNOWN and f.cause.detail not in leaf.verdicts
    return TODO if is_open else DONE, leaf.said(f.cause.confidence, f.cause.detail)


def _apply_fix(f: Findings) -> Checked:
    if f.cause.detail == "refused":
        return TODO, reason("check.fit_the_request") if refusal_in(f.clues) is not None else reason("check.what_refused_it")
    if f.is_not_ours:
        return NOT_APPLICABLE, reason("check.no_memory_problem")
    if leaf_of(f.cause.name).whose is Whose.NODE:
        return TODO, reason("check.limit_the_taker") if f.cause.detail == "took_the_node" else reason("check.fix_the_node")
    if f.kill.kind is KillKind.EVICTION:
        return TODO, reason("check.fix_the_volume")
    if f.fix is not None:
        return _applied(f.fix, f.fix.changes[0], is_after_kill=f.kill.kind.is_kill)
    if f.cause.detail == CEILING:
        return TODO, reason("check.change_setting", has_patch=f.proposal.none is None)
    if leaf_of(f.cause.name).a_raise is Raise.DELAYS:
        return TODO, reason("check.roll_back") if is_regression(f.cause.because) else _fix_leak(f.proposal)
    if f.cause.detail == "runtime_limit":
        return TODO, reason("check.fix_own_limit")
    if f.proposal.none is None:
        return TODO, reason("check.apply_patch") if f.proposal.role == FIX else reason("check.apply_stop_gap")
    if f.proposal.none.code in ELSEWHERE:
        return TODO, reason("check.change_elsewhere")
    if f.kill.kind is KillKind.NONE and not f.kill.is_open_end:
        return NOT_APPLICABLE, reason("check.nothing_killed")
    return TODO, reason("check.once_cause_is_known")


def _fix_leak(proposal: Proposal) -> Reason:
    if proposal.none is not None:
        return reason("check.fix_code")
    return reason("check.fix_code_raise_is_futile") if is_futile(proposal) else reason("check.fix_code_and_stop_gap")


def _applied(fix: Fix, change: Change, *, is_after_kill: bool) -> Checked:
    """What was changed since the kill: done, unless it will be undone or cannot be enough."""
    if change.what == What.RESIZE:
        return TODO, reason("check.only_one_pod", before_bytes=change.before_bytes, after_bytes=change.after_bytes)
    made = _made(change, is_after_kill=is_after_kill)
    if not fix.is_enough and fix.forecast is not None:
        return TODO, reason("check.not_enough", made=made, because=fix.forecast)
    return DONE, made


def _made(change: Change, *, is_after_kill: bool) -> Reason:
    before, after = change.before_bytes, change.after_bytes
    if change.is_of_limit and before and after and not change.is_lower:
        if is_after_kill:
            return reason("check.limit_raised", before_bytes=before, after_bytes=after)
        return reason("check.limit_raised_in_time", before_bytes=before, after_bytes=after)
    return (
        reason("check.changed_after_kill", what=change.as_reason()) if is_after_kill else reason("check.changed", what=change.as_reason())
    )


def _monitor(f: Findings) -> Checked:
    if f.is_not_ours:
        return NOT_APPLICABLE, reason("check.no_memory_problem")
    if f.fix is not None:
        is_raise = f.fix.changes[0].is_of_limit and not f.fix.changes[0].is_lower
        return TODO, reason("check.watched_since_raise") if is_raise else reason("check.watched_since_change")
    nothing_happened = f.kill.kind is KillKind.NONE and f.kill.exit_code is None
    if nothing_happened and f.proposal.none is not None and f.cause.name is CauseName.UNKNOWN:
        return NOT_APPLICABLE, reason("check.nothing_to_watch")
    return TODO, reason("check.watch_from_fix")


def _alerts_in_place(f: Findings) -> Checked:
    if f.is_not_ours:
        return NOT_APPLICABLE, reason("check.no_memory_problem")
    coverage = f.clues.facts.coverage
    if coverage is None or coverage.has_oom_rule is None or coverage.has_usage_rule is None:
        gap = _gap(f, "rules")
        return COULD_NOT_CHECK, reason("check.rules_not_listed_because", because=gap) if gap else reason("check.rules_not_listed")
    silenced = coverage.is_silenced
    match coverage.has_oom_rule, coverage.has_usage_rule:
        case True, True:
            return DONE, reason("check.rules_watch", rules=coverage.rule_names[:MOST_RULES], is_silenced=silenced)
        case True, False:
            return TODO, reason("check.no_usage_rule", is_silenced=silenced)
        case False, True:
            return TODO, reason("check.no_oom_rule", is_silenced=silenced)
        case _:
            return TODO, reason("check.no_rule", is_silenced=silenced)


ITEMS: tuple[tuple[str, Callable[[Findings], Checked]], ...] = (
    ("describe_pod", _describe_pod),
    ("exit_code", _exit_code),
    ("memory_limits", _memory_limits),
    ("previous_logs", _previous_logs),
    ("memory_history", _memory_history),
    ("root_cause", _root_cause),
    (APPLY_FIX, _apply_fix),
    ("monitor_48h", _monitor),
    ("alerts_in_place", _alerts_in_place),
)


def _gap(f: Findings, *sources: str) -> Reason | None:
    """Why the first of these sources is missing."""
    why = f.clues.missing_why(*sources)
    return reason("advice.quoted", text=why) if why else None
