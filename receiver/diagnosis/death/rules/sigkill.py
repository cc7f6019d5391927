"""A SIGKILL that Kubernetes does not call an OOM kill: who sent it."""

from __future__ import annotations

from receiver.diagnosis.clues import Clues, memory_ratio_before
from receiver.diagnosis.death import because as why
from receiver.diagnosis.death import lookups as look
from receiver.diagnosis.death.lookups import Heard
from receiver.diagnosis.death.verdict import killed
from receiver.diagnosis.death.witnesses import Says
from receiver.diagnosis.death.witnesses.metrics import FAR_FROM_LIMIT, NEAR_LIMIT
from receiver.diagnosis.log.log_clues import quoted_line
from receiver.domain.facts import Termination
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Kill, KillKind, Sender

SEVERAL = 5  # scrapes, and lives, before their silence says anything


def announced_in_log(clues: Clues) -> Kill | None:
    """The log of the dead instance ends with its manager's, runtime's or script's word that it kills. The sender's word beats what others infer."""
    death, said = look.sigkill_death(clues), look.announced_at_the_end(clues)
    if death is None or said is None:
        return None
    because = [reason("death.announced", sender=said.row.sender.value, line=quoted_line(said.line))]
    full = look.own_limit(clues) if said.row.for_memory else None
    if full is not None:
        because.append(reason("death.own_limit_before", meaning=full.meaning))
    because += [why.not_oom_killed(death), *why.memory_before(clues, death)]
    near = NEAR_LIMIT.matches(memory_ratio_before(clues, death.finished_at, death.started_at))
    sure = said.row.kills_itself and said.row.sender is not Sender.ITSELF and not near
    return killed(clues, death, KillKind.SIGKILL_NOT_OOM, sure=sure, sender=said.row.sender, because=because)


def announced(clues: Clues) -> Kill | None:
    """An event of the same minutes says who killed it."""
    death = look.sigkill_death(clues)
    if death is None:
        return None
    heard = next(iter(look.events_near(clues, death, Says.SENT_BY)), None)
    return _sent(clues, death, heard, sure=True) if heard is not None else None


def check_failed(clues: Clues) -> Kill | None:
    """A check failed for which the kubelet kills. It drops some of its Killing events, so a failed probe near enough counts too."""
    death = look.sigkill_death(clues)
    if death is None:
        return None
    heard = next(iter(look.events_near(clues, death, Says.CHECK_FAILED)), None)
    if heard is None:
        return None
    earlier = [h for h in look.events_saying(clues, Says.SENT_BY) if h.witness.sender is heard.witness.sender][:1]
    sure = bool(earlier) or not NEAR_LIMIT.matches(memory_ratio_before(clues, death.finished_at, death.started_at))
    return _sent(clues, death, heard, sure=sure, also=[reason("death.earlier_event", message=why.quoted(h.event)) for h in earlier])


def check_failed_before(clues: Clues) -> Kill | None:
    """Its earlier lives were ended for a failed check, and the kubelet drops events by now: one cause, established and not withdrawn.

    Without the events of this very death it is no more than likely; with Killing events of earlier ones, and a memory that is not full, it is sure.
    """
    death = look.sigkill_death(clues)
    if death is None or not look.are_events_dropped(clues):
        return None
    checks = look.events_saying(clues, Says.CHECK_FAILED)
    kills = [h for h in look.events_saying(clues, Says.SENT_BY) if any(h.witness.sender is c.witness.sender for c in checks)]
    heard = next(iter(kills or checks), None)
    if heard is None:
        return None
    failed = next(c for c in checks if c.witness.sender is heard.witness.sender)
    sure = bool(kills) and not NEAR_LIMIT.matches(memory_ratio_before(clues, death.finished_at, death.started_at))
    dropped = reason("death.events_dropped", message=why.quoted(failed.event), times=failed.event.count)
    return _sent(clues, death, heard, sure=sure, also=[dropped])


def _sent(clues: Clues, death: Termination, heard: Heard, *, sure: bool, also: list[Reason] | None = None) -> Kill:
    because = [reason("death.event", message=why.quoted(heard.event)), *(also or [])]
    because += [why.not_oom_killed(death), *why.memory_before(clues, death)]
    return killed(clues, death, KillKind.SIGKILL_NOT_OOM, sure=sure, sender=heard.witness.sender, because=because)


def grace_period_over(clues: Clues) -> Kill | None:
    """It was asked to stop and did not within its grace period."""
    death = look.sigkill_death(clues)
    if death is None:
        return None
    heard = next(iter(look.events_near(clues, death, Says.ASKED_TO_STOP)), None)
    pod = clues.facts.pod
    if heard is None and (pod is None or pod.deleted_at is None):
        return None
    asked = reason("death.event", message=why.quoted(heard.event)) if heard is not None else reason("death.pod_deleted")
    because = [asked, reason("death.grace_period"), why.not_oom_killed(death)]
    return killed(clues, death, KillKind.SIGKILL_NOT_OOM, sure=True, sender=Sender.GRACE_PERIOD, because=because)


