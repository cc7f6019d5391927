"""The real fix beside the quick one: what to change in the program or its manifest, and how to find where.

The four usual suspects (whole data sets in memory, no pagination, no clean-up, caches without eviction), in
the order that fits the cause, then the profiler of the runtime.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

from receiver.diagnosis.causes.leaf import Whose
from receiver.diagnosis.causes.leaves import leaf_of
from receiver.diagnosis.clues import Clues
from receiver.diagnosis.log.runtimes import profiling_advice
from receiver.domain.reason import reason
from receiver.domain.report import Cause, CauseName, Kill, KillKind, LongTerm, Sender

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
MOST_VOLUMES = 3
_SUSPECTS = ("stream_data", "paginate", "clean_up", "bound_caches")

_READ_IN_CHUNKS = {
    "python": ("for chunk in pandas.read_csv(path, chunksize=10_000): ...   # a part of the rows at a time instead of all",),
    "jvm": ("try (Stream<String> lines = Files.lines(path)) { ... }   # instead of Files.readAllLines",),
    "node": ("for await (const line of readline.createInterface({ input: fs.createReadStream(path) })) { ... }",),
    "go": ("scanner := bufio.NewScanner(file)   // instead of os.ReadFile",),
}


def long_term_for(clues: Clues, kill: Kill, cause: Cause) -> tuple[LongTerm, ...]:
    """What mends it for good, most promising first; nothing where the container's memory is not the problem."""
    leaf = leaf_of(cause.name)
    match leaf.whose:
        case Whose.NOBODY:
            return _not_memory(kill, cause)
        case Whose.NODE:
            return _node(clues, kill, cause)
    special = _special(clues, kill, cause)
    has_ended = kill.kind is not KillKind.NONE or kill.exit_code is not None
    if cause.detail == "memory_volume" or (cause.name is CauseName.UNKNOWN and not has_ended):
        return special
    advice = {entry.id: _filled(entry, clues) for entry in profiling_advice(clues.runtime, clues.limit_bytes)}
    suspects = [_with_example(advice[i], clues, cause) for i in leaf.suspects]
    return (*special, *suspects, *(entry for entry in advice.values() if entry.id not in _SUSPECTS))


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
    if cause.name is CauseName.SPIKE:
        found.append(LongTerm(id="bound_concurrency", advice=reason("fix.bound_concurrency")))
    if cause.detail in ("batch", "burst"):
        found.append(LongTerm(id="smaller_batches", advice=reason("fix.smaller_batches")))
    if cause.detail == "after_change":
        found.append(LongTerm(id="look_at_the_change", advice=reason("fix.look_at_the_change")))
    return tuple(found)


def _with_example(entry: LongTerm, clues: Clues, cause: Cause) -> LongTerm:
    if entry.id != "stream_data" or cause.name is not CauseName.STARTUP:
        return entry
    return replace(entry, advice=reason("fix.load_in_pieces"), commands=_READ_IN_CHUNKS.get(clues.runtime, ()))


def _filled(entry: LongTerm, clues: Clues) -> LongTerm:
    """The profiler's commands with this pod's names, where they are names."""
    subject = clues.facts.subject
    if not all(_NAME.fullmatch(n) for n in (subject.namespace, subject.pod, clues.container_name)):
        return entry
    target = f"kubectl -n {shlex.quote(subject.namespace)} exec {shlex.quote(subject.pod)} -c {shlex.quote(clues.container_name)}"
    commands = tuple(command.replace("kubectl exec POD -c CONTAINER", target) for command in entry.commands)
    return replace(entry, commands=commands)


def _delete_pod(clues: Clues) -> tuple[str, ...]:
    subject = clues.facts.subject
    if not (_NAME.fullmatch(subject.namespace) and _NAME.fullmatch(subject.pod)) or clues.workload.kind in ("Pod", "?"):
        return ()  # nobody would make it anew
    return (shlex.join(("kubectl", "-n", subject.namespace, "delete", "pod", subject.pod)),)


def _not_memory(kill: Kill, cause: Cause) -> tuple[LongTerm, ...]:
    if cause.detail == "refused":
        return (LongTerm(id="fit_request", advice=reason("fix.fit_request")),)
    if kill.sender is not None and kill.sender.is_probe:
        return (LongTerm(id="mend_probe", advice=reason("fix.mend_probe")),)
    if kill.sender is Sender.GRACE_PERIOD:
        return (LongTerm(id="handle_sigterm", advice=reason("fix.handle_sigterm")),)
    return ()


def _node(clues: Clues, kill: Kill, cause: Cause) -> tuple[LongTerm, ...]:
    found = []
    if cause.detail == "took_the_node" and clues.limit_bytes is not None:
        found.append(LongTerm(id="lower_limit", advice=reason("fix.lower_limit")))
    elif cause.detail == "refused":
        found.append(LongTerm(id="honest_request", advice=reason("fix.request_to_be_admitted")))
    elif clues.container is not None and clues.limit_bytes is None:
        found.append(LongTerm(id="set_limit", advice=reason("fix.set_limit")))
    elif kill.kind is KillKind.EVICTION:
        found.append(LongTerm(id="honest_request", advice=reason("fix.honest_request")))
    if cause.detail == "took_the_node":
        return tuple(found)
    commands: tuple[str, ...] = ()
    node = clues.facts.node.name if clues.facts.node else clues.facts.subject.node
    if _NAME.fullmatch(node or ""):
        commands = (
            shlex.join(("kubectl", "get", "pods", "-A", "-o", "wide", f"--field-selector=spec.nodeName={node}")),
            shlex.join(("kubectl", "describe", "node", node)),
        )
    found.append(LongTerm(id="find_the_hungry", advice=reason("fix.find_the_hungry"), commands=commands))
    return tuple(found)
