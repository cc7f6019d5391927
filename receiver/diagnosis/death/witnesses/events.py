"""What events say. Kubernetes writes none for an OOM kill of a container, so their silence proves nothing."""

from __future__ import annotations

import re

from receiver.diagnosis.death.kernel_lines import OF_A_CGROUP, OF_THE_NODE
from receiver.diagnosis.death.witnesses.container_status import CUT_SHORT, OOM_BEFORE_START
from receiver.diagnosis.death.witnesses.row import Said, Says, Witness
from receiver.domain.report import Sender

EVENT_SLACK_S = 90.0  # a failed probe and the death it leads to; also by how much an event may come late
LONG_GRACE_S = 600.0  # a Killing event precedes the death by terminationGracePeriodSeconds (30 by default, minutes for some)
REBOOT_S = 900.0  # from what a container's end is stamped with to the kubelet's event once it is up again
KERNEL_SLACK_S = 10.0  # a line of the kernel and the death that it is about: seconds; a node without memory writes late

_KILLING = "Killing"
_NO_SANDBOX = "FailedCreatePodSandBox"
_UNHEALTHY = "Unhealthy"
_LIVENESS = re.compile("liveness probe", re.IGNORECASE)
_STARTUP = re.compile("startup probe", re.IGNORECASE)
_POST_START = re.compile(r"post-?start", re.IGNORECASE)
_SENDS = "kubelet, pkg/kubelet/kuberuntime/kuberuntime_manager.go: why a container is killed"
_PROBES = "kubelet, pkg/kubelet/prober/prober.go; it goes on being counted where the rate-limited Killing event is dropped"

