"""Fixes that a witness of memory asks for: what one replica alone does, what a rollout brought."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping

from receiver.diagnosis.clues import Clues
from receiver.domain.kube_names import is_name
from receiver.domain.reason import reason
from receiver.domain.report import Cause, LongTerm

_ROLLED_BACK = ("Deployment", "StatefulSet", "DaemonSet")  # by kubectl rollout undo


def witnessed(clues: Clues, cause: Cause) -> Iterator[LongTerm]:
    """The fixes of the witnesses that the cause rests on or has against it."""
    told = {*cause.because, *cause.against}
    for witness in clues.witnesses:
        if witness.told in told:
            yield from (FIXES[name](clues) for name in witness.advice)


def _compare_revisions(clues: Clues) -> LongTerm:
    workload, namespace = clues.workload, clues.facts.subject.namespace
    can_undo = workload.kind in _ROLLED_BACK and is_name(namespace) and is_name(workload.name)
    target = f"{workload.kind.lower()}/{workload.name}"
    commands = (shlex.join(("kubectl", "-n", namespace, "rollout", "undo", target)),) if can_undo else ()
    return LongTerm(id="compare_revisions", advice=reason("fix.compare_revisions"), commands=commands)


FIXES: Mapping[str, Callable[[Clues], LongTerm]] = {
    "find_hot_replica": lambda clues: LongTerm(id="find_hot_replica", advice=reason("fix.find_hot_replica")),
    "compare_revisions": _compare_revisions,
}
