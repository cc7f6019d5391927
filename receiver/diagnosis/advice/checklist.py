"""The article's nine items for this incident: done with what result, still to do, or why it could not be checked.

One function an item, in the article's order. Results are a few words: the message shows nine of them below each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from receiver.diagnosis.advice.limits_policy import is_futile
from receiver.diagnosis.causes.leaves import leaf_of
from receiver.diagnosis.clues import Clues
from receiver.domain.confidence import UNSURE
from receiver.domain.reason import Words
from receiver.domain.report import Cause, CauseName, CheckItem, Kill, KillKind, Proposal, Tick
from receiver.domain.units import human_bytes, human_duration

DONE = "done"
TODO = "todo"
COULD_NOT_CHECK = "could_not_check"
NOT_APPLICABLE = "not_applicable"
OPEN = frozenset({TODO, COULD_NOT_CHECK})  # what a person may tick: evidence neither says that it is done nor that it does not apply

APPLY_FIX = "apply_fix"


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What the items are told from."""

    clues: Clues
    kill: Kill
    cause: Cause
    proposal: Proposal

    @property
    def has_no_pod(self) -> bool:
        """Whether this is about a node or a namespace: the container's items do not apply then."""
        return not self.clues.facts.subject.names_a_pod

    @property
    def is_not_ours(self) -> bool:
        """Whether nothing about the container's memory is to be mended."""
        return self.cause.name is CauseName.NOT_MEMORY and self.cause.confidence > UNSURE


def checklist(clues: Clues, kill: Kill, cause: Cause, proposal: Proposal) -> tuple[CheckItem, ...]:
    """The nine items in the article's order."""
    findings = Findings(clues=clues, kill=kill, cause=cause, proposal=proposal)
    return tuple(
        CheckItem(id=item_id, text=text, state=state, result=result)
        for item_id, text, check in ITEMS
        for state, result in (check(findings),)
    )


def with_ticks(items: Sequence[CheckItem], ticks: Mapping[str, Tick], *, now: datetime) -> tuple[CheckItem, ...]:
    """The items with what people say is done, by item id. Where the evidence says it too, its words stay."""

    def seen(item: CheckItem) -> CheckItem:
        tick = ticks.get(item.id)
        return replace(item, state=DONE, result=tick_words(tick, now=now), tick=tick) if tick and item.state in OPEN else item

    return tuple(seen(item) for item in items)


def tick_words(tick: Tick, *, now: datetime) -> str:
    """`done by Ines, 03:40 UTC`; with the date when that is not today's."""
    by = f" by {tick.by}" if tick.by else ""
    return f"done{by}, {tick.at:{'%H:%M' if tick.at.date() == now.date() else '%Y-%m-%d %H:%M'}} UTC"


def _describe_pod(f: Findings) -> tuple[str, str]:
    if f.has_no_pod:
        return NOT_APPLICABLE, "not about one pod"
    pod, container = f.clues.facts.pod, f.clues.container
    if pod is None:
        return COULD_NOT_CHECK, _why(f, "pod") or "the pod could not be read"
    if pod.reason:
        return DONE, f"{pod.reason}, phase {pod.phase or 'unknown'}"
    if container is None:
        return DONE, f"phase {pod.phase or 'unknown'}; which container it was is not said"
    state = f.kill.reason or container.state_reason or container.state.capitalize()
    if f.kill.kind in (KillKind.CHILD_PROCESS_OOM,):
        state = container.state_reason or container.state.capitalize()
    return DONE, f"{state}, {_count(container.restart_count, 'restart')}"


def _exit_code(f: Findings) -> tuple[str, str]:
    if f.has_no_pod:
        return NOT_APPLICABLE, "not about one container"
    if f.clues.container is None:
        return COULD_NOT_CHECK, _why(f, "pod") or "the container's status could not be read"
    if f.kill.kind is KillKind.CHILD_PROCESS_OOM:
        return NOT_APPLICABLE, "a child process died, the container did not exit"
    if f.kill.kind is KillKind.EVICTION:
        return NOT_APPLICABLE, "evicted: the exit code says nothing about memory"
    code, reason = f.kill.exit_code, f.kill.reason
    if code is None:
        return NOT_APPLICABLE, "it has not exited"
    if reason == "OOMKilled":
        return DONE, f"{code}, and reason OOMKilled" if code == 137 else f"{code}, but reason OOMKilled: a child process was killed"
    if f.kill.kind is KillKind.CONTAINER_OOM:
        return DONE, f"{code}, {reason}: OOM-killed before it began"
    if code == 137:
        return DONE, f"137, but reason {reason or 'missing'}, not OOMKilled"
    return DONE, f"{code}, reason {reason or 'missing'}: not a kill"


def _memory_limits(f: Findings) -> tuple[str, str]:
    if f.has_no_pod:
        return NOT_APPLICABLE, "not about one container"
    pod = f.clues.facts.pod
    if pod is None:
        if f.clues.limit_bytes is not None:
            return DONE, f"limit {human_bytes(f.clues.limit_bytes)} by its metrics; request not known"
        return COULD_NOT_CHECK, _why(f, "pod") or "the pod could not be read"
    limit, request = f.clues.limit_bytes, f.clues.request_bytes
    if limit is None and request is None:
        text = "no limit, no request"
    else:
        text = f"{human_bytes(limit) if limit else 'no limit'} / {human_bytes(request) if request else 'no request'}"
    if f.clues.limit_is_pod_level:
        text += " for the whole pod"
    return DONE, f"{text}, {pod.qos_class}" if pod.qos_class else text


