"""The real fix beside the quick one: what to change in the program or its manifest, and how to find where.

The four usual suspects (whole data sets in memory, no pagination, no clean-up, caches without eviction), in
the order that fits the cause, then the profiler of the runtime.
"""

from __future__ import annotations

import shlex
from dataclasses import replace

from receiver.diagnosis.causes.leaf import Whose
from receiver.diagnosis.causes.leaves import leaf_of
from receiver.diagnosis.clues import Clues
from receiver.diagnosis.log.runtimes import profiling_advice
from receiver.domain.kube_names import is_name
from receiver.domain.reason import reason
from receiver.domain.report import Cause, CauseName, Kill, KillKind, LongTerm

MOST_VOLUMES = 3
_SUSPECTS = ("stream_data", "paginate", "clean_up", "bound_caches")


def long_term_for(clues: Clues, kill: Kill, cause: Cause) -> tuple[LongTerm, ...]:
    """What mends it for good, most promising first; nothing where the container's memory is not the problem."""
    leaf = leaf_of(cause.name)
    if leaf.whose is not Whose.CONTAINER:
        return leaf.fixes(clues, kill, cause)
    special = _special(clues, kill, cause)
    has_ended = kill.kind is not KillKind.NONE or kill.exit_code is not None
    if cause.detail == "memory_volume" or (cause.name is CauseName.UNKNOWN and not has_ended):
        return special
    advice = {entry.id: _filled(entry, clues) for entry in profiling_advice(clues.runtime, clues.limit_bytes)}
    return (*special, *(advice[i] for i in leaf.suspects), *(entry for entry in advice.values() if entry.id not in _SUSPECTS))


def _special(clues: Clues, kill: Kill, cause: Cause) -> tuple[LongTerm, ...]:
    """What only this case needs."""
    found = []
    if clues.signature is not None:
        found.append(LongTerm(id=f"log_{clues.signature.id}", advice=reason("advice.quoted", text=clues.signature.advice)))
    if cause.detail == "memory_volume":
        volumes = (clues.facts.pod.memory_volumes if clues.facts.pod else ())[:MOST_VOLUMES] or ("medium: Memory",)
        found.append(
            LongTerm(id="bound_memory_volume", advice=reason("fix.bound_memory_volume", volumes=volumes), commands=_delete_pod(clues))
        )
    if kill.kind is KillKind.CHILD_PROCESS_OOM:
        found.append(LongTerm(id="fewer_workers", advice=reason("fix.fewer_workers")))
    found += leaf_of(cause.name).fixes(clues, kill, cause)
    if cause.detail in ("batch", "burst"):
        found.append(LongTerm(id="smaller_batches", advice=reason("fix.smaller_batches")))
    if cause.detail == "after_change":
        found.append(LongTerm(id="look_at_the_change", advice=reason("fix.look_at_the_change")))
    return tuple(found)


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
