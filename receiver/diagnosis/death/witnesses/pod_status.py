"""What `pod.status.reason` and its message say: the kubelet or the control plane ended the pod as a whole."""

from __future__ import annotations

import re

from receiver.diagnosis.death.witnesses.row import Said, Says, Witness
from receiver.domain.report import Sender

EVICTED = "Evicted"
OVER_SIZE_LIMIT = re.compile(r'EmptyDir volume "(?P<volume>[^"\n]{1,253})" exceeds the limit "(?P<limit>[^"\n]{1,40})"', re.IGNORECASE)
NOT_ENOUGH = re.compile(
    r"Node didn't have enough (?:resource|capacity): (?P<resource>[\w./-]{1,100}), requested: (?P<requested>\d{1,19}), used: (?P<used>\d{1,19}), capacity: (?P<capacity>\d{1,19})",
    re.IGNORECASE,
)  # fmt: skip
_SHUTDOWN = "Pod was terminated in response to imminent node shutdown."

# The first row that matches speaks: what narrows a reason stands above the row of the reason alone.
POD_STATUS: tuple[Witness, ...] = (
    Witness(
        id="refused-under-memory-pressure", says=Says.REFUSED_FOR_PRESSURE, reason=EVICTED,
        message=re.compile(r"had condition: \[[^\]\n]{0,80}MemoryPressure", re.IGNORECASE),
        example=Said(EVICTED, "The node had condition: [MemoryPressure]. "),
        near_miss=Said(EVICTED, "The node had condition: [DiskPressure]. "),
        source="kubelet, pkg/kubelet/eviction/eviction_manager.go: Admit refuses BestEffort pods under MemoryPressure; the pod never ran",
    ),
    Witness(
        id="refused-under-other-pressure", says=Says.REFUSED, reason=EVICTED, message=re.compile(r"had condition: ", re.IGNORECASE),
        example=Said(EVICTED, "The node had condition: [DiskPressure]. "),
        near_miss=Said(EVICTED, "The node was low on resource: ephemeral-storage. Threshold quantity: 2Gi, available: 1Gi. "),
        source="kubelet, pkg/kubelet/eviction/eviction_manager.go: Admit refuses every pod under DiskPressure or PIDPressure",
    ),
    Witness(
        id="evicted-for-volume", says=Says.EVICTED_FOR_VOLUME, reason=EVICTED, message=OVER_SIZE_LIMIT,
        example=Said(EVICTED, 'Usage of EmptyDir volume "scratch" exceeds the limit "64Mi". '),
        near_miss=Said(EVICTED, "Pod ephemeral local storage usage exceeds the total limit of containers 2Gi. "),
        source="kubelet, pkg/kubelet/eviction/helpers.go: emptyDirMessageFmt; of a volume with medium Memory it is the pod's own memory",
    ),
    Witness(
        id="evicted-for-memory", says=Says.EVICTED_FOR_MEMORY, reason=EVICTED,
        message=re.compile(r"low on resource: \[?memory|low on compute resources|memory\.available|memory pressure", re.IGNORECASE),
        example=Said(EVICTED, "The node was low on resource: memory. Threshold quantity: 150Mi, available: 67124Ki. "),
        near_miss=Said(EVICTED, "The node was low on resource: ephemeral-storage. Container app was using 3Gi, request is 0. "),
        source="kubelet, pkg/kubelet/eviction/helpers.go: nodeLowMessageFmt (`low on compute resources` before 1.5); a recorded cluster",
    ),
    Witness(
        id="evicted-without-a-word", says=Says.EVICTED_FOR_MEMORY, reason=EVICTED, message=re.compile(r"\A\s*\Z"),
        example=Said(EVICTED), near_miss=Said(EVICTED, "The node was low on resource: pids. "),
        source="a judgement: memory is what evicts most often, and a kubelet that evicts for another resource names it",
    ),
    Witness(
        id="evicted", says=Says.EVICTED, reason=EVICTED,
        example=Said(EVICTED, "The node was low on resource: inodes. "), near_miss=Said("Failed", "Evicted"),
        source="kubelet, pkg/kubelet/eviction/helpers.go: Reason; ephemeral-storage, inodes, pids, local storage over a limit",
    ),
    Witness(
        id="refused-for-request", says=Says.REFUSED, message=NOT_ENOUGH,
        example=Said("OutOfmemory", "Pod was rejected: Node didn't have enough resource: memory, requested: 2097152000, used: 65865462583, capacity: 66388008960"),
        near_miss=Said("OutOfDisk", "out of disk"),
        source="kubelet, pkg/kubelet/lifecycle/predicate.go: InsufficientResourceError; the request is compared, never the limit or the use",
    ),
    *(
        Witness(
            id=f"refused-{id_}", says=Says.REFUSED, reason=word, example=Said(word, f"Pod was rejected: {message}"), near_miss=Said(f"{word}Killed"),
            source="kubelet, pkg/kubelet/lifecycle/predicate.go and pkg/kubelet/cm/topologymanager: a pod that was not admitted",
        )
        for id_, word, message in (
            ("out-of-memory", "OutOfmemory", "no room"),
            ("out-of-cpu", "OutOfcpu", "no room"),
            ("out-of-pods", "OutOfpods", "no room"),
            ("out-of-storage", "OutOfephemeral-storage", "no room"),
            ("unexpected-admission-error", "UnexpectedAdmissionError", "Allocate failed due to can't allocate unhealthy devices, which is unexpected"),
            ("topology", "TopologyAffinityError", "Resources cannot be allocated with Topology locality"),
            ("node-affinity", "NodeAffinity", "Predicate NodeAffinity failed"),
            ("no-node-info", "InvalidNodeInfo", "Kubelet cannot get node info."),
        )
    ),
    Witness(
        id="pod-preempting", says=Says.SENT_BY, sender=Sender.PREEMPTION, reason="Preempting",
        example=Said("Preempting", "Preempted in order to admit critical pod"), near_miss=Said("PreemptContainer"),
        source="kubelet, pkg/kubelet/preemption/preemption.go: room for a critical pod",
    ),
    Witness(
        id="pod-preempted", says=Says.SENT_BY, sender=Sender.PREEMPTION, reason="Preempted",
        example=Said("Preempted"), near_miss=Said("PreemptionByScheduler"),
        source="kube-scheduler, pkg/scheduler/framework/preemption: its event's reason, where a control plane copies it into the status",
    ),
    Witness(
        id="pod-node-shutdown", says=Says.SENT_BY, sender=Sender.NODE_SHUTDOWN, reason="NodeShutdown",
        example=Said("NodeShutdown", "Pod was rejected as the node is shutting down."), near_miss=Said("NodeAffinity"),
        source="kubelet, pkg/kubelet/nodeshutdown: nodeShutdownNotAdmittedReason",
    ),
    Witness(
        id="pod-terminated", says=Says.SENT_BY, sender=Sender.NODE_SHUTDOWN, reason="Terminated",
        example=Said("Terminated", _SHUTDOWN), near_miss=Said("Terminating", _SHUTDOWN),
        source="kubelet since 1.22, pkg/kubelet/nodeshutdown: nodeShutdownReason",
    ),
    Witness(
        id="pod-shutdown", says=Says.SENT_BY, sender=Sender.NODE_SHUTDOWN, reason="Shutdown",
        example=Said("Shutdown", "Node is shutting, evicting pods"), near_miss=Said("Completed", "Shutdown"),
        source="kubelet 1.20 and 1.21, pkg/kubelet/nodeshutdown: nodeShutdownReason",
    ),
    Witness(
        id="pod-node-lost", says=Says.SENT_BY, sender=Sender.LOST_NODE, reason="NodeLost",
        example=Said("NodeLost", "Node lab-node-1 which was running pod web-0 is unresponsive"), near_miss=Said("NodeNotReady"),
        source="node lifecycle controller, pkg/util/node/node.go: NodeUnreachablePodReason",
    ),
    Witness(
        id="pod-deadline", says=Says.SENT_BY, sender=Sender.DEADLINE, reason="DeadlineExceeded",
        example=Said("DeadlineExceeded", "Pod was active on the node longer than the specified deadline"), near_miss=Said("BackoffLimitExceeded"),
        source="kubelet, pkg/kubelet/active_deadline.go: activeDeadlineSeconds",
    ),
)  # fmt: skip

