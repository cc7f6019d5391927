"""Which message an incident gets: one root template a kind."""

from __future__ import annotations

from enum import StrEnum

from receiver.domain.confidence import PLAUSIBLE
from receiver.domain.report import CauseName, KillKind, Report
from receiver.render.memory import limit_of

HIGH_USE = 0.7  # of the limit: below it, an alert that is not about memory is passed on rather than called a memory warning


class RootKind(StrEnum):
    """The kinds of root message; each is a template `root/KIND.j2`."""

    LEAK = "leak"
    LIMIT_TOO_LOW = "limit_too_low"
    SPIKE = "spike"
    STARTUP = "startup"
    UNCLEAR = "unclear"
    CHILD = "child"
    OWN_LIMIT = "own_limit"
    NOT_OOM = "not_oom"
    WARNING = "warning"
    FILE_CACHE = "file_cache"
    NODE = "node"
    UNKNOWN = "unknown"


# Nobody is called out of bed for these: nothing to do, or nothing was killed.
WITHOUT_MENTION = frozenset({RootKind.NOT_OOM, RootKind.FILE_CACHE, RootKind.WARNING})

_BY_CAUSE = {
    CauseName.LEAK: RootKind.LEAK,
    CauseName.LIMIT_TOO_LOW: RootKind.LIMIT_TOO_LOW,
    CauseName.SPIKE: RootKind.SPIKE,
    CauseName.STARTUP: RootKind.STARTUP,
}


def kind_of(report: Report | None, *, is_memory_alert: bool) -> RootKind:
    """The message that fits. A verdict below 0.6 is not named in a header: such a kill is `unclear`."""
    if report is None:
        return RootKind.UNKNOWN
    kill, cause = report.kill.kind, report.cause
    if kill in (KillKind.EVICTION, KillKind.NODE_OOM) or (cause.name is CauseName.NODE_PRESSURE and kill is not KillKind.CHILD_PROCESS_OOM):
        return RootKind.NODE
    if kill is KillKind.CHILD_PROCESS_OOM:
        return RootKind.CHILD
    if kill is KillKind.SIGKILL_NOT_OOM or cause.name is CauseName.NOT_MEMORY:
        return RootKind.NOT_OOM
    if kill in (KillKind.CONTAINER_OOM, KillKind.SUSPECTED_OOM):
        return _BY_CAUSE.get(cause.name, RootKind.UNCLEAR) if cause.confidence >= PLAUSIBLE else RootKind.UNCLEAR
    return _without_kill(report, is_memory_alert=is_memory_alert)


def _without_kill(report: Report, *, is_memory_alert: bool) -> RootKind:
    shape = report.shape
    limit = limit_of(report.facts, shape, report.subject.container)
    current = shape.current_bytes if shape and shape.current_bytes is not None else report.facts.usage_bytes
    if report.cause.detail == "runtime_limit" and report.signature is not None:
        return RootKind.OWN_LIMIT
    if report.cause.detail == "page_cache" or (shape is not None and shape.detail == "page_cache"):
        return RootKind.FILE_CACHE
    if current is not None and (is_memory_alert or (limit and current / limit >= HIGH_USE)):
        return RootKind.WARNING
    return RootKind.UNKNOWN
