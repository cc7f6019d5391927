"""What numbers say: the working set just before the death as a ratio of the limit, and counters of OOM kills."""

from __future__ import annotations

from receiver.diagnosis.death.witnesses.row import Measure, Says

# Ratios of the limit in force, the highest of the last scrapes. Low is no proof: the last seconds are often not scraped.
NEAR_LIMIT = Measure(
    id="memory-near-limit", says=Says.NEAR_LIMIT, at_least=0.9, example=0.97, near_miss=0.89,
    source="a judgement, the same as the alert SigkilledNearMemoryLimit's: before an unexplained SIGKILL an OOM is then the likely reason",
)  # fmt: skip
FAR_FROM_LIMIT = Measure(
    id="memory-far-from-limit", says=Says.FAR_FROM_LIMIT, below=0.75, example=0.3, near_miss=0.75,
    source="a judgement: the node or something else is likelier; a fast allocation between two scrapes stays possible",
)  # fmt: skip

KERNEL_PEAK_FAR = Measure(
    id="kernel-peak-far-from-limit", says=Says.FAR_FROM_LIMIT, below=0.75, example=0.31, near_miss=0.99,
    source="cAdvisor, container_memory_max_usage_bytes: the kernel's own highest of a life (memory.max_usage_in_bytes; memory.peak with kernel 5.19 and runc 1.2), "
    "file cache included, so near the limit it says nothing; far below, no spike between two scrapes reached it (runc#4000, google/cadvisor#3062)",
)  # fmt: skip

LOG_AT_LIMIT = Measure(
    id="log-at-limit", says=Says.NEAR_LIMIT, at_least=0.75, below=4.0, example=0.83, near_miss=0.3,
    source="a judgement: the size that its log ends with, as a ratio of the limit; what the program counts is most of its memory, seldom all",
)  # fmt: skip

# Kills counted.
EARLIER_AT_LIMIT = Measure(
    id="earlier-kills-without-node", says=Says.NEAR_LIMIT, at_least=2, example=5, near_miss=1,
    source="a judgement: OOM kills of the last hour with no SystemOOM event within seconds; what dies at its limit again and again does so once more",
)  # fmt: skip
OOM_COUNTER = Measure(
    id="oom-counter", says=Says.CHILD_OOM_KILLED, at_least=1, example=81, near_miss=0,
    source="cAdvisor, container_oom_events_total: it rose while the container's restarts did not",
)  # fmt: skip
OOM_HISTORY = Measure(
    id="oom-history", says=Says.OOM_KILLED, at_least=1, example=1, near_miss=0,
    source="kube-state-metrics, kube_pod_container_status_last_terminated_reason and _timestamp: OOM kills with their times",
)  # fmt: skip

MEASURES = (NEAR_LIMIT, FAR_FROM_LIMIT, KERNEL_PEAK_FAR, LOG_AT_LIMIT, EARLIER_AT_LIMIT, OOM_COUNTER, OOM_HISTORY)
