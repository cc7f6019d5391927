"""The real fix beside the quick one: what to change in the program or its manifest, and how to find where.

In the order that fits: what the log names, what this incident is about, the heap flag that is set, then how to find what
fills the memory (the runtime's profilers) and where to look first (the cause's suspects of the four habits).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace

from receiver.diagnosis.advice.ceilings import instead_of_raise
from receiver.diagnosis.advice.witnessed import witnessed
from receiver.diagnosis.causes.leaf import Leaf, Whose
from receiver.diagnosis.causes.leaves import leaf_of
from receiver.diagnosis.causes.settings import CEILING, OWN_MAXIMUM
from receiver.diagnosis.clues import Clues
from receiver.diagnosis.log.runtimes import HABITS, profiling_advice
from receiver.domain.kube_names import is_name
from receiver.domain.reason import reason
from receiver.domain.report import Cause, CauseName, Kill, KillKind, LongTerm

MOST_VOLUMES = 3
GENERAL = "find_what_grows"  # the advice for a program whose runtime is not known
# What a counter that rises in the log counts, and the habit that lets it.
_COUNTED = (
    ("bound_caches", re.compile(r"cache|entries", re.IGNORECASE)),
    ("clean_up", re.compile(r"session|connection|socket|subscri|listener|handler|goroutine|thread|open files", re.IGNORECASE)),
)
# Of each runtime, the advice about its own heap limit beside the container's.
_ABOUT_HEAP = ("jvm_heap_and_limit", "node_heap_and_limit", "dotnet_heap_and_limit", "go_memlimit", "php_memory", "redis_memory")


def long_term_for(clues: Clues, kill: Kill, cause: Cause) -> tuple[LongTerm, ...]:
    """Long-term fixes, what fits best first; nothing where the container's memory is not the problem."""
    leaf = leaf_of(cause.name)
    if leaf.whose is not Whose.CONTAINER:
        return leaf.fixes(clues, kill, cause)
    named = (*instead_of_raise(clues, cause), *_by_log(clues, leaf), *_by_incident(clues, kill, cause))
    has_ended = kill.kind is not KillKind.NONE or kill.exit_code is not None
    is_enough = cause.detail in ("memory_volume", "open_end") or (cause.name is CauseName.UNKNOWN and not has_ended)
    first: dict[str, LongTerm] = {}
    is_said = cause.detail == CEILING or (cause.detail == OWN_MAXIMUM and cause.remedy is not None)
    for entry in named if is_enough else (*named, *_general(clues, leaf, is_said=is_said)):
        first.setdefault(entry.id, entry)
    return tuple(first.values())


def _by_log(clues: Clues, leaf: Leaf) -> Iterator[LongTerm]:
    """The error that the log names, and the habit that its rising counters tell of."""
    if clues.signature is not None:
        yield LongTerm(id=f"log_{clues.signature.id}", advice=reason("advice.quoted", text=clues.signature.advice))
    counters = " ".join(clues.rising)
    if leaf.is_growth and (habit := next((name for name, counted in _COUNTED if counted.search(counters)), "")):
        yield HABITS[habit]


def _by_incident(clues: Clues, kill: Kill, cause: Cause) -> Iterator[LongTerm]:
    """What only this incident asks for."""
    if cause.detail == "memory_volume":
        volumes = (clues.facts.pod.memory_volumes if clues.facts.pod else ())[:MOST_VOLUMES] or ("medium: Memory",)
        yield LongTerm(id="bound_memory_volume", advice=reason("fix.bound_memory_volume", volumes=volumes), commands=_delete_pod(clues))
    if kill.is_of_child:
        yield LongTerm(id="fewer_workers", advice=reason("fix.fewer_workers"))
    yield from witnessed(clues, cause)
    yield from leaf_of(cause.name).fixes(clues, kill, cause)
    if cause.detail in ("batch", "burst"):
        yield LongTerm(id="smaller_batches", advice=reason("fix.smaller_batches"))
    if cause.detail == "after_change":
        yield LongTerm(id="look_at_the_change", advice=reason("fix.look_at_the_change"))


def _general(clues: Clues, leaf: Leaf, *, is_said: bool) -> tuple[LongTerm, ...]:
    """What fits any incident of this runtime and this cause. `is_said`: what is to be done about its ceilings is said already."""
    profilers = [_filled(entry, clues) for entry in profiling_advice(clues.runtime, clues.limit_bytes)]
    habits = [HABITS[name] for name in leaf.suspects]
    flags = [entry for entry in profilers if clues.settings and entry.id in _ABOUT_HEAP and not is_said]
    is_cause_known, is_runtime_known = leaf.question is not None, profilers[0].id != GENERAL
    profilers = [entry for entry in profilers if not is_said or entry.id not in _ABOUT_HEAP]
    if is_cause_known and not is_runtime_known:
        return (*flags, *habits[:1], *profilers, *habits[1:])
    return (*flags, *profilers[:1], *habits[:1], *profilers[1:], *habits[1:])


def _filled(entry: LongTerm, clues: Clues) -> LongTerm:
    """The profiler's commands with this pod's names, where they are names."""
    subject = clues.facts.subject
    if not all(is_name(n) for n in (subject.namespace, subject.pod, clues.container_name)):
        return entry
    target = f"kubectl -n {shlex.quote(subject.namespace)} exec {shlex.quote(subject.pod)} -c {shlex.quote(clues.container_name)}"
    commands = tuple(command.replace("kubectl exec POD -c CONTAINER", target) for command in entry.commands)
    return replace(entry, commands=commands)


def _delete_pod(clues: Clues) -> tuple[str, ...]:
    subject = clues.facts.subject
    if not (is_name(subject.namespace) and is_name(subject.pod)) or clues.workload.kind in ("Pod", "?"):
        return ()  # nobody would make it anew
    return (shlex.join(("kubectl", "-n", subject.namespace, "delete", "pod", subject.pod)),)
