"""What `state.terminated` of a container says: its reason and message, and its exit code."""

from __future__ import annotations

import re

from receiver.diagnosis.death.witnesses.row import ExitWitness, Said, Says, Witness
from receiver.domain.facts import Termination

OOM_KILLED = "OOMKilled"
SIGKILL_EXIT = 137  # 128 + SIGKILL (9)
SIGTERM_EXIT = 143  # 128 + SIGTERM (15)
MAX_SIGNAL = 31
CRASH_SIGNALS = frozenset({6, 9, 11, 15})  # what is passed on as 256 - n: SIGABRT, SIGKILL, SIGSEGV, SIGTERM

# A runtime that could not finish setting a container up: its init process was gone before the program began.
OOM_BEFORE_START = re.compile(
    r"\boom[- ]?kill|container init caused OOM|memory limit too low|unable to set memory limit to \d|cannot set memory limit.{0,80}current usage",
    re.IGNORECASE,
)
CUT_SHORT = re.compile(
    r"(?:read|write) init-p: (?:connection reset by peer|broken pipe|EOF)|container init exited prematurely|child's pid from pipe[^\n]{0,60}EOF"
    r"|init (?:caused|process)[^\n]{0,120}(?:signal: killed|exit status (?:34|23)|\bEOF\b)|runc did not terminate success?fully: (?:signal: killed|exit status 137)"
    r"|(?:runc|crun|youki|kata)[^\n]{0,200}signal: killed|OCI runtime[^\n]{0,300}signal: killed|unexpected EOF[^\n]{0,60}init|sync pipe[^\n]{0,60}(?:EOF|closed)"
    r"|read from the (?:sync|init) (?:socket|pipe)|read pipe failed|error reading from (?:init|sync) pipe",
    re.IGNORECASE,
)

CONTAINER_STATUS: tuple[Witness, ...] = (
    Witness(
        id="oom-killed", says=Says.OOM_KILLED, reason=OOM_KILLED,
        example=Said(OOM_KILLED), near_miss=Said("Error", "the last run was OOMKilled"),
        source="containerd and CRI-O set it from the cgroup's OOM event, whatever the exit code: a recorded cluster has 0, 1, 137 and 143",
    ),
    Witness(
        id="oom-before-start", says=Says.OOM_BEFORE_START, message=OOM_BEFORE_START,
        example=Said(
            "StartError",
            "runc create failed: unable to start container process: container init was OOM-killed (memory limit too low?): unknown",
        ),
        near_miss=Said("StartError", "runc create failed: exec: no such file or directory: unknown"),
        source="runc, libcontainer/process_linux.go; containerd reports it as StartError, exit 128: a recorded cluster",
    ),
    Witness(
        id="cut-short-before-start", says=Says.CUT_SHORT_BEFORE_START, message=CUT_SHORT,
        example=Said("StartError", "runc create failed: unable to start container process: can't get final child's PID from pipe: read init-p: connection reset by peer: unknown"),
        near_miss=Said("StartError", "runc create failed: exec: \"/app\": permission denied: unknown"),
        source="runc, libcontainer/process_linux.go: before 1.0 an init killed under a limit of a few MiB shows as a broken pipe; public issues",
    ),
    Witness(
        id="status-unknown", says=Says.NOT_SEEN, reason="ContainerStatusUnknown",
        example=Said("ContainerStatusUnknown", "The container could not be located when the pod was terminated"),
        near_miss=Said("ContainerCannotRun", "The container could not be started"),
        source="kubelet, pkg/kubelet/status/status_manager.go and kubelet_pods.go: exit code 137 and empty times are defaults",
    ),
    Witness(
        id="unknown-after-reboot", says=Says.NOT_SEEN, reason="Unknown",
        example=Said("Unknown"), near_miss=Said("Error"),
        source="containerd, internal/cri/server/restart.go: a container whose task is gone when containerd starts again gets exit code 255, reason Unknown",
    ),
)  # fmt: skip

EXIT_CODES: tuple[ExitWitness, ...] = (
    ExitWitness(
        id="sigkill", says=Says.SIGKILL, exit_code=SIGKILL_EXIT, signal=9,
        example=Termination(reason="Error", exit_code=SIGKILL_EXIT), near_miss=Termination(reason="Error", exit_code=139, signal=11),
        source="POSIX shells and container runtimes: 128 + the number of the signal, signal(7)",
    ),
    ExitWitness(
        id="sigkill-of-child", says=Says.SIGKILL, exit_code=256 - 9,
        example=Termination(reason="Error", exit_code=247), near_miss=Termination(reason="Error", exit_code=245),
        source="exit(2) keeps eight bits: an entry point that exits with its child's return code -9 (Python's subprocess) ends with 247",
    ),
    ExitWitness(
        id="sigterm", says=Says.SIGTERM, exit_code=SIGTERM_EXIT,
        example=Termination(reason="Error", exit_code=143), near_miss=Termination(reason="Error", exit_code=1),
        source="POSIX shells and container runtimes: 128 + the number of the signal, signal(7)",
    ),
)  # fmt: skip


def signal_of(death: Termination) -> int | None:
    """The signal that an exit code stands for: 128 + n of the process itself, or 256 - n of a child, passed on. None: it stands for none."""
    code = death.exit_code
    if death.signal:
        return death.signal
    if code is None:
        return None
    if 128 < code <= 128 + MAX_SIGNAL:
        return code - 128
    return 256 - code if 256 - code in CRASH_SIGNALS else None
