"""What the log says, by the kind of the signature that its line has (`diagnosis/log/signatures`)."""

from __future__ import annotations

import re

from receiver.diagnosis.death.witnesses.row import Said, Says, Witness
from receiver.diagnosis.log.signatures.model import CHILD_KILLED, GPU, KERNEL, OWN_LIMIT, REFUSED
from receiver.domain.report import Sender

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

# Among the last lines of a dead instance: it was asked to stop. The kernel asks nobody before it kills for memory.
LAST_WORDS: tuple[Witness, ...] = (
    Witness(
        id="log-sigterm-received", says=Says.ASKED_TO_STOP, sender=Sender.GRACE_PERIOD,
        message=re.compile(
            r"(?i:\b(?:receiv(?:ed?|ing)|caught|got|handling|trapped|intercepted)\b)[^\n]{0,30}(?:\bSIGTERM\b|(?i:\b(?:signal|sig)\b)[^\n\w]{1,4}(?i:term|terminated|sigterm|15)\b)"
            r"|\bSIGTERM\b\)?(?: signal)? (?:was )?(?:received|caught)|\bsignal 15 \(SIGTERM\) received|Received an OS signal, exiting gracefully|\"msg\":\"Received signal\"[^\n]{0,80}\"signal\":15\b"
        ),
        example=Said("", "2026/11/24 10:11:12 [notice] 1#1: signal 15 (SIGTERM) received from 1, exiting"),
        near_miss=Said("", "INFO registered a handler of SIGTERM"),
        source="nginx, src/os/unix/ngx_process.c; httpd, AH00169; Redis, src/server.c; RabbitMQ, rabbit_prelaunch_sighandler; supervisord; Prometheus; mongod, id 23377",
    ),
    Witness(
        id="log-graceful-shutdown", says=Says.ASKED_TO_STOP, sender=Sender.GRACE_PERIOD,
        message=re.compile(
            r"Commencing graceful shutdown\b|Gracefully shutting down workers|worker: (?:Warm|Cold) shutdown|received (?:smart|fast|immediate) shutdown request|Received SHUTDOWN from user"
            r"|Application is shutting down\.\.\."
        ),
        example=Said("", "[2026-11-24 10:11:12,345: WARNING/MainProcess] worker: Warm shutdown (MainProcess)"),
        near_miss=Said("", "INFO graceful shutdown is enabled, 30 s"),
        source="Spring Boot, GracefulShutdown; Puma, lib/puma/cluster.rb; Celery, celery/apps/worker.py; PostgreSQL, postmaster.c; MySQL, MY-013172; .NET, ConsoleLifetime",
    ),
)  # fmt: skip
