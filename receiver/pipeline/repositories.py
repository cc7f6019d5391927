"""Which Git repository decides the memory of which workloads: the setting `gitops`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from receiver.domain.identity import Subject
from receiver.forge import ForgeConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """One entry. `cluster` and `namespaces`: regular expressions for whole names; empty: every one."""

    forge: ForgeConfig
    cluster: str = ""
    namespaces: tuple[str, ...] = ()

    def covers(self, subject: Subject) -> bool:
        """Whether this workload's memory is decided there."""
        if self.cluster and not re.fullmatch(self.cluster, subject.cluster):
            return False
        return bool(subject.namespace) and (not self.namespaces or any(re.fullmatch(n, subject.namespace) for n in self.namespaces))


def repository_of(repositories: Sequence[Repository], subject: Subject) -> Repository | None:
    """The first entry that covers a subject; None: no change of it is proposed."""
    return next((r for r in repositories if r.covers(subject)), None)
