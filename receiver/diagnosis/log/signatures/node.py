"""Memory errors of Node.js and of its process managers."""

from __future__ import annotations

import re

from receiver.diagnosis.log.signatures.model import CHILD_KILLED, EXACT, OWN_LIMIT, REFUSED, RUNTIME, LogPattern

PATTERNS: tuple[LogPattern, ...] = (
    LogPattern(
        id="node-heap",
        runtime="node",
        kind=OWN_LIMIT,
        rank=EXACT,
        hint="out of memory",
        regex=re.compile(r"JavaScript heap out of memory|Fatal JavaScript out of memory|Fatal JavaScript invalid size error"),
        meaning="the JavaScript heap reached its own limit and Node ended itself",
        advice="--max-old-space-size (MiB) at about 75 % of the container's limit; --heapsnapshot-near-heap-limit=2 shows what fills it.",
        example="FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed - JavaScript heap out of memory",
        near_miss="info: JavaScript heap used 46 MB of 512 MB",
    ),
    LogPattern(
        id="node-worker-heap",
        runtime="node",
        kind=OWN_LIMIT,
        rank=EXACT,
        hint="err_worker_out_of_memory",
        regex=re.compile(r"ERR_WORKER_OUT_OF_MEMORY"),
        meaning="a Node worker thread reached its own heap limit",
        advice="Raise resourceLimits.maxOldGenerationSizeMb of that Worker, or give it smaller jobs. The process lives on.",
        example="Error [ERR_WORKER_OUT_OF_MEMORY]: Worker terminated due to reaching memory limit: JS heap out of memory",
        near_miss="Error [ERR_WORKER_PATH]: The worker script or module filename must be an absolute path",
    ),
    LogPattern(
        id="node-buffer",
        runtime="node",
        kind=REFUSED,
        rank=EXACT,
        hint="allocation failed",
        regex=re.compile(r"RangeError: Array buffer allocation failed"),
        meaning="Node was refused one buffer outside the JavaScript heap",
        advice="Stream the body or file instead of holding it as one Buffer; --max-old-space-size does not cover buffers.",
        example="RangeError: Array buffer allocation failed",
        near_miss="RangeError: Invalid array length",
    ),
    LogPattern(
        id="node-fatal-alloc",
        runtime="node",
        kind=REFUSED,
        rank=RUNTIME,
        hint="fatal error: ",
        regex=re.compile(r"FATAL ERROR: [^\n]{0,160}?(?:Allocation failed|process out of memory)"),
        meaning="V8 was refused memory and ended the process",
        advice="Read the words before 'Allocation failed'. With the heap below --max-old-space-size it is memory outside the heap.",
        example="FATAL ERROR: Zone Allocation failed - process out of memory",
        near_miss="FATAL ERROR: v8::ToLocalChecked Empty MaybeLocal",
    ),
    LogPattern(
        id="pm2-memory-restart",
        runtime="node",
        kind=OWN_LIMIT,
        rank=EXACT,
        hint="max-memory-restart",
        regex=re.compile(r"restarted because it exceeds --max-memory-restart value"),
        meaning="PM2 restarted the process at its own memory limit",
        advice="The process grows: find the leak with a heap snapshot; max_memory_restart only hides it.",
        example="[PM2][WORKER] Process 0 restarted because it exceeds --max-memory-restart value (current_memory=524288000 "
        "max_memory_limit=419430400 [octets])",
        near_miss="[PM2] Starting in cluster mode with --max-memory-restart 400M",
    ),
    LogPattern(
        id="pm2-sigkill",
        runtime="node",
        kind=CHILD_KILLED,
        rank=EXACT,
        hint="sigkill",
        regex=re.compile(r"exited with code \[\d{1,3}\] via signal \[SIGKILL\]"),
        meaning="PM2: a process was killed with SIGKILL",
        advice="PM2 starts it again inside the same container, so Kubernetes counts no restart. Run node as PID 1, with "
        "--max-old-space-size below the limit.",
        example="PM2        | App [api:0] exited with code [0] via signal [SIGKILL]",
        near_miss="PM2        | App [api:0] exited with code [0] via signal [SIGINT]",
    ),
    LogPattern(
        id="npm-child-sigkill",
        runtime="node",
        kind=CHILD_KILLED,
        rank=RUNTIME,
        hint="sigkill",
        regex=re.compile(r"npm (?:ERR!|error) signal SIGKILL|Command failed with signal \"?SIGKILL|signal=SIGKILL, exitCode=null"),
        meaning="a process that npm, yarn or jest started was killed with SIGKILL",
        advice="Fewer workers (jest --maxWorkers, --parallel), and NODE_OPTIONS=--max-old-space-size below the limit.",
        example="npm error signal SIGKILL",
        near_miss="npm error signal SIGTERM",
    ),
)
