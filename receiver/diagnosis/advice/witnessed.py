"""Fixes that a witness of memory asks for: what one replica alone does, what a rollout brought."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping

from receiver.diagnosis.clues import Clues
from receiver.diagnosis.log.runtimes import profiling_advice
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


def _native_memory(clues: Clues) -> LongTerm:
    """How this runtime tells of memory outside its heap."""
    tracked = next((e for e in profiling_advice(clues.runtime, clues.limit_bytes) if e.id == "jvm_native_memory"), None)
    arenas = ("env: MALLOC_ARENA_MAX=2   # glibc keeps freed memory in an arena for each thread; jemalloc (LD_PRELOAD) gives it back",)
    return LongTerm(id="native_memory", advice=reason("fix.native_memory"), commands=(*(tracked.commands if tracked else ()), *arenas))


_GOROUTINES = LongTerm(
    id="goroutine_leak",
    advice=reason("fix.goroutine_leak"),
    commands=(
        "kubectl port-forward POD 6060:6060",
        "curl -s 'http://localhost:6060/debug/pprof/goroutine?debug=1' | head -30   # stacks, those with most goroutines first",
    ),
)

FIXES: Mapping[str, Callable[[Clues], LongTerm]] = {
    "find_hot_replica": lambda clues: LongTerm(id="find_hot_replica", advice=reason("fix.find_hot_replica")),
    "compare_revisions": _compare_revisions,
    "native_memory": _native_memory,
    "bound_heap": lambda clues: LongTerm(id="bound_heap", advice=reason("fix.bound_heap")),
    "goroutine_leak": lambda clues: _GOROUTINES,
    "uncollectable": lambda clues: LongTerm(id="uncollectable", advice=reason("fix.uncollectable")),
}
