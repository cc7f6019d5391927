"""The pod as a whole was ended, or was not taken at all."""

from __future__ import annotations

from receiver.diagnosis.clues import Clues
from receiver.diagnosis.death import because as why
from receiver.diagnosis.death import lookups as look
from receiver.diagnosis.death.refusals import MEMORY, over_volume_in, refusal_in
from receiver.diagnosis.death.verdict import killed
from receiver.diagnosis.death.witnesses import Says
from receiver.diagnosis.death.witnesses.pod_status import EVICTED
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Kill, KillKind

_EVICTIONS = (Says.EVICTED, Says.EVICTED_FOR_MEMORY, Says.EVICTED_FOR_VOLUME, Says.REFUSED_FOR_PRESSURE)


def evicted(clues: Clues) -> Kill | None:
    """status.reason Evicted beats every container state: lastState may hold an older OOMKilled."""
    pod, witness = clues.facts.pod, look.pod_witness(clues)
    if pod is None or witness is None:
        return None
    is_refused = witness.says is Says.REFUSED and witness.reason == EVICTED  # Evicted is its status, although nothing ran
    if witness.says not in _EVICTIONS and not is_refused:
        return None
    because = [reason("death.evicted", message=pod.message.strip())]
    match witness.says:
        case Says.REFUSED_FOR_PRESSURE | Says.REFUSED:
            because.append(reason("death.refused_before_start"))
            if witness.says is Says.REFUSED:
                because.append(reason("death.evicted_for_other_resource"))
        case Says.EVICTED_FOR_VOLUME:
            because.append(_volume(clues))
        case Says.EVICTED:
            because.append(reason("death.evicted_for_other_resource"))
    return killed(clues, None, KillKind.EVICTION, sure=True, because=because, reason=EVICTED)


def _volume(clues: Clues) -> Reason:
    over = over_volume_in(clues)
    if over is not None and over.is_memory:
        return reason("death.volume_is_memory", volume=over.volume)
    return reason("death.volume_is_disk") if over is not None else reason("death.evicted_for_other_resource")


def refused(clues: Clues) -> Kill | None:
    """The kubelet did not take the pod: nothing ran, and nothing was killed, whatever the word OutOfmemory sounds like."""
    pod, witness = clues.facts.pod, look.pod_witness(clues)
    if pod is None or witness is None or witness.says is not Says.REFUSED or look.is_oom_killed(look.newest(clues)):
        return None
    because = [reason("death.refused", reason=pod.reason, message=pod.message.strip()), reason("death.refused_before_start")]
    asked = refusal_in(clues)
    if asked is not None and asked.resource == MEMORY:
        because.append(
            reason("death.refused_for_request", requested_bytes=asked.requested, used_bytes=asked.used, capacity_bytes=asked.capacity)
        )
    return killed(clues, None, KillKind.NONE, sure=True, because=because, reason=pod.reason)


def stopped_with_its_pod(clues: Clues) -> Kill | None:
    """The pod's status names who ended the pod, and its container was not OOMKilled before."""
    pod, witness, death = clues.facts.pod, look.pod_witness(clues), look.newest(clues)
    if pod is None or witness is None or witness.says is not Says.SENT_BY or witness.sender is None or look.is_oom_killed(death):
        return None
    because = [reason("death.pod_stopped", reason=pod.reason, sender=witness.sender.value)]
    return killed(clues, death, KillKind.SIGKILL_NOT_OOM, sure=True, sender=witness.sender, because=because)


def chosen_to_go(clues: Clues) -> Kill | None:
    """The pod's condition DisruptionTarget names who chose it to be ended, and SIGKILL followed."""
    death = look.sigkill_death(clues)
    witness = look.disruption_witness(clues, death) if death is not None else None
    pod = clues.facts.pod
    if death is None or witness is None or witness.sender is None or pod is None or pod.disruption is None:
        return None
    because = [
        reason("death.disrupted", reason=pod.disruption.reason, message=why.quoted_text(pod.disruption.message)),
        reason("death.grace_period"),
        why.not_oom_killed(death),
    ]
    return killed(clues, death, KillKind.SIGKILL_NOT_OOM, sure=True, sender=witness.sender, because=because)
