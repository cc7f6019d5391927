"""How much there is to give: the node's allocatable memory, the LimitRange and the ResourceQuota of the namespace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from receiver.diagnosis.advice import limits_policy as policy
from receiver.diagnosis.clues import Clues
from receiver.domain.reason import Reason, reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """The most a container's limit and request may be, in bytes, and what says so. None: nothing is known to bound it."""

    most_bytes: int | None = None
    because: Reason | None = None
    most_request_bytes: int | None = None
    request_because: Reason | None = None
    checks: tuple[Reason, ...] = ()


Bound: TypeAlias = "tuple[int | None, Reason | None]"


def room_of(clues: Clues) -> Room:
    """The tightest bound of all that are known, and what was verified or could not be."""
    most, because = _tightest(_limit_bounds(clues))
    most_request, request_because = _tightest(_request_bounds(clues))
    return Room(
        most_bytes=most, because=because, most_request_bytes=most_request, request_because=request_because,
        checks=(_node_check(clues), _policy_check(clues)),
    )  # fmt: skip


def _tightest(bounds: Iterable[tuple[int, Reason]]) -> Bound:
    return min(bounds, key=lambda bound: bound[0], default=(None, None))


def _limit_bounds(clues: Clues) -> Iterator[tuple[int, Reason]]:
    facts = clues.facts
    yield from _node_bound(clues)
    if facts.quota_max_limit_bytes is not None:
        yield facts.quota_max_limit_bytes, reason("advice.limit_range_allows", most_bytes=facts.quota_max_limit_bytes)
    if facts.quota_free_limit_bytes is not None:
        free, replicas = max(facts.quota_free_limit_bytes, 0), _replicas(clues)
        yield (clues.limit_bytes or 0) + free // replicas, reason("advice.quota_leaves_limits", free_bytes=free, replicas=replicas)


def _request_bounds(clues: Clues) -> Iterator[tuple[int, Reason]]:
    yield from _node_bound(clues)
    if clues.facts.quota_free_request_bytes is not None:
        free, replicas = max(clues.facts.quota_free_request_bytes, 0), _replicas(clues)
        yield (clues.request_bytes or 0) + free // replicas, reason("advice.quota_leaves_requests", free_bytes=free, replicas=replicas)


def _node_bound(clues: Clues) -> Iterator[tuple[int, Reason]]:
    node = clues.facts.node
    if node is not None and node.allocatable_bytes is not None:
        yield node.allocatable_bytes, reason("advice.node_gives_in_all", node=node.name, allocatable_bytes=node.allocatable_bytes)


def _replicas(clues: Clues) -> int:
    desired = clues.facts.workload.replicas_desired if clues.facts.workload else None
    return max(desired or 1, 1)


def _node_check(clues: Clues) -> Reason:
    node = clues.facts.node
    if node is None or node.allocatable_bytes is None:
        return reason("advice.node_not_checked", why=clues.missing_why("node"))
    ratio = node.limits_total_bytes / node.allocatable_bytes if node.limits_total_bytes is not None else 0.0
    if ratio > policy.OVERCOMMIT_NOTE:
        return reason("advice.node_is_overcommitted", node=node.name, allocatable_bytes=node.allocatable_bytes, limits_ratio=ratio)
    return reason("advice.node_gives", node=node.name, allocatable_bytes=node.allocatable_bytes)


def _policy_check(clues: Clues) -> Reason:
    facts, gap = clues.facts, clues.missing_why("resourcequota", "limitrange")
    if gap:
        return reason("advice.policies_not_checked", why=gap)
    if facts.quota_max_limit_bytes is None and facts.quota_free_limit_bytes is None and facts.quota_free_request_bytes is None:
        return reason("advice.no_policy_bounds_it")
    return reason("advice.within_policies")
