"""What a gatherer must be allowed to do in the cluster. deploy/base/rbac.yaml is the union of these; a test compares them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Permission:
    """One verb on one resource; `group` is empty for the core API."""

    group: str
    resource: str
    verb: str

    def __str__(self) -> str:
        """As a person reads it: `list events`, `get deployments.apps`."""
        head, _, sub = self.resource.partition("/")
        return f"{self.verb} {head}{'.' + self.group if self.group else ''}{'/' + sub if sub else ''}"


def may(verb: str, resource: str, group: str = "") -> Permission:
    """A permission in one line."""
    return Permission(group=group, resource=resource, verb=verb)


def union(permissions: Iterable[Permission]) -> tuple[Permission, ...]:
    """Each once, sorted."""
    return tuple(sorted(set(permissions)))
