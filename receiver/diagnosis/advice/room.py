"""How much there is to give: the node's allocatable memory, the LimitRange and the ResourceQuota of the namespace."""

from __future__ import annotations

from dataclasses import dataclass

from receiver.diagnosis.advice import limits_policy as policy
from receiver.diagnosis.clues import Clues
from receiver.domain.units import human_bytes, human_percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """The most a container's limit and request may be, in bytes, and what says so. None: nothing is known to bound it."""

    most_bytes: int | None = None
    because: str = ""
    most_request_bytes: int | None = None
    request_because: str = ""
    checks: tuple[str, ...] = ()


def room_of(clues: Clues) -> Room:
    """The tightest bound of all that are known, and what was verified or could not be."""
    bounds = _limit_bounds(clues)
    most, because = min(bounds, default=(None, ""))
    request_bounds = _request_bounds(clues)
    most_request, request_because = min(request_bounds, default=(None, ""))
    return Room(
        most_bytes=most, because=because, most_request_bytes=most_request, request_because=request_because, checks=_checks(clues)
    )  # fmt: skip


def _limit_bounds(clues: Clues) -> list[tuple[int, str]]:
    facts, limit = clues.facts, clues.limit_bytes or 0
    bounds = []
    if facts.node is not None and facts.node.allocatable_bytes is not None:
        bounds.append((facts.node.allocatable_bytes, f"node {facts.node.name} can give {human_bytes(facts.node.allocatable_bytes)} in all"))
    if facts.quota_max_limit_bytes is not None:
        bounds.append((facts.quota_max_limit_bytes, f"the LimitRange of the namespace allows {human_bytes(facts.quota_max_limit_bytes)}"))
    if facts.quota_free_limit_bytes is not None:
        free = max(facts.quota_free_limit_bytes, 0) // _replicas(clues)
        bounds.append(
            (
                limit + free,
                f"the ResourceQuota leaves {human_bytes(max(facts.quota_free_limit_bytes, 0))} of limits for {_replicas_words(clues)}",
            )
        )
    return bounds


def _request_bounds(clues: Clues) -> list[tuple[int, str]]:
    facts, request = clues.facts, clues.request_bytes or 0
    bounds = []
    if facts.node is not None and facts.node.allocatable_bytes is not None:
        bounds.append((facts.node.allocatable_bytes, f"node {facts.node.name} can give {human_bytes(facts.node.allocatable_bytes)} in all"))
    if facts.quota_free_request_bytes is not None:
        free = max(facts.quota_free_request_bytes, 0) // _replicas(clues)
        bounds.append(
            (
                request + free,
                f"the ResourceQuota leaves {human_bytes(max(facts.quota_free_request_bytes, 0))} of requests for {_replicas_words(clues)}",
            )
        )
    return bounds


def _replicas(clues: Clues) -> int:
    desired = clues.facts.workload.replicas_desired if clues.facts.workload else None
    return max(desired or 1, 1)


def _replicas_words(clues: Clues) -> str:
    count = _replicas(clues)
    return "its only replica" if count == 1 else f"{count} replicas"


def _checks(clues: Clues) -> tuple[str, ...]:
    """What was verified, what could not be."""
    facts = clues.facts
    checks = []
    if facts.node is not None and facts.node.allocatable_bytes is not None:
        text = f"node {facts.node.name} can give {human_bytes(facts.node.allocatable_bytes)}"
        total = facts.node.limits_total_bytes
        if total is not None and total / facts.node.allocatable_bytes > policy.OVERCOMMIT_NOTE:
            text += f"; the limits of all pods there add up to {human_percent(total / facts.node.allocatable_bytes)} of it"
        checks.append(text)
    else:
        checks.append(f"room on the node not checked: {clues.missing_why('node') or 'the node is not known'}")
    quota_gap = clues.missing_why("resourcequota", "limitrange")
    if quota_gap:
        checks.append(f"LimitRange and ResourceQuota not checked: {quota_gap}")
    elif facts.quota_max_limit_bytes is None and facts.quota_free_limit_bytes is None and facts.quota_free_request_bytes is None:
        checks.append("no LimitRange or ResourceQuota bounds it, as far as was read")
    else:
        checks.append("within the LimitRange and ResourceQuota of the namespace")
    return tuple(checks)
