"""What events say. Kubernetes writes none for an OOM kill of a container, so their silence proves nothing."""

from __future__ import annotations

import re

from receiver.diagnosis.death.kernel_lines import OF_A_CGROUP, OF_THE_NODE
from receiver.diagnosis.death.witnesses.row import Said, Says, Witness
from receiver.domain.report import Sender

EVENT_SLACK_S = 90.0  # a failed probe and the death it leads to; also by how much an event may come late
LONG_GRACE_S = 600.0  # a Killing event precedes the death by terminationGracePeriodSeconds (30 by default, minutes for some)
KERNEL_SLACK_S = 10.0  # a line of the kernel and the death that it is about: seconds; a node without memory writes late

_KILLING = "Killing"
_UNHEALTHY = "Unhealthy"
_LIVENESS = re.compile("liveness probe", re.IGNORECASE)
_STARTUP = re.compile("startup probe", re.IGNORECASE)
_SENDS = "kubelet, pkg/kubelet/kuberuntime/kuberuntime_manager.go: why a container is killed"
_PROBES = "kubelet, pkg/kubelet/prober/prober.go; it goes on being counted where the rate-limited Killing event is dropped"

# About the pod or one of its containers.
POD_EVENTS: tuple[Witness, ...] = (
    Witness(
        id="killing-liveness", says=Says.SENT_BY, sender=Sender.LIVENESS_PROBE, reason=_KILLING, message=_LIVENESS, reach_s=LONG_GRACE_S,
        example=Said(_KILLING, "Container search failed liveness probe, will be restarted"),
        near_miss=Said(_KILLING, "Container search definition changed, will be restarted"), source=_SENDS,
    ),
    Witness(
        id="killing-startup", says=Says.SENT_BY, sender=Sender.STARTUP_PROBE, reason=_KILLING, message=_STARTUP, reach_s=LONG_GRACE_S,
        example=Said(_KILLING, "Container search failed startup probe, will be restarted"),
        near_miss=Said(_UNHEALTHY, "Startup probe failed: HTTP probe failed with statuscode: 503"), source=_SENDS,
    ),
    Witness(
        id="killing-stopping", says=Says.ASKED_TO_STOP, sender=Sender.GRACE_PERIOD, reason=_KILLING, reach_s=LONG_GRACE_S,
        message=re.compile("stopping container", re.IGNORECASE),
        example=Said(_KILLING, "Stopping container search"), near_miss=Said("Created", "Created container search"),
        source="kubelet, pkg/kubelet/kuberuntime/kuberuntime_container.go: killContainer without a reason of its own",
    ),
    Witness(
        id="unhealthy-liveness", says=Says.CHECK_FAILED, sender=Sender.LIVENESS_PROBE, reason=_UNHEALTHY, message=_LIVENESS, reach_s=EVENT_SLACK_S,
        example=Said(_UNHEALTHY, "Liveness probe failed: HTTP probe failed with statuscode: 503"),
        near_miss=Said(_UNHEALTHY, "Readiness probe failed: HTTP probe failed with statuscode: 503"), source=_PROBES,
    ),
    Witness(
        id="unhealthy-startup", says=Says.CHECK_FAILED, sender=Sender.STARTUP_PROBE, reason=_UNHEALTHY, message=_STARTUP, reach_s=EVENT_SLACK_S,
        example=Said(_UNHEALTHY, "Startup probe failed: dial tcp 10.0.0.7:8080: connect: connection refused"),
        near_miss=Said(_KILLING, "Stopping container startup"), source=_PROBES,
    ),
)  # fmt: skip

# About the node: the kernel's kills, as the kubelet and node-problem-detector tell of them. One event is one victim.
NODE_EVENTS: tuple[Witness, ...] = (
    Witness(
        id="system-oom", says=Says.NODE_OUT_OF_MEMORY, reason="SystemOOM", reach_s=KERNEL_SLACK_S,
        example=Said("SystemOOM", "System OOM encountered, victim process: java, pid: 7"),
        near_miss=Said("NodeHasInsufficientMemory", "Node lab-node-1 status is now: NodeHasInsufficientMemory"),
        source="kubelet, pkg/kubelet/oom/oom_watcher_linux.go: a kill outside of any container's limit, one event for one victim",
    ),
    Witness(
        id="kernel-memcg", says=Says.OOM_KILLED, message=OF_A_CGROUP, reach_s=KERNEL_SLACK_S,
        example=Said("OOMKilling", "Memory cgroup out of memory: Killed process 1012 (heapster) total-vm:146500kB, anon-rss:98688kB, file-rss:10920kB"),
        near_miss=Said("OOMKilling", "Out of memory: Killed process 1012 (heapster) total-vm:146500kB, anon-rss:98688kB, file-rss:10920kB"),
        source="kernel, mm/oom_kill.c: the limit of a cgroup was full; node-problem-detector, config/kernel-monitor.json passes the line on",
    ),
    Witness(
        id="kernel-global", says=Says.NODE_OUT_OF_MEMORY, message=OF_THE_NODE, reach_s=KERNEL_SLACK_S,
        example=Said("OOMKilling", "Out of memory: Killed process 1012 (heapster) total-vm:146500kB, anon-rss:98688kB, file-rss:10920kB"),
        near_miss=Said("TaskHung", "INFO: task java:1012 blocked for more than 120 seconds."),
        source="kernel, mm/oom_kill.c: no limit of a cgroup was full, the node itself had nothing left (CONSTRAINT_NONE, global_oom)",
    ),
    Witness(
        id="kernel-victim", says=Says.KERNEL_KILLED, reason="OOMKilling", reach_s=KERNEL_SLACK_S,
        example=Said("OOMKilling", "Killed process 1012 (heapster) total-vm:146500kB, anon-rss:98688kB, file-rss:10920kB"),
        near_miss=Said("OOMKilled", "Killed process 1012 (heapster)"),
        source="node-problem-detector, config/kernel-monitor.json: before kernel 5.0 the victim's line does not say whose memory was full",
    ),
)  # fmt: skip
