"""Which message an incident gets: one root template a kind, `root/KIND.j2`. The kinds of the leaves are named by their records."""

from __future__ import annotations

from receiver.diagnosis.causes.leaf import Leaf, Whose
from receiver.diagnosis.causes.leaves import LEAVES, leaf_of
from receiver.diagnosis.causes.settings import CEILING, OWN_MAXIMUM
from receiver.diagnosis.causes.startup import REFUSES
from receiver.domain.confidence import PLAUSIBLE
from receiver.domain.report import CauseName, KillKind, Report
from receiver.render.context.memory import limit_of

HIGH_USE = 0.7  # of the limit: below it, an alert that is not about memory is passed on rather than called a memory warning

CHILD = "child"
OWN_LIMIT = "own_limit"
VOLUME = "volume"
WARNING = "warning"
FILE_CACHE = "file_cache"
ELSEWHERE = "elsewhere"  # the log names memory that is not the container's
ENDED = "ended"  # how it ended was seen, or not even that, and why is open
UNKNOWN = "unknown"

KINDS = frozenset({CEILING, CHILD, OWN_LIMIT, VOLUME, WARNING, FILE_CACHE, ELSEWHERE, ENDED, UNKNOWN, *(leaf.root for leaf in LEAVES)})
ABOUT_THE_NODE = frozenset(leaf.root for leaf in LEAVES if leaf.whose is Whose.NODE)
# Nobody is called out of bed for these: nothing to do, or nothing was killed.
WITHOUT_MENTION = frozenset({FILE_CACHE, WARNING, ENDED, *(leaf.root for leaf in LEAVES if leaf.whose is Whose.NOBODY)})

_UNCLEAR = leaf_of(CauseName.UNKNOWN)
_OF_THE_NODE = leaf_of(CauseName.NODE_PRESSURE)
_NOT_OURS = leaf_of(CauseName.NOT_MEMORY)


def kind_of(report: Report | None, *, is_memory_alert: bool) -> str:
    """The message that fits: the name of a root template."""
    if report is None:
        return UNKNOWN
    if report.kill.is_of_child:
        return CHILD
    if report.kill.kind is KillKind.EVICTION and leaf_of(report.cause.name).whose is Whose.CONTAINER:
        return VOLUME
    if report.cause.name is CauseName.NOT_MEMORY and report.cause.detail in _NOT_OURS.verdicts and report.signature is not None:
        return ELSEWHERE
    if report.cause.detail == CEILING and report.kill.kind in (KillKind.CONTAINER_OOM, KillKind.SUSPECTED_OOM):
        return CEILING
    if report.cause.detail == OWN_MAXIMUM and report.kill.kind is KillKind.SIGKILL_NOT_OOM and report.signature is not None:
        return OWN_LIMIT  # killed by its own handler
    leaf = _told_by(report)
    return leaf.root if leaf is not None else _without_kill(report, is_memory_alert=is_memory_alert)


def _told_by(report: Report) -> Leaf | None:
    """The leaf whose message tells the report; None when nothing was killed. One that is not plausible is not named: `unknown`."""
    kill, leaf = report.kill.kind, leaf_of(report.cause.name)
    is_plausible = report.cause.confidence >= PLAUSIBLE
    if leaf.whose is Whose.NODE:
        return leaf if is_plausible else _OF_THE_NODE
    if leaf.whose is Whose.NOBODY:
        return leaf
    if kill in (KillKind.EVICTION, KillKind.NODE_OOM):
        return _OF_THE_NODE
    if kill is KillKind.SIGKILL_NOT_OOM:
        return _NOT_OURS
    if kill in (KillKind.CONTAINER_OOM, KillKind.SUSPECTED_OOM):
        return leaf if is_plausible else _UNCLEAR
    if report.cause.detail == REFUSES:
        return leaf
    return None


def _without_kill(report: Report, *, is_memory_alert: bool) -> str:
    shape = report.shape
    limit = limit_of(report.facts, shape, report.subject.container)
    current = shape.current_bytes if shape and shape.current_bytes is not None else report.facts.usage_bytes
    if report.cause.detail == "runtime_limit" and report.signature is not None:
        return OWN_LIMIT
    if report.cause.detail == "open_end" or (report.kill.is_open_end and report.kill.exit_code is not None and not is_memory_alert):
        return ENDED
    if report.cause.detail == "page_cache" or (shape is not None and shape.detail == "page_cache"):
        return FILE_CACHE
    if current is not None and (is_memory_alert or (limit and current / limit >= HIGH_USE)):
        return WARNING
    return UNKNOWN