def _previous_logs(f: Findings) -> tuple[str, str]:
    if f.has_no_pod:
        return NOT_APPLICABLE, "not about one container"
    log = f.clues.facts.log
    if log is None:
        return COULD_NOT_CHECK, _why(f, "log") or "no log was read"
    whose = ", of the running container" if log.is_current else ""
    if not log.lines:
        return DONE, f"empty{whose}"
    if f.clues.signature is not None:
        return DONE, f"{f.clues.signature.meaning}{whose}"
    if f.cause.detail == "loading" and f.clues.loading:
        return DONE, f"ends while loading{whose}"
    return DONE, f"read, no memory error{whose}"


def _memory_history(f: Findings) -> tuple[str, str]:
    if f.has_no_pod:
        return NOT_APPLICABLE, "not about one container"
    history, shape = f.clues.facts.history, f.clues.shape
    if history is None:
        return COULD_NOT_CHECK, _why(f, "history", "prometheus") or "no Prometheus was asked"
    if not history.samples:
        return COULD_NOT_CHECK, "Prometheus has no samples: it lived between two scrapes, or is not scraped"
    span = shape.history_s if shape is not None and shape.history_s else history.samples[-1].t_s - history.samples[0].t_s
    parts = [human_duration(span)]
    if shape is not None and shape.lives:
        parts.append("1 life" if len(shape.lives) == 1 else f"{len(shape.lives)} lives")
    if shape is not None and shape.missing_s > 2 * history.step_s:
        parts.append(f"{human_duration(shape.missing_s)} missing")
    return DONE, ", ".join(parts)


def _root_cause(f: Findings) -> tuple[str, Words]:
    leaf = leaf_of(f.cause.name)
    is_open = leaf.name is CauseName.UNKNOWN and f.cause.detail not in leaf.verdicts
    return TODO if is_open else DONE, leaf.said(f.cause.confidence, f.cause.detail)


def _apply_fix(f: Findings) -> tuple[str, str]:
    if f.is_not_ours:
        return NOT_APPLICABLE, "not a memory problem"
    if f.cause.name is CauseName.NODE_PRESSURE:
        return TODO, "yours: what filled the node, not this limit"
    applied = _limit_raised_since(f)
    if applied:
        return DONE, applied
    if f.cause.name is CauseName.LEAK:
        if f.proposal.none:
            return TODO, "yours: code"
        return TODO, "yours: code; a higher limit hardly lasts" if is_futile(f.proposal) else "yours: code; stop-gap patch below"
    if f.cause.detail == "runtime_limit":
        return TODO, "yours: its own limit, or its code"
    if not f.proposal.none:
        return TODO, "yours: patch below" if f.proposal.role == "fix" else "yours: stop-gap patch below"
    if f.kill.kind is KillKind.NONE:
        return NOT_APPLICABLE, "nothing was killed"
    return TODO, "yours: once the cause is known"


def _limit_raised_since(f: Findings) -> str:
    """A rollout after the kill that raised the limit, in words; else empty."""
    newest = next((r for r in f.clues.raises if f.kill.at is not None and r.at > f.kill.at), None)
    return f"limit raised {human_bytes(newest.before_bytes)} to {human_bytes(newest.after_bytes)} after the kill" if newest else ""


def _monitor(f: Findings) -> tuple[str, str]:
    if f.is_not_ours:
        return NOT_APPLICABLE, "not a memory problem"
    if _limit_raised_since(f):
        return TODO, "runs since the raise"
    if f.kill.kind is KillKind.NONE and f.kill.exit_code is None and f.proposal.none and f.cause.name is CauseName.UNKNOWN:
        return NOT_APPLICABLE, "nothing to watch but the next alert"
    return TODO, "starts with the fix"


def _alerts_in_place(f: Findings) -> tuple[str, str]:
    if f.is_not_ours:
        return NOT_APPLICABLE, "not a memory problem"
    coverage = f.clues.facts.coverage
    why = _why(f, "rules")
    if coverage is None or coverage.has_oom_rule is None or coverage.has_usage_rule is None:
        return COULD_NOT_CHECK, f"could not list rules: {why}" if why else "rules were not listed"
    silenced = "; silenced now" if coverage.is_silenced else ""
    match coverage.has_oom_rule, coverage.has_usage_rule:
        case True, True:
            return DONE, (", ".join(coverage.rule_names[:3]) or "OOM and use of the limit are watched") + silenced
        case True, False:
            return TODO, f"no rule watches use of the limit{silenced}"
        case False, True:
            return TODO, f"no rule watches OOM kills{silenced}"
        case _:
            return TODO, f"no rule watches this container's memory{silenced}"


ITEMS: tuple[tuple[str, str, Callable[[Findings], tuple[str, Words]]], ...] = (
    ("describe_pod", "Describe the pod", _describe_pod),
    ("exit_code", "Exit code", _exit_code),
    ("memory_limits", "Limit and request", _memory_limits),
    ("previous_logs", "Log before the kill", _previous_logs),
    ("memory_history", "Memory history", _memory_history),
    ("root_cause", "Root cause", _root_cause),
    (APPLY_FIX, "Apply the fix", _apply_fix),
    ("monitor_48h", "Watch 48 h", _monitor),
    ("alerts_in_place", "Alerts in place", _alerts_in_place),
)


def _why(f: Findings, *sources: str) -> str:
    return f.clues.missing_why(*sources)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
