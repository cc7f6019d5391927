"""The pod as a whole was ended."""

from __future__ import annotations

from receiver.diagnosis.clues import Clues
from receiver.diagnosis.death import lookups as look
from receiver.diagnosis.death.verdict import killed
from receiver.diagnosis.death.witnesses import Says
from receiver.diagnosis.death.witnesses.pod_status import EVICTED
from receiver.domain.reason import reason
from receiver.domain.report import Kill, KillKind


def evicted(clues: Clues) -> Kill | None:
    """status.reason Evicted beats every container state: lastState may hold an older OOMKilled."""
    pod, witness = clues.facts.pod, look.pod_witness(clues)
    if pod is None or witness is None or witness.says not in (Says.EVICTED, Says.EVICTED_FOR_MEMORY):
        return None
    because = [reason("death.evicted", message=pod.message.strip())]
    if witness.says is Says.EVICTED:
        because.append(reason("death.evicted_for_other_resource"))
    return killed(clues, None, KillKind.EVICTION, sure=True, because=because, reason=EVICTED)


def stopped_with_its_pod(clues: Clues) -> Kill | None:
    """The pod's status names who ended the pod, and its container was not OOMKilled before."""
    pod, witness, death = clues.facts.pod, look.pod_witness(clues), look.newest(clues)
    if pod is None or witness is None or witness.says is not Says.SENT_BY or witness.sender is None or look.is_oom_killed(death):
        return None
    because = [reason("death.pod_stopped", reason=pod.reason, sender=witness.sender.value)]
    return killed(clues, death, KillKind.SIGKILL_NOT_OOM, sure=True, sender=witness.sender, because=because)
