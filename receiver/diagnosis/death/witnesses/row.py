"""What a witness of a death is: one row of a table. Where it looks is its table's; what it must find there, what that says of the
death, and where the fact comes from stand in the row, with an example and a near-miss that a test tries.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from receiver.domain.facts import Termination
from receiver.domain.report import Sender


class Says(StrEnum):
    """What a witness says of a death, taken for itself. What it weighs beside the others is up to the rules (`kill.RULES`)."""

    SENT_BY = "sent_by"  # `sender` ended the container
    CHECK_FAILED = "check_failed"  # a check failed for which `sender` ends containers; of its kill there may be no event
    ASKED_TO_STOP = "asked_to_stop"  # SIGTERM was sent; SIGKILL follows when the grace period is over
    SIGKILL = "sigkill"  # it ended by SIGKILL, whoever sent it
    SIGTERM = "sigterm"
    OOM_KILLED = "oom_killed"  # the kernel killed it, or a process in it, for memory
    OOM_BEFORE_START = "oom_before_start"  # the same before its process began
    CUT_SHORT_BEFORE_START = "cut_short_before_start"  # its init process died while it was being set up: a tiny limit is the usual reason
    NOT_SEEN = "not_seen"  # a placeholder: nobody saw how it ended, and the exit code stands for nothing
    CHILD_OOM_KILLED = "child_oom_killed"  # a child process was killed, and the container lived on
    OWN_LIMIT = "own_limit"  # the program ran into a limit of its own, or an allocation was refused
    KERNEL_KILLED = "kernel_killed"  # the kernel killed a process for memory; whose memory was full is not said
    EVICTED = "evicted"  # its pod was evicted, for another resource than memory
    EVICTED_FOR_VOLUME = "evicted_for_volume"  # a volume of its own was over its size limit: in memory or on disk
    REFUSED = "refused"  # the kubelet did not take the pod: nothing ran, nothing was killed
    REFUSED_FOR_PRESSURE = "refused_for_pressure"  # the same because its node is short of memory
    EVICTED_FOR_MEMORY = "evicted_for_memory"
    NODE_OUT_OF_MEMORY = "node_out_of_memory"  # the node as a whole ran out
    NODE_REBOOTED = "node_rebooted"  # the node went down under its containers
    NEAR_LIMIT = "near_limit"  # its memory was close to the limit just before
    FAR_FROM_LIMIT = "far_from_limit"


@dataclass(frozen=True, slots=True)
class Said:
    """What stands where a witness looks: a reason and its message (of a status or an event), or a kind of log signature and its line."""

    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """One row about a status, an event or a log line. `source`: where the fact comes from, for a reader who doubts it."""

    id: str
    says: Says
    sender: Sender | None = None  # for SENT_BY, CHECK_FAILED, ASKED_TO_STOP
    reason: str = ""  # exactly this one; empty: whatever the reason
    message: re.Pattern[str] | None = None  # found in the message; None: whatever the message
    reach_s: float = 0.0  # of an event: how long before a death it may have been to be about it
    example: Said
    near_miss: Said
    source: str

    def matches(self, said: Said) -> bool:
        """Whether this row speaks about what stands there."""
        return self.reason in ("", said.reason) and (self.message is None or self.message.search(said.message) is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitWitness:
    """One row about how a container ended: its exit code, or the signal where the runtime reports one."""

    id: str
    says: Says
    exit_code: int
    signal: int | None = None
    example: Termination
    near_miss: Termination
    source: str

    def matches(self, death: Termination) -> bool:
        """Whether the container ended so."""
        return death.exit_code == self.exit_code or (self.signal is not None and death.signal == self.signal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One row about a number that was measured: `at_least` and `below` are in its unit, which the table names."""

    id: str
    says: Says
    at_least: float = float("-inf")
    below: float = float("inf")
    example: float
    near_miss: float
    source: str

    def matches(self, value: float | None) -> bool:
        """Whether the number is within; nothing measured says nothing."""
        return value is not None and self.at_least <= value < self.below


def witness_of(rows: Iterable[Witness], reason: str, message: str) -> Witness | None:
    """The first row that speaks about this reason and message."""
    said = Said(reason, message)
    return next((row for row in rows if row.matches(said)), None)
