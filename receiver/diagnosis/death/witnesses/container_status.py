"""What `state.terminated` of a container says: its reason and message, and its exit code."""

from __future__ import annotations

import re

from receiver.diagnosis.death.witnesses.row import ExitWitness, Said, Says, Witness
from receiver.domain.facts import Termination

OOM_KILLED = "OOMKilled"
SIGKILL_EXIT = 137  # 128 + SIGKILL (9)

CONTAINER_STATUS: tuple[Witness, ...] = (
    Witness(
        id="oom-killed", says=Says.OOM_KILLED, reason=OOM_KILLED,
        example=Said(OOM_KILLED), near_miss=Said("Error", "the last run was OOMKilled"),
        source="containerd and CRI-O set it from the cgroup's OOM event, whatever the exit code: a recorded cluster has 0, 1, 137 and 143",
    ),
    Witness(
        id="oom-before-start", says=Says.OOM_BEFORE_START, message=re.compile(r"\boom[- ]?kill", re.IGNORECASE),
        example=Said(
            "StartError",
            "runc create failed: unable to start container process: container init was OOM-killed (memory limit too low?): unknown",
        ),
        near_miss=Said("StartError", "runc create failed: exec: no such file or directory: unknown"),
        source="runc, libcontainer/process_linux.go; containerd reports it as StartError, exit 128: a recorded cluster",
    ),
)  # fmt: skip

EXIT_CODES: tuple[ExitWitness, ...] = (
    ExitWitness(
        id="sigkill", says=Says.SIGKILL, exit_code=SIGKILL_EXIT, signal=9,
        example=Termination(reason="Error", exit_code=SIGKILL_EXIT), near_miss=Termination(reason="Error", exit_code=139, signal=11),
        source="POSIX shells and container runtimes: 128 + the number of the signal, signal(7)",
    ),
    ExitWitness(
        id="sigterm", says=Says.SIGTERM, exit_code=143,
        example=Termination(reason="Error", exit_code=143), near_miss=Termination(reason="Error", exit_code=1),
        source="POSIX shells and container runtimes: 128 + the number of the signal, signal(7)",
    ),
)  # fmt: skip