def asked_to_stop_in_log(clues: Clues) -> Kill | None:
    """Its log ends with the request to stop, and no event is left of it: the grace period is the likely sender. Not where memory was near the limit."""
    death, line = look.sigkill_death(clues), look.asked_to_stop_in(clues)
    if death is None or not line or look.claims_oom(clues):
        return None
    if NEAR_LIMIT.matches(memory_ratio_before(clues, death.finished_at, death.started_at)):
        return None
    because = [
        reason("death.log_line", line=quoted_line(line)),
        reason("death.grace_period"),
        why.not_oom_killed(death),
        *why.memory_before(clues, death),
    ]
    return killed(clues, death, KillKind.SIGKILL_NOT_OOM, sure=False, sender=Sender.GRACE_PERIOD, because=because)


def by_kernel_line(clues: Clues) -> Kill | None:
    """The runtime missed the OOM, the kernel's line did not: of this pod's cgroup it is certain, of a fitting process likely."""
    death = look.sigkill_death(clues)
    kill = next(iter(look.kernel_kills(clues, death)), None) if death is not None else None
    if death is None or kill is None or (not kill.is_of_pod and kill.is_of_node is not False):
        return None
    because = [why.kernel_line(kill), why.not_oom_killed(death)]
    if not kill.is_of_pod:
        return killed(clues, death, KillKind.SUSPECTED_OOM, sure=False, because=because)
    is_nodes = kill.is_of_node or clues.limit_bytes is None
    return killed(clues, death, KillKind.NODE_OOM if is_nodes else KillKind.CONTAINER_OOM, sure=True, because=because)


def sender_unknown(clues: Clues) -> Kill | None:
    """137 and no word of who sent it: the runtime may have missed the OOM."""
    death = look.sigkill_death(clues)
    if death is None:
        return None
    unknown = reason("death.sender_unknown", reason=death.reason, exit_code=death.exit_code)
    because = [unknown, *_from_log_and_events(clues)]
    ratio = memory_ratio_before(clues, death.finished_at, death.started_at)
    if ratio is None and (highest := _never_near(clues)) is not None and not _log_tells_of_a_kill(clues) and not look.claims_oom(clues):
        because += [reason("death.never_seen_near_limit", usage_ratio=highest), reason("death.between_scrapes")]
        return killed(clues, death, KillKind.SIGKILL_NOT_OOM, sure=False, sender=Sender.UNKNOWN, because=because)
    if ratio is None:
        because.append(reason("death.memory_before_unknown"))
        return killed(clues, death, KillKind.SUSPECTED_OOM, sure=False, because=because)
    because.append(reason("death.memory_before", usage_ratio=ratio))
    if not FAR_FROM_LIMIT.matches(ratio) or look.log_says(clues) is Says.OOM_KILLED or look.claims_oom(clues):
        return killed(clues, death, KillKind.SUSPECTED_OOM, sure=False, because=because)
    if look.node_kills(clues, death):
        return killed(clues, death, KillKind.NODE_OOM, sure=False, because=[*because, *why.on_the_node(clues, death)])
    because.append(why.not_excluded(clues, death.started_at, death.finished_at))
    return killed(clues, death, KillKind.SIGKILL_NOT_OOM, sure=False, sender=Sender.UNKNOWN, because=because)


def _never_near(clues: Clues) -> float | None:
    """The highest share of the limit in any scrape of several short lives, where all were far below it: no peak, but no sign of one in any."""
    history, restarts = clues.facts.history, clues.container.restart_count if clues.container is not None else 0
    limits = [(s.working_set_bytes, s.limit_bytes or clues.limit_bytes) for s in history.samples] if history is not None else []
    ratios = [used / limit for used, limit in limits if limit]
    highest = max(ratios, default=None)
    is_enough = len(ratios) >= SEVERAL and restarts >= SEVERAL
    return highest if is_enough and FAR_FROM_LIMIT.matches(highest) else None


def _from_log_and_events(clues: Clues) -> list[Reason]:
    """Why no event says who sent it, and what the log says instead."""
    found = []
    if lacking := clues.missing_why("events"):
        found.append(reason("death.events_unread", why=lacking))
    if clues.signature is not None and _log_tells_of_a_kill(clues):
        found.append(reason("death.log_line", line=quoted_line(clues.signature.line)))
    return found


def _log_tells_of_a_kill(clues: Clues) -> bool:
    return look.log_says(clues) in (Says.CHILD_OOM_KILLED, Says.OOM_KILLED)