# About the pod or one of its containers.
POD_EVENTS: tuple[Witness, ...] = (
    Witness(
        id="killing-liveness", says=Says.SENT_BY, sender=Sender.LIVENESS_PROBE, reason=_KILLING, message=_LIVENESS, reach_s=LONG_GRACE_S,
        example=Said(_KILLING, "Container search failed liveness probe, will be restarted"),
        near_miss=Said(_KILLING, "Container search definition changed, will be restarted"), source=_SENDS + "; the same of init containers",
    ),
    Witness(
        id="killing-startup", says=Says.SENT_BY, sender=Sender.STARTUP_PROBE, reason=_KILLING, message=_STARTUP, reach_s=LONG_GRACE_S,
        example=Said(_KILLING, "Container search failed startup probe, will be restarted"),
        near_miss=Said(_UNHEALTHY, "Startup probe failed: HTTP probe failed with statuscode: 503"), source=_SENDS,
    ),
    Witness(
        id="killing-post-start", says=Says.SENT_BY, sender=Sender.POST_START_HOOK, reason=_KILLING, message=_POST_START, reach_s=LONG_GRACE_S,
        example=Said(_KILLING, "FailedPostStartHook"), near_miss=Said(_KILLING, "FailedPreStopHook"),
        source="kubelet, pkg/kubelet/kuberuntime/kuberuntime_container.go: startContainer kills the container whose hook failed",
    ),
    Witness(
        id="failed-post-start", says=Says.CHECK_FAILED, sender=Sender.POST_START_HOOK, reason="FailedPostStartHook", reach_s=LONG_GRACE_S,
        example=Said("FailedPostStartHook", "PostStartHook failed"), near_miss=Said("FailedStart", "PostStartHook is slow"),
        source="kubelet, pkg/kubelet/events/event.go; the kill follows, its Killing event may be dropped",
    ),
    Witness(
        id="killing-resize", says=Says.SENT_BY, sender=Sender.RESIZE, reason=_KILLING, message=re.compile(r"\bresize\b", re.IGNORECASE), reach_s=LONG_GRACE_S,
        example=Said(_KILLING, "Container search resize requires restart"), near_miss=Said("ResizeCompleted", "Pod resize completed"),
        source="kubelet, kuberuntime_manager.go: computePodResizeAction, resizePolicy RestartContainer",
    ),
    Witness(
        id="killing-definition", says=Says.SENT_BY, sender=Sender.DEFINITION_CHANGED, reason=_KILLING, reach_s=LONG_GRACE_S,
        message=re.compile(r"definition changed|spec hash changed|hash changed", re.IGNORECASE),
        example=Said(_KILLING, "Container search definition changed, will be restarted"), near_miss=Said(_KILLING, "Container search failed liveness probe, will be restarted"),
        source="kubelet, kuberuntime_manager.go: containerChanged, as by kubectl set image pod/... and Tekton's nop image for sidecars",
    ),
    Witness(
        id="killing-unknown-state", says=Says.SENT_BY, sender=Sender.UNKNOWN_STATE, reason=_KILLING, reach_s=LONG_GRACE_S,
        message=re.compile(r"is in \\?\"?unknown\\?\"? state", re.IGNORECASE),
        example=Said(_KILLING, 'Container is in "unknown" state, try killing it before restart'), near_miss=Said(_KILLING, "Stopping container unknown"),
        source=_SENDS + "; init containers have the same",
    ),
    Witness(
        id="event-deadline", says=Says.SENT_BY, sender=Sender.DEADLINE, reason="DeadlineExceeded", reach_s=LONG_GRACE_S,
        example=Said("DeadlineExceeded", "Pod was active on the node longer than the specified deadline"), near_miss=Said("BackoffLimitExceeded"),
        source="kubelet, pkg/kubelet/active_deadline.go: the event of the pod",
    ),
    Witness(
        id="event-preempting", says=Says.SENT_BY, sender=Sender.PREEMPTION, reason="Preempting", reach_s=LONG_GRACE_S,
        example=Said("Preempting", "Preempted in order to admit critical pod"), near_miss=Said("PreemptContainer"),
        source="kubelet, pkg/kubelet/events/event.go: PreemptContainer is written as Preempting",
    ),
    Witness(
        id="event-preempted", says=Says.SENT_BY, sender=Sender.PREEMPTION, reason="Preempted", reach_s=LONG_GRACE_S,
        example=Said("Preempted", "Preempted by pod 3a1f on node lab-node-1"), near_miss=Said("NotTriggerScaleUp"),
        source="kube-scheduler, pkg/scheduler/framework/preemption: prepareCandidate",
    ),
    Witness(
        id="event-taint", says=Says.SENT_BY, sender=Sender.TAINT, reason="TaintManagerEviction", message=re.compile(r"\bmarking\b", re.IGNORECASE), reach_s=LONG_GRACE_S,
        example=Said("TaintManagerEviction", "Marking for deletion Pod shop/search-0"), near_miss=Said("TaintManagerEviction", "Cancelling deletion of Pod shop/search-0"),
        source="kube-controller-manager, pkg/controller/tainteviction: emitPodDeletionEvent",
    ),
    Witness(
        id="event-device-taint", says=Says.SENT_BY, sender=Sender.RESOURCE_CLAIM, reason="DeviceTaintManagerEviction", message=re.compile(r"\bmarking\b", re.IGNORECASE),
        reach_s=LONG_GRACE_S,
        example=Said("DeviceTaintManagerEviction", "Marking for deletion"), near_miss=Said("DeviceTaintManagerEviction", "Cancelling deletion"),
        source="kube-controller-manager, pkg/controller/devicetainteviction: a device of its resource claim is tainted",
    ),
    Witness(
        id="killing-stopping", says=Says.ASKED_TO_STOP, sender=Sender.GRACE_PERIOD, reason=_KILLING, reach_s=LONG_GRACE_S,
        message=re.compile(r"stopping container|need to kill pod|\bpre-?stop", re.IGNORECASE),
        example=Said(_KILLING, "Stopping container search"), near_miss=Said("Created", "Created container search"),
        source="kubelet, pkg/kubelet/kuberuntime/kuberuntime_container.go: killContainer without a message of its own, as of a whole pod: deletion, eviction, deadline, preemption, node shutdown; before 1.14 'Need to kill Pod'",
    ),
    Witness(
        id="failed-pre-stop", says=Says.ASKED_TO_STOP, sender=Sender.GRACE_PERIOD, reason="FailedPreStopHook", reach_s=LONG_GRACE_S,
        example=Said("FailedPreStopHook", "PreStopHook failed"), near_miss=Said("FailedPostStart", "PreStopHook failed"),
        source="kubelet, kuberuntime_container.go: executePreStopHook; it only runs while the container is being stopped",
    ),
    Witness(
        id="exceeded-grace", says=Says.ASKED_TO_STOP, sender=Sender.GRACE_PERIOD, reason="ExceededGracePeriod", reach_s=LONG_GRACE_S,
        example=Said("ExceededGracePeriod", "Container runtime did not kill the pod within specified grace period."), near_miss=Said("Evicted"),
        source="kubelet, pkg/kubelet/pod_workers.go and events/event.go",
    ),
    Witness(
        id="killing-other", says=Says.SENT_BY, sender=Sender.KUBELET, reason=_KILLING, reach_s=LONG_GRACE_S,
        example=Said(_KILLING, "Container search is to go for a reason of a later kubelet"), near_miss=Said("BackOff", "Back-off restarting failed container"),
        source="kubelet, kuberuntime_container.go: killContainer alone writes Killing, before it asks the runtime to stop the container",
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
    Witness(
        id="sandbox-oom", says=Says.OOM_BEFORE_START, reason=_NO_SANDBOX, message=OOM_BEFORE_START,
        example=Said(_NO_SANDBOX, "Failed to create pod sandbox: rpc error: code = Unknown desc = runc create failed: container init was OOM-killed (memory limit too low?)"),
        near_miss=Said(_NO_SANDBOX, "Failed to create pod sandbox: rpc error: code = DeadlineExceeded desc = context deadline exceeded"),
        source="kubelet, kuberuntime_manager.go: FailedCreatePodSandBox; the pause container lives under the pod's limit too",
    ),
    Witness(
        id="sandbox-cut-short", says=Says.CUT_SHORT_BEFORE_START, reason=_NO_SANDBOX, message=CUT_SHORT,
        example=Said(_NO_SANDBOX, 'Failed to create pod sandbox: OCI runtime create failed: process_linux.go:297: getting the final child\'s pid from pipe caused "read init-p: connection reset by peer"'),
        near_miss=Said(_NO_SANDBOX, "Failed to create pod sandbox: plugin type=\"calico\" failed (add): connection reset by peer"),
        source="kubelet, kuberuntime_manager.go: FailedCreatePodSandBox; runc's words by version: container_status",
    ),
    Witness(
        id="failed-oom-before-start", says=Says.OOM_BEFORE_START, reason="Failed", message=OOM_BEFORE_START,
        example=Said("Failed", "Error: failed to create containerd task: runc create failed: container init was OOM-killed (memory limit too low?): unknown"),
        near_miss=Said("Failed", "Error: ImagePullBackOff"), source="kubelet, events/event.go: Failed, with the runtime's words",
    ),
    Witness(
        id="failed-cut-short", says=Says.CUT_SHORT_BEFORE_START, reason="Failed", message=CUT_SHORT,
        example=Said("Failed", "Error: failed to start container: OCI runtime create failed: read init-p: connection reset by peer: unknown"),
        near_miss=Said("Failed", "Error: secret \"tls\" not found"), source="kubelet, events/event.go: Failed, with the runtime's words",
    ),
)  # fmt: skip

# About the node: the kernel's kills, as the kubelet and node-problem-detector tell of them (one event is one victim), and its reboots.
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
    Witness(
        id="rebooted", says=Says.NODE_REBOOTED, reason="Rebooted", reach_s=REBOOT_S,
        example=Said("Rebooted", "Node lab-node-1 has been rebooted, boot id: 2a9a3704-b7e1-4bc4-ab7c-35cbc56c6f64"),
        near_miss=Said("RegisteredNode", "Node lab-node-1 event: Registered Node lab-node-1 in Controller"),
        source="kubelet, pkg/kubelet/nodestatus/setters.go: MachineInfo, when the boot id has changed",
    ),
)  # fmt: skip
