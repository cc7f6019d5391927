"""Something else than memory ended it: a probe, a deletion, the program itself. All other questions take memory for granted."""

from __future__ import annotations

from receiver.diagnosis.causes.common import SURE_FACT
from receiver.diagnosis.causes.leaf import NO, YES, Answer, Leaf, Question, Raise, Verdict, Whose, cannot_tell, no
from receiver.diagnosis.clues import Clues
from receiver.diagnosis.death import alert_names as names
from receiver.diagnosis.death.kill import own_limit, pod_says
from receiver.diagnosis.death.refusals import over_volume_in
from receiver.diagnosis.death.witnesses import Says
from receiver.domain.confidence import UNSURE
from receiver.domain.reason import reason
from receiver.domain.report import Cause, CauseName, Kill, KillKind, LongTerm, Sender

LOG_IS_SILENT = 0.9  # it ended by itself, and its log names no memory error
LOG_IS_UNREAD = 0.7  # the same without the log


def killed_for_memory(clues: Clues, kill: Kill) -> Answer:
    """No leads here when something else ended it; nothing ended, or a limit of the program's own, goes on."""
    because = kill.because[0]
    match kill.kind:
        case KillKind.CONTAINER_OOM | KillKind.CHILD_PROCESS_OOM | KillKind.NODE_OOM:
            return Answer(answer=YES, because=because)
        case KillKind.EVICTION:
            if _is_for_memory(clues):
                return Answer(answer=YES, because=because)
            return Answer(answer=NO, because=because, decides=True, confidence=SURE_FACT, reasons=kill.because, detail="eviction")
        case KillKind.SUSPECTED_OOM:
            return cannot_tell(reason("killed_for_memory.probably", because=because))
        case KillKind.SIGKILL_NOT_OOM:
            confidence = SURE_FACT if kill.is_sure else UNSURE
            return Answer(answer=NO, because=because, decides=True, confidence=confidence, reasons=kill.because, detail=kill.sender or "")
        case _:
            return _not_killed(clues, kill)


def _is_for_memory(clues: Clues) -> bool:
    """Whether the eviction was for memory, the node's or the pod's own. One that another witness tells of counts as one."""
    says = pod_says(clues)
    if says is Says.EVICTED_FOR_VOLUME:
        over = over_volume_in(clues)
        return over is not None and over.is_memory
    return says not in (Says.EVICTED, Says.REFUSED)


def _not_killed(clues: Clues, kill: Kill) -> Answer:
    because = kill.because[0]
    if kill.reason and kill.exit_code is None and pod_says(clues) is Says.REFUSED:
        return Answer(answer=NO, because=because, decides=True, confidence=SURE_FACT, reasons=kill.because, detail="refused")
    full = own_limit(clues)
    if kill.exit_code is not None and full is not None:
        return no(reason("tree.own_limit", meaning=full.meaning))
    is_warning = bool(clues.alert_names) and clues.alert_names <= names.WARNING_ALERTS
    if kill.exit_code in (None, 0) or is_warning:
        return no(because) if kill.is_sure else cannot_tell(because)
    if clues.facts.log is None:
        reasons, confidence = (because, reason("killed_for_memory.log_unread")), LOG_IS_UNREAD
    elif clues.signature is not None:
        return no(reason("killed_for_memory.log_names", because=because, meaning=clues.signature.meaning))
    else:
        reasons, confidence = (because, reason("killed_for_memory.log_silent")), LOG_IS_SILENT
    return Answer(answer=NO, because=because, decides=True, confidence=confidence, reasons=reasons, detail="other_exit")


def fixes(clues: Clues, kill: Kill, cause: Cause) -> tuple[LongTerm, ...]:
    """What sent the signal, or what kept it from starting."""
    if cause.detail == "refused":
        return (LongTerm(id="fit_request", advice=reason("fix.fit_request")),)
    if kill.sender is not None and kill.sender.is_probe:
        return (LongTerm(id="mend_probe", advice=reason("fix.mend_probe")),)
    if kill.sender is Sender.GRACE_PERIOD:
        return (LongTerm(id="handle_sigterm", advice=reason("fix.handle_sigterm")),)
    return ()


LEAF = Leaf(
    name=CauseName.NOT_MEMORY,
    question=Question(id="killed_for_memory", text=reason("leaf.not_memory.question"), ask=killed_for_memory),
    root="not_oom",
    whose=Whose.NOBODY,
    a_raise=Raise.USELESS,
    fixes=fixes,
    verdict=Verdict(
        likely=reason("leaf.not_memory.likely"),
        looks_like=reason("leaf.not_memory.looks_like"),
        could_be=reason("leaf.not_memory.could_be"),
    ),
    in_digest=reason("leaf.not_memory.digest"),
    digest_rank=60,
)
