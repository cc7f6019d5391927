"""The words of the kernel, container runtimes, shells and process managers, and of no runtime in particular."""

from __future__ import annotations

import re

from receiver.diagnosis.log.signatures.model import CHILD_KILLED, EXACT, GENERIC, KERNEL, REFUSED, RUNTIME, LogPattern

PATTERNS: tuple[LogPattern, ...] = (
    LogPattern(
        id="kernel-memcg-oom",
        runtime="kernel",
        kind=KERNEL,
        rank=EXACT,
        hint="memory cgroup out of memory",
        regex=re.compile(r"Memory cgroup out of memory: Kill(?:ed)? process \d{1,10}"),
        meaning="the kernel killed a process at the container's memory limit",
        advice="anon-rss in the line is what the process itself held; compare it with the limit.",
        example="Memory cgroup out of memory: Killed process 1234 (python3) total-vm:512340kB, anon-rss:97280kB, "
        "file-rss:4096kB, shmem-rss:0kB, UID:0 pgtables:320kB oom_score_adj:937",
        near_miss="cgroup: memory: usage 98304kB, limit 98304kB",
    ),
    LogPattern(
        id="kernel-node-oom",
        runtime="kernel",
        kind=KERNEL,
        rank=EXACT,
        hint="",
        regex=re.compile(r"\bOut of memory: Kill(?:ed)? process \d{1,10}|constraint=CONSTRAINT_NONE"),
        meaning="the kernel killed a process because the whole node was out of memory",
        advice="Look at the node: which pod without a limit took it? Raising this container's limit is no help.",
        example="Out of memory: Killed process 4321 (chrome) total-vm:1712340kB, anon-rss:913280kB, file-rss:0kB, shmem-rss:0kB, UID:1000",
        near_miss="Memory cgroup stats for /kubepods/burstable/pod71: cache:0KB rss:97280KB",
    ),
    LogPattern(
        id="kernel-oom-killer",
        runtime="kernel",
        kind=KERNEL,
        rank=RUNTIME,
        hint="oom",
        regex=re.compile(r"invoked oom-killer: gfp_mask=|oom-kill:constraint=CONSTRAINT_MEMCG|oom_reaper: reaped process \d{1,10}"),
        meaning="the kernel's OOM killer ran",
        advice="The line 'Killed process' beside it names the victim and what it held.",
        example="python3 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=937",
        near_miss="INFO oom-killer dashboard enabled",
    ),
    LogPattern(
        id="runc-init-oom",
        runtime="runtime",
        kind=KERNEL,
        rank=EXACT,
        hint="container init",
        regex=re.compile(r"container init (?:was OOM-killed|caused OOM)|container init exited prematurely"),
        meaning="the container was killed before its program started",
        advice="What is charged to the pod already (a tmpfs, an emptyDir in memory) fills it: empty or size that volume "
        "(sizeLimit), or raise the limit above it.",
        example="failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
        "unable to start container process: container init was OOM-killed (memory limit too low?): unknown",
        near_miss="container init completed in 1.2 s",
    ),
    LogPattern(
        id="runc-limit-too-low",
        runtime="runtime",
        kind=KERNEL,
        rank=EXACT,
        hint="unable to set memory limit",
        regex=re.compile(r"unable to set memory limit to \d{1,20} \(current usage: \d{1,20}"),
        meaning="the limit is lower than what is in use already",
        advice="Raise the limit above the usage that the line names.",
        example="unable to set memory limit to 6291456 (current usage: 9990144, peak usage: 10002432)",
        near_miss="INFO unable to set memory of user 12",
    ),
    LogPattern(
        id="supervisord-sigkill",
        runtime="supervisord",
        kind=CHILD_KILLED,
        rank=EXACT,
        hint="terminated by sigkill",
        regex=re.compile(r"terminated by SIGKILL(?:; not expected|; expected|\))"),
        meaning="supervisord: a program was killed with SIGKILL",
        advice="It is started again inside the same container, so Kubernetes counts no restart. One program a container makes "
        "kills visible.",
        example="2024-05-02 10:11:12,345 WARN exited: worker (terminated by SIGKILL; not expected)",
        near_miss="2024-05-02 10:11:12,345 INFO exited: worker (exit status 0; expected)",
    ),
    LogPattern(
        id="systemd-killed",
        runtime="systemd",
        kind=CHILD_KILLED,
        rank=EXACT,
        hint="status=9/kill",
        regex=re.compile(r"code=killed, status=9/KILL|Failed with result 'oom-kill'"),
        meaning="systemd: a unit's main process was killed with SIGKILL",
        advice="journalctl -u UNIT, and 'oom-kill' beside it, tell whether it was for memory.",
        example="app.service: Main process exited, code=killed, status=9/KILL",
        near_miss="app.service: Main process exited, code=exited, status=1/FAILURE",
    ),
    LogPattern(
        id="master-sigkill",
        runtime="",
        kind=CHILD_KILLED,
        rank=RUNTIME,
        hint="sigkill",
        regex=re.compile(
            r"was sent SIGKILL|(?:killed|terminated|died|exited|stopped)(?: unexpectedly)?(?: (?:by|with|from|on|due to|via))? (?:signal[: ]{1,2})?\(?SIGKILL|signal[: ]{1,2}SIGKILL|SIGKILL \(signal 9\)"
        ),
        meaning="a child process was killed with SIGKILL",
        advice="For memory, unless something else sends SIGKILL here. Count the workers: all of them share the container's limit.",
        example="error: Forever detected script was killed by signal: SIGKILL",
        near_miss="INFO will send SIGKILL after 30 s if it does not stop",
    ),
    LogPattern(
        id="master-signal-9",
        runtime="",
        kind=CHILD_KILLED,
        rank=RUNTIME,
        hint="signal",
        regex=re.compile(
            r"(?:killed|terminated|died|exited|exit|caught)(?: (?:by|with|from|on|due to|via|because of))? signal[ :=]{1,2}9\b|\bsignal: killed\b|\b[Ss]ignal 9 \(SIGKILL\)"
        ),
        meaning="a child process was killed with SIGKILL (signal 9)",
        advice="For memory, unless something else sends SIGKILL here. Count the workers: all of them share the container's limit.",
        example="fork/exec /usr/bin/convert: signal: killed",
        near_miss="worker 3 exited with signal 15",
    ),
    LogPattern(
        id="exit-137",
        runtime="",
        kind=CHILD_KILLED,
        rank=GENERIC,
        hint="",
        regex=re.compile(
            r"(?:exit(?:ed)?(?: with)?(?: (?:code|status))?|return code|returned|\brc|Error)[ :=]{1,2}\(?137\b|stopped \(rc=-9\)|\bexit(?:ed)?(?: with)?(?: ?code)?[ :=]{1,2}-9\b"
        ),
        meaning="a child process ended with 137, that is by SIGKILL",
        advice="137 alone does not prove a kill for memory; the container's state and memory history do.",
        example="make: *** [Makefile:12: bundle] Error 137",
        near_miss="GET /orders/137 200 12ms",
    ),
    LogPattern(
        id="shell-killed",
        runtime="shell",
        kind=CHILD_KILLED,
        rank=RUNTIME,
        hint="killed",
        regex=re.compile(
            r"^\S{1,120}: line \d{1,6}:\s{1,8}\d{1,10} Killed\b|^Killed(?: {2,40}\S.{0,200})?$|^\[\d{1,3}\][+-]? {1,4}Killed\b|[\]:] Killed$"
        ),
        meaning="a shell saw its command killed with SIGKILL",
        advice="Start the program with exec, so that it is PID 1 and Kubernetes sees the kill itself.",
        example="/entrypoint.sh: line 12:    25 Killed                  java -jar /app/app.jar",
        near_miss="Killed 3 idle connections",
    ),
    LogPattern(
        id="enomem",
        runtime="",
        kind=REFUSED,
        rank=GENERIC,
        hint="allocate memory",
        regex=re.compile(r"[Cc]annot allocate memory\b(?!-)|\bENOMEM\b|virtual memory exhausted"),
        meaning="the operating system refused memory or a new process (errno 12)",
        advice="A fork or a large allocation failed. A cgroup limit kills rather than refuses: look at ulimits and the node as well.",
        example="OSError: [Errno 12] Cannot allocate memory",
        near_miss="INFO cannot allocate memory-optimised instance type, using default",
    ),
    LogPattern(
        id="not-enough-memory",
        runtime="",
        kind=REFUSED,
        rank=GENERIC,
        hint="not enough memory",
        regex=re.compile(r"(?:^|[\s:])[Nn]ot enough memory\b(?!-)"),
        meaning="there was not enough memory for what it did",
        advice="Read the lines before it: they say what it was doing.",
        example="luajit: not enough memory",
        near_miss="INFO not enough memory-optimised nodes, using general ones",
    ),
    LogPattern(
        id="out-of-memory",
        runtime="",
        kind=REFUSED,
        rank=GENERIC,
        hint="out of memory",
        regex=re.compile(
            r"(?:^|[\s:\"(\[=])[Oo]ut [Oo]f [Mm]emory(?=$|[\s.,;:!)\"\]])(?! (?:cache|store|map|killer|handler|handling|alert|check|test|dump))|ran out of memory"
        ),
        meaning="it ran out of memory",
        advice="Read the lines before it: they say what it was doing.",
        example="ERROR worker 3: out of memory",
        near_miss="INFO out of memory-mapped regions: 0",
    ),
)
