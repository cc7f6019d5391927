"""Reasons that several rules give, and how much of a quotation they keep."""

from __future__ import annotations

from datetime import datetime

from receiver.diagnosis.clues import Clues, kernel_peak_ratio, memory_ratio_before
from receiver.diagnosis.death.lookups import KernelKill, node_kills
from receiver.diagnosis.death.witnesses.metrics import KERNEL_PEAK_FAR, NEAR_LIMIT
from receiver.domain.facts import EventFact, Termination
from receiver.domain.reason import Reason, reason

QUOTE_CHARS = 160

# Of an end that was not recorded as a kill: what is evidence for something else than memory. Silence is none.
MEMORY_WAS_FAR = "death.memory_was_far"
AGAINST_MEMORY = frozenset({"death.runtime_says", "death.asked_by_signal", "death.node_rebooted", MEMORY_WAS_FAR})


def oom_killed(death: Termination) -> Reason:
    """That Kubernetes calls it an OOM kill."""
    if death.exit_code is None:
        return reason("death.oom_killed_without_code")
    return reason("death.oom_killed", exit_code=death.exit_code)


def not_oom_killed(death: Termination) -> Reason:
    """That Kubernetes does not."""
    return reason("death.not_oom_killed", reason=death.reason, exit_code=death.exit_code)


def on_the_node(clues: Clues, death: Termination) -> list[Reason]:
    """What the node says of the same minutes."""
    kills = node_kills(clues, death)[:1]
    found = [
        kernel_line(k) if k.event.reason != "SystemOOM" and k.victim.process else reason("death.node_event", message=quoted(k.event))
        for k in kills
    ]
    node = clues.facts.node
    if node is not None and node.has_memory_pressure:
        found.append(reason("death.node_pressure", node=node.name))
    return found


def kernel_line(kill: KernelKill) -> Reason:
    """What the kernel's line says: process, pid and memory, and whose memory was full."""
    code = {True: "death.kernel_global", False: "death.kernel_memcg", None: "death.kernel_victim"}[kill.is_of_node]
    victim = kill.victim
    facts = {"process": victim.process, "pid": victim.pid, "anon_rss_bytes": victim.anon_rss_bytes}
    if code == "death.kernel_global":
        return reason("death.kernel_global", **facts)
    return reason("death.kernel_memcg", **facts) if code == "death.kernel_memcg" else reason("death.kernel_victim", **facts)


def memory_before(clues: Clues, death: Termination) -> list[Reason]:
    """How full it was just before, where that is known, beside a sender that is not the kernel."""
    ratio = memory_ratio_before(clues, death.finished_at, death.started_at)
    if ratio is None:
        return []
    if NEAR_LIMIT.matches(ratio):
        return [reason("death.thrashed", usage_ratio=ratio)]
    if clues.limit_bytes:
        return [reason("death.memory_before_of", usage_ratio=ratio, limit_bytes=clues.limit_bytes)]
    return [reason("death.memory_before_share", usage_ratio=ratio)]


def not_excluded(clues: Clues, since: datetime | None, until: datetime | None) -> Reason:
    """What memory far below the limit leaves open: a spike between two scrapes, but for what the kernel's own peak excludes."""
    ratio = kernel_peak_ratio(clues, since, until) if until is not None else None
    if ratio is not None and KERNEL_PEAK_FAR.matches(ratio):
        return reason("death.kernel_peak", usage_ratio=ratio)
    return reason("death.between_scrapes")


def pod_unread(clues: Clues) -> Reason:
    """That the pod could not be read, and why."""
    why = clues.missing_why("pod")
    return reason("death.pod_unread", why=why) if why else reason("death.pod_unread_untold")


def quoted(event: EventFact) -> str:
    """The event's message for a quotation, cut to `QUOTE_CHARS`."""
    return quoted_text(event.message)


def quoted_text(text: str) -> str:
    """A message for a quotation, cut to `QUOTE_CHARS`."""
    line = " ".join(text.split())
    line = line if len(line) <= QUOTE_CHARS else line[: QUOTE_CHARS - 1] + "…"
    return line.rstrip(" :")
