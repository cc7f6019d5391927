"""What `pod.status.reason` and its message say: the kubelet or the control plane ended the pod as a whole."""

from __future__ import annotations

import re

from receiver.diagnosis.death.witnesses.row import Said, Says, Witness
from receiver.domain.report import Sender

EVICTED = "Evicted"
_SHUTDOWN = "Pod was terminated in response to imminent node shutdown."

# The first row that matches speaks: what narrows a reason stands above the row of the reason alone.
POD_STATUS: tuple[Witness, ...] = (
    Witness(
        id="evicted-for-memory", says=Says.EVICTED_FOR_MEMORY, reason=EVICTED,
        message=re.compile(r"low on resource: memory|memory\.available|memory pressure", re.IGNORECASE),
        example=Said(EVICTED, "The node was low on resource: memory. Threshold quantity: 150Mi, available: 67124Ki. "),
        near_miss=Said(EVICTED, "The node was low on resource: ephemeral-storage. Threshold quantity: 2Gi, available: 1Gi. "),
        source="kubelet, pkg/kubelet/eviction/helpers.go: nodeLowMessageFmt; a recorded cluster",
    ),
    Witness(
        id="evicted-without-a-word", says=Says.EVICTED_FOR_MEMORY, reason=EVICTED, message=re.compile(r"\A\s*\Z"),
        example=Said(EVICTED), near_miss=Said(EVICTED, "The node had condition: [DiskPressure]. "),
        source="a judgement: memory is what evicts most often, and a kubelet that evicts for another resource names it",
    ),
    Witness(
        id="evicted", says=Says.EVICTED, reason=EVICTED,
        example=Said(EVICTED, "The node was low on resource: inodes. "), near_miss=Said("Failed", "Evicted"),
        source="kubelet, pkg/kubelet/eviction/helpers.go: Reason",
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