# The reason and message of the pod's condition DisruptionTarget: why it was chosen to be ended.
DISRUPTIONS: tuple[Witness, ...] = (
    Witness(
        id="disruption-scheduler", says=Says.SENT_BY, sender=Sender.PREEMPTION, reason="PreemptionByScheduler",
        example=Said("PreemptionByScheduler", "default-scheduler: preempting to accommodate a higher priority pod"), near_miss=Said("Preempted"),
        source="Kubernetes, pkg/apis/core: PodReasonPreemptionByScheduler",
    ),
    Witness(
        id="disruption-taint", says=Says.SENT_BY, sender=Sender.TAINT, reason="DeletionByTaintManager",
        example=Said("DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint"), near_miss=Said("TaintManagerEviction"),
        source="kube-controller-manager, pkg/controller/tainteviction",
    ),
    Witness(
        id="disruption-device-taint", says=Says.SENT_BY, sender=Sender.RESOURCE_CLAIM, reason="DeletionByDeviceTaintManager",
        example=Said("DeletionByDeviceTaintManager", "Device Taint manager: deleting due to NoExecute taint"), near_miss=Said("DeletionByTaintManager"),
        source="kube-controller-manager, pkg/controller/devicetainteviction",
    ),
    Witness(
        id="disruption-api", says=Says.SENT_BY, sender=Sender.API_EVICTION, reason="EvictionByEvictionAPI",
        example=Said("EvictionByEvictionAPI", "Eviction API: evicting"), near_miss=Said("Evicted"),
        source="kube-apiserver, pkg/registry/core/pod/storage/eviction.go: kubectl drain, descheduler, cluster autoscaler, VPA's updater",
    ),
    Witness(
        id="disruption-gc", says=Says.SENT_BY, sender=Sender.POD_GC, reason="DeletionByPodGC",
        example=Said("DeletionByPodGC", "PodGC: node no longer exists"), near_miss=Said("PodGC"),
        source="kube-controller-manager, pkg/controller/podgc",
    ),
    Witness(
        id="disruption-kubelet-shutdown", says=Says.SENT_BY, sender=Sender.NODE_SHUTDOWN, reason="TerminationByKubelet", message=re.compile("shut", re.IGNORECASE),
        example=Said("TerminationByKubelet", _SHUTDOWN), near_miss=Said("TerminationByKubelet", "The node was low on resource: memory."),
        source="kubelet, pkg/kubelet/nodeshutdown",
    ),
    Witness(
        id="disruption-kubelet-preemption", says=Says.SENT_BY, sender=Sender.PREEMPTION, reason="TerminationByKubelet", message=re.compile("preempt", re.IGNORECASE),
        example=Said("TerminationByKubelet", "Pod was preempted by Kubelet to accommodate a critical pod."), near_miss=Said("TerminationByKubelet", _SHUTDOWN),
        source="kubelet, pkg/kubelet/preemption/preemption.go",
    ),
)  # fmt: skip
