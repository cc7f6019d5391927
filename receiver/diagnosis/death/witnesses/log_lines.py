"""What the log says, by the kind of the signature that its line has (`diagnosis/log/signatures`)."""

from __future__ import annotations

from receiver.diagnosis.death.witnesses.row import Said, Says, Witness
from receiver.diagnosis.log.signatures.model import CHILD_KILLED, GPU, KERNEL, OWN_LIMIT, REFUSED

_GPU = Said(GPU, "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB")

LOG_LINES: tuple[Witness, ...] = (
    Witness(
        id="log-child-killed", says=Says.CHILD_OOM_KILLED, reason=CHILD_KILLED,
        example=Said(CHILD_KILLED, "[2026-11-23 00:51:14,045] [1] [ERROR] Worker (pid:21) was sent SIGKILL! Perhaps out of memory?"),
        near_miss=Said("", "[2026-11-23 00:51:14,045] [1] [INFO] Worker exiting (pid: 21)"),
        source="process managers' sources: they see a child end by SIGKILL, and guess why: a bare line says nothing of memory",
    ),
    Witness(
        id="log-kernel", says=Says.OOM_KILLED, reason=KERNEL,
        example=Said(KERNEL, "Memory cgroup out of memory: Killed process 4321 (python3) total-vm:1712340kB, anon-rss:913280kB"),
        near_miss=Said("", "kernel: cgroup: fork rejected by pids controller"),
        source="kernel, mm/oom_kill.c",
    ),
    Witness(
        id="log-own-limit", says=Says.OWN_LIMIT, reason=OWN_LIMIT,
        example=Said(OWN_LIMIT, "java.lang.OutOfMemoryError: Java heap space"), near_miss=_GPU,
        source="the runtime's own source, by signature: docs/signatures.md",
    ),
    Witness(
        id="log-refused", says=Says.OWN_LIMIT, reason=REFUSED,
        example=Said(REFUSED, "terminate called after throwing an instance of 'std::bad_alloc'"), near_miss=_GPU,
        source="the runtime's own source, by signature: docs/signatures.md",
    ),
)  # fmt: skip
